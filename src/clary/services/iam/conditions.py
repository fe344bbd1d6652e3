"""The ``Condition`` element of policies: operators, sets of values, and keys that are missing.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from clary.services.iam.patterns import ArnPattern, Context, Pattern, Several

Test = Callable[[Any, Context], bool]
"""Whether one value of the request, read as its operator reads values, fits one value of the policy."""
Make = Callable[[str, bool], Test]
"""Makes the test of one value of the policy; the flag says whether ``${…}`` means anything."""


class ConditionError(ValueError):
    """A condition that policies cannot have."""


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_MONTH = re.compile(r"\d{4}-\d{2}")


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=1024)
def _moment(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 date, or of epoch seconds."""
    number = _number(text)
    if number is not None:
        return number
    try:
        # Of the W3C's forms, the one of a month is the only one that Python does not read.
        moment = datetime.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(text: str) -> str:
    return text


def _boolean(text: str) -> str | None:
    return text.lower() if text.lower() in ("true", "false") else None


@lru_cache(maxsize=1024)
def _network_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _arn_text(text: str) -> str | None:
    return text if text.count(":") >= 5 else None


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "equals": lambda value, bound: value == bound,
    "lessthan": lambda value, bound: value < bound,
    "lessthanequals": lambda value, bound: value <= bound,
    "greaterthan": lambda value, bound: value > bound,
    "greaterthanequals": lambda value, bound: value >= bound,
}


def _string(fold: bool, like: bool) -> Make:
    def make(text: str, variables: bool) -> Test:
        return Pattern(text, wildcards=like, variables=variables, fold=fold).matches

    return make


def _ordered(read: Callable[[str], float | None], name: str) -> Make:
    compare = _COMPARE[name]

    def make(text: str, variables: bool) -> Test:
        bound = read(text)
        if bound is None:
            raise ConditionError(f"Invalid value in a condition: {text}")
        return lambda value, context: compare(value, bound)

    return make


def _binary(text: str, variables: bool) -> Test:
    return lambda value, context: bool(value == text)


def _address(text: str, variables: bool) -> Test:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConditionError(f"Invalid IP address in a condition: {text}") from error
    return lambda value, context: value in network


def _arn(text: str, variables: bool) -> Test:
    return ArnPattern(text, variables=variables).matches


@dataclass(frozen=True, slots=True)
class _Operator:
    """How an operator reads a value of the request (``None``: it is none of its kind), and what it asks of it."""

    read: Callable[[str], Any]
    make: Make
    negated: bool = False


_OPERATORS: dict[str, _Operator] = {
    "stringequals": _Operator(_text, _string(fold=False, like=False)),
    "stringnotequals": _Operator(_text, _string(fold=False, like=False), True),
    "stringequalsignorecase": _Operator(_text, _string(fold=True, like=False)),
    "stringnotequalsignorecase": _Operator(_text, _string(fold=True, like=False), True),
    "stringlike": _Operator(_text, _string(fold=False, like=True)),
    "stringnotlike": _Operator(_text, _string(fold=False, like=True), True),
    "bool": _Operator(_boolean, _string(fold=True, like=False)),
    "binaryequals": _Operator(_text, _binary),
    "ipaddress": _Operator(_network_address, _address),
    "notipaddress": _Operator(_network_address, _address, True),
    "arnequals": _Operator(_arn_text, _arn),
    "arnlike": _Operator(_arn_text, _arn),
    "arnnotequals": _Operator(_arn_text, _arn, True),
    "arnnotlike": _Operator(_arn_text, _arn, True),
}
for _kind, _read in (("numeric", _number), ("date", _moment)):
    for _name in _COMPARE:
        _OPERATORS[_kind + _name] = _Operator(_read, _ordered(_read, _name))
    _OPERATORS[_kind + "notequals"] = _Operator(_read, _ordered(_read, "equals"), True)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of the request against the values that one operator names."""

    key: str
    name: str
    """The key as the policy spells it."""
    quantifier: Literal["", "forallvalues", "foranyvalue"]
    read: Callable[[str], Any]
    tests: tuple[Test, ...]
    negated: bool
    if_exists: bool

    def holds(self, context: Context) -> bool:
        """Whether the request fulfils the condition."""
        values = context.get(self.key)
        if not values:
            # `ForAllValues` holds for nothing at all; a negated operator holds for a key that is not there.
            return self.if_exists or self.quantifier == "forallvalues" or (self.negated and not self.quantifier)
        if not self.quantifier:
            # A key that may have several values asks for a quantifier; without one nothing is known of it.
            return not isinstance(values, Several) and self._fits(values[0], context)
        if self.quantifier == "foranyvalue":
            return any(self._fits(value, context) for value in values)
        return all(self._fits(value, context) for value in values)

    def _fits(self, text: str, context: Context) -> bool:
        value = self.read(text)
        if value is None:
            # What is no number, date, address or ARN is neither equal to one nor different from it.
            return False
        for test in self.tests:
            if test(value, context):
                return not self.negated
        return self.negated


@dataclass(frozen=True, slots=True)
class Presence:
    """The ``Null`` operator: whether a key must be absent."""

    key: str
    name: str
    absent: frozenset[bool]

    def holds(self, context: Context) -> bool:
        return (not context.get(self.key)) in self.absent


_ABSENT = {"true": True, "false": False}


def compile_conditions(block: Mapping[str, Any], variables: bool) -> tuple[Condition | Presence, ...]:
    """The conditions of one statement, all of which must hold; ``variables`` says whether ``${…}`` means anything.

    Raises ``ConditionError``.
    """
    conditions: list[Condition | Presence] = []
    for operator, entries in block.items():
        if not isinstance(entries, Mapping):
            raise ConditionError(f"Invalid condition: {operator}")
        for key, values in entries.items():
            conditions.append(_compile_one(operator, key, _texts(values), variables))
    return tuple(conditions)


def _compile_one(operator: str, key: str, texts: Sequence[str], variables: bool) -> Condition | Presence:
    name = operator.lower()
    quantifier: Literal["", "forallvalues", "foranyvalue"] = ""
    if name.startswith("forallvalues:"):
        quantifier, name = "forallvalues", name.removeprefix("forallvalues:")
    elif name.startswith("foranyvalue:"):
        quantifier, name = "foranyvalue", name.removeprefix("foranyvalue:")
    if name == "null":
        return Presence(key.lower(), key, frozenset(_ABSENT[text.lower()] for text in texts if text.lower() in _ABSENT))
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if name not in _OPERATORS:
        raise ConditionError(f"Invalid Condition type : {operator}.")
    asked = _OPERATORS[name]
    tests = tuple(asked.make(text, variables) for text in texts)
    return Condition(key.lower(), key, quantifier, asked.read, tests, asked.negated, if_exists)


def _texts(values: Any) -> list[str]:
    return [text for value in (values if isinstance(values, list) else [values]) for text in as_texts(value)]


def as_texts(value: Any) -> tuple[str, ...]:
    """A value, or several, as the texts that conditions compare; those of a collection are ``Several``."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, int | float):
        return (str(value),)
    if isinstance(value, datetime):
        return (value.isoformat(),)
    if isinstance(value, list | tuple | set | frozenset):
        return Several(text for item in value for text in as_texts(item))
    raise ConditionError(f"Invalid value in a condition: {value!r}")
