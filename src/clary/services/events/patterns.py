"""Event patterns: which events a rule is for.

Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any

from clary.core.errors import ServiceError

DEEPEST = 50


class InvalidEventPatternException(ServiceError):
    """The text is not an event pattern."""

    code = "InvalidEventPatternException"
    status = 400


def parsed(text: str) -> dict[str, Any]:
    """A pattern from its JSON. Raises ``InvalidEventPatternException`` for what is none."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEventPatternException(f"Event pattern is not valid. Reason: {error}") from None
    if not isinstance(pattern, dict):
        raise InvalidEventPatternException("Event pattern is not valid. Reason: Filter is not an object")
    if not pattern:
        raise InvalidEventPatternException("Event pattern is not valid. Reason: Empty patterns are not allowed")
    _check(pattern, 0)
    return pattern


def _check(pattern: Mapping[str, Any], depth: int) -> None:
    if depth > DEEPEST:
        raise InvalidEventPatternException("Event pattern is not valid. Reason: it is nested too deep")
    for name, wanted in pattern.items():
        if name == "$or" and isinstance(wanted, list) and all(isinstance(each, dict) for each in wanted):
            for each in wanted:
                _check(each, depth + 1)
        elif isinstance(wanted, dict):
            _check(wanted, depth + 1)
        elif not isinstance(wanted, list) or not wanted:
            raise InvalidEventPatternException(
                f"Event pattern is not valid. Reason: '{name}' must be an object or a non-empty array"
            )
        else:
            for test in wanted:
                _check_test(name, test)


def _check_test(name: str, test: Any) -> None:
    if not isinstance(test, dict):
        if isinstance(test, list):
            raise InvalidEventPatternException(f"Event pattern is not valid. Reason: '{name}' holds an array")
        return
    if len(test) != 1 or next(iter(test)) not in _TESTS:
        raise InvalidEventPatternException(f"Event pattern is not valid. Reason: Unrecognized match type in '{name}'")
    try:
        [(kind, argument)] = test.items()
        _TESTS[kind](argument, "")
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        raise InvalidEventPatternException(
            f"Event pattern is not valid. Reason: the argument of {kind} in '{name}' is wrong"
        ) from None


def fits(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event has, for each member of the pattern, one of the values that it asks for."""
    if not isinstance(event, dict):
        # What the pattern asks of something that is not there can only be that it is not.
        event = {}
    for name, wanted in pattern.items():
        if name == "$or" and isinstance(wanted, list):
            if not any(fits(each, event) for each in wanted):
                return False
        elif isinstance(wanted, dict):
            inner = event.get(name)
            items = inner if isinstance(inner, list) else [inner]
            if not any(fits(wanted, each) for each in items or [None]):
                return False
        elif not _one_of(wanted, name in event, event.get(name)):
            return False
    return True


def _one_of(tests: list[Any], present: bool, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    for test in tests:
        if isinstance(test, dict) and "exists" in test:
            if test["exists"] is (present and not isinstance(value, dict)):
                return True
        elif present and any(_is(test, each) for each in values):
            return True
    return False


def _is(test: Any, value: Any) -> bool:
    if isinstance(test, dict):
        [(kind, argument)] = test.items()
        return _TESTS[kind](argument, value)
    return (type(test) is type(value) and bool(test == value)) or _numbers_are_equal(test, value)


def _numbers_are_equal(one: Any, other: Any) -> bool:
    return _is_number(one) and _is_number(other) and one == other


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_test(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """A test of texts, which may be asked not to tell large from small letters."""

    def check(argument: Any, value: Any) -> bool:
        if isinstance(argument, dict):
            wanted = argument["equals-ignore-case"].lower()
            return isinstance(value, str) and test(wanted, value.lower())
        return test(argument + "", value) if isinstance(value, str) else False

    return check


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, dict):
        [(kind, inner)] = argument.items()
        each = inner if isinstance(inner, list) else [inner]
        return not any(_TESTS[kind](one, value) for one in each)
    each = argument if isinstance(argument, list) else [argument]
    return not any(_is(one, value) for one in each)


def _numeric(argument: list[Any], value: Any) -> bool:
    compare: Mapping[str, Callable[[Any, Any], bool]] = {
        "=": lambda one, other: one == other,
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
    }
    pairs = list(zip(argument[::2], argument[1::2], strict=True))
    if not pairs or not all(_is_number(limit) and sign in compare for sign, limit in pairs):
        raise ValueError(argument)
    return _is_number(value) and all(compare[sign](value, limit) for sign, limit in pairs)


def _cidr(argument: str, value: Any) -> bool:
    network = ipaddress.ip_network(argument, strict=False)
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in network
    except ValueError:
        return False


def _wildcard(argument: str, value: str) -> bool:
    pattern = argument.replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(value, pattern)


def _exists(argument: Any, _: Any) -> bool:
    if not isinstance(argument, bool):
        raise TypeError(argument)
    return argument


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _text_test(lambda wanted, value: value.startswith(wanted)),
    "suffix": _text_test(lambda wanted, value: value.endswith(wanted)),
    "equals-ignore-case": _text_test(lambda wanted, value: value.lower() == wanted.lower()),
    "wildcard": _text_test(_wildcard),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
