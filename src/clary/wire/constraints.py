"""Whether a value keeps all constraints of a shape: the same question that ``validate`` asks, but with no word about
what is wrong, so that it can be worked out once for each shape.

Reference: https://smithy.io/2.0/spec/constraint-traits.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from clary.wire.patterns import matches

Check = Callable[[Any], bool]
_NUMBERS = ("integer", "long", "float", "double")


@cache
def fits(shape: Any) -> Check:
    """What tells whether a value that is not ``None`` keeps the constraints of ``shape`` and of all that it holds."""
    kind = shape.type_name
    if kind == "structure":
        return _anything if shape.is_document_type else _structure(shape)
    if kind == "list":
        return _list(shape)
    if kind == "map":
        return _map(shape)
    return _own(shape)


def _anything(value: Any) -> bool:
    return True


def _structure(shape: Any) -> Check:
    required: list[str] = []
    members: dict[str, Check] = {}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        # Not before it is needed: a structure may hold itself.
        if not members:
            # A payload that is streamed by the caller is not among the parameters.
            streamed = {name for name, each in shape.members.items() if each.serialization.get("streaming")}
            required.extend(name for name in shape.required_members if name not in streamed)
            members.update({name: fits(each) for name, each in shape.members.items()})
        for name in required:
            if value.get(name) is None:
                return False
        for name, item in value.items():
            if item is not None and (fitting := members.get(name)) is not None and not fitting(item):
                return False
        return True

    return check


def _list(shape: Any) -> Check:
    own = _own(shape)
    fitting: Check | None = None

    def check(value: Any) -> bool:
        nonlocal fitting
        if fitting is None:
            fitting = fits(shape.member)
        return own(value) and all(item is not None and fitting(item) for item in value)

    return check


def _map(shape: Any) -> Check:
    own = _own(shape)
    fitting: Check | None = None
    key_fits: Check = _anything

    def check(value: Any) -> bool:
        nonlocal fitting, key_fits
        if fitting is None:
            fitting, key_fits = fits(shape.value), fits(shape.key)
        return own(value) and all(key_fits(key) and item is not None and fitting(item) for key, item in value.items())

    return check


def _own(shape: Any) -> Check:
    """The constraints of a shape itself, without those of what it holds."""
    metadata, kind = shape.metadata, shape.type_name
    least, most = metadata.get("min"), metadata.get("max")
    if kind in _NUMBERS:
        return _within(least, most)
    if kind not in ("string", "list", "map", "blob"):
        return _anything
    pattern = metadata.get("pattern") if kind == "string" else None
    enum = frozenset(metadata.get("enum") or ()) if kind == "string" else frozenset()
    if least is None and most is None and pattern is None and not enum:
        return _anything

    def check(value: Any) -> bool:
        if not hasattr(value, "__len__"):
            return True
        size = len(value)
        if (least is not None and size < least) or (most is not None and size > most):
            return False
        if not isinstance(value, str):
            return True
        return (not enum or value in enum) and (pattern is None or matches(pattern, value))

    return check


def _within(least: float | None, most: float | None) -> Check:
    if least is None and most is None:
        return _anything

    def check(value: Any) -> bool:
        if not isinstance(value, int | float):
            return True
        return (least is None or value >= least) and (most is None or value <= most)

    return check
