"""Values made from the shapes of a service model: valid by its enumerations, patterns, lengths and bounds.

A value is made anew from the same ``salt``, and another salt makes another one where the shape allows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from clary.wire.patterns import compiled, matches

LEFT_OUT = object()
"""In a table of facts: a member that is not given."""
GIVEN = object()
"""In a table of facts: an optional member that is always given."""
Facts = Mapping[str, Mapping[str, Any]]
"""What the shapes do not tell, by the structure's name and the member's: a value, a function that makes one, ``GIVEN``
or ``LEFT_OUT``."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./:+ ="
_LONGEST = 200


class Maker:
    """Makes values of shapes, with all optional members or, unless ``whole``, with the required ones."""

    def __init__(self, facts: Facts, shared: Mapping[str, Any], *, whole: bool, salt: int = 0) -> None:
        self._facts = facts
        self._shared = shared
        """Values of shapes that mean something to the server, by the shape's name."""
        self._whole = whole
        self._salt = salt

    def structure(self, shape: Any, within: tuple[str, ...] = (), salt: int = 0) -> dict[str, Any]:
        """A structure, or one that its facts say."""
        known = self._facts.get(shape.name, {})
        members = {}
        for name in self._wanted(shape, known, self._whole and shape.name not in within):
            made = known.get(name, GIVEN)
            if made is GIVEN:
                made = self.value(shape.members[name], (*within, shape.name), salt)
            members[name] = made() if callable(made) else made
        return members

    @staticmethod
    def _wanted(shape: Any, known: Mapping[str, Any], whole: bool) -> Iterable[str]:
        wanted = [
            name
            for name in shape.members
            if known.get(name) is not LEFT_OUT
            and (whole or name in shape.required_members or name in known or shape.is_tagged_union)
        ]
        return wanted[:1] if shape.is_tagged_union else wanted

    def value(self, shape: Any, within: tuple[str, ...] = (), salt: int = 0) -> Any:
        """A value of any shape."""
        if shape.name in self._shared:
            return self._shared[shape.name]
        number = self._salt + salt
        match shape.type_name:
            case "structure":
                return self.structure(shape, within, salt)
            case "list":
                return [self.value(shape.member, within, salt + place) for place in range(self._length(shape))]
            case "map":
                keys = [self.value(shape.key, within, salt + place) for place in range(self._length(shape))]
                return {key: self.value(shape.value, within, salt) for key in keys}
            case "string":
                return text(shape.metadata, number)
            case "boolean":
                return number % 2 == 0
            case "integer" | "long":
                return min(int(shape.metadata.get("min", 1)) + number, int(shape.metadata.get("max", 10**6)))
            case "float" | "double":
                return min(shape.metadata.get("min", 0) + 0.25 * (number + 1), shape.metadata.get("max", 1e6))
            case "timestamp":
                return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(days=number)
            case "blob":
                return b"blob-%d" % number
        raise AssertionError(f"no values for shapes of the type {shape.type_name}")

    def _length(self, shape: Any) -> int:
        least = shape.metadata.get("min", 0)
        if not self._whole:
            return max(least, 1)
        return max(least, min(2, shape.metadata.get("max", 2), len(_enumeration(shape)) or 2))


def _enumeration(shape: Any) -> list[str]:
    item = shape.key if shape.type_name == "map" else shape.member
    return list(item.metadata.get("enum", ()))


def text(constraints: Mapping[str, Any], number: int) -> str:
    """A string that satisfies a shape's enumeration, pattern and length."""
    if values := constraints.get("enum"):
        return str(values[number % len(values)])
    least, most = constraints.get("min", 0), constraints.get("max", _LONGEST)
    pattern = constraints.get("pattern")
    if pattern is None or re.fullmatch(r"\.[*+]", pattern):
        return f"text-{number}".ljust(least, "x")[:most]
    for stretch in (3, 2, 1, 0, *range(4, _LONGEST)):
        # What another account has is refused before anybody looks for it.
        found = re.sub(r"^(arn(:[^:]*){3}):\d{12}:", r"\g<1>:123456789012:", _matching(pattern, number, stretch))
        if least <= len(found) <= most and matches(pattern, found):
            return found
    raise AssertionError(f"no value found for {pattern!r} of {least} to {most} characters")


@cache
def _matching(pattern: str, number: int, stretch: int) -> str:
    """What probably matches ``pattern``: repetitions are ``stretch`` longer than they must be."""
    if "s3://" in pattern or "(https|s3)" in pattern:
        return f"s3://bucket/key-{number}"[: 12 + stretch]
    expression = compiled(pattern, is_ascii=True)
    plain = expression.pattern if isinstance(expression, re.Pattern) else pattern
    return "".join(_pieces(parser.parse(plain), number, stretch))


def _pieces(items: Any, number: int, stretch: int) -> Iterable[str]:
    for kind, detail in items:
        if kind is sre.LITERAL:
            yield chr(detail)
        elif kind in (sre.IN, sre.ANY, sre.NOT_LITERAL):
            allowed = [character for character in _ALPHABET if _allows(kind, detail, character)]
            yield allowed[number % len(allowed)] if allowed else ""
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, inner = detail
            for _ in range(min(least + stretch, int(most))):
                yield from _pieces(inner, number, stretch if least or most == 1 else 0)
        elif kind is sre.SUBPATTERN:
            yield from _pieces(detail[3], number, stretch)
        elif kind is sre.BRANCH:
            yield from _pieces(detail[1][number % len(detail[1])], number, stretch)


def _allows(kind: Any, detail: Any, character: str) -> bool:
    if kind is sre.ANY:
        return character.isalnum()
    if kind is sre.NOT_LITERAL:
        return ord(character) != detail
    return _in_class(detail, character)


_CATEGORIES: Mapping[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda character: not character.isspace(),
    sre.CATEGORY_WORD: lambda character: character.isalnum() or character == "_",
}


def _in_class(items: Any, character: str) -> bool:
    negated, inside = False, False
    for kind, detail in items:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.LITERAL:
            inside = inside or ord(character) == detail
        elif kind is sre.RANGE:
            inside = inside or detail[0] <= ord(character) <= detail[1]
        elif kind is sre.CATEGORY:
            inside = inside or _CATEGORIES[detail](character)
    return inside != negated
