"""The ``Condition`` element of policies: operators, sets of values, and keys that are missing.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from clary.services.iam.patterns import ArnPattern, Context, Pattern

Test = Callable[[str, Context], bool]
"""Whether one value of the request fits one value of the policy."""


class ConditionError(ValueError):
    """A condition that policies cannot have."""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 date, or of epoch seconds."""
    number = _number(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "equals": lambda value, bound: value == bound,
    "lessthan": lambda value, bound: value < bound,
    "lessthanequals": lambda value, bound: value <= bound,
    "greaterthan": lambda value, bound: value > bound,
    "greaterthanequals": lambda value, bound: value >= bound,
}


def _string(fold: bool, like: bool) -> Callable[[str, bool], Test]:
    def make(text: str, variables: bool) -> Test:
        return Pattern(text, wildcards=like, variables=variables, fold=fold).matches

    return make


def _ordered(read: Callable[[str], float | None], name: str) -> Callable[[str, bool], Test]:
    compare = _COMPARE[name]

    def make(text: str, variables: bool) -> Test:
        bound = read(text)
        if bound is None:
            raise ConditionError(f"Invalid value in a condition: {text}")

        def test(value: str, context: Context) -> bool:
            number = read(value)
            return number is not None and compare(number, bound)

        return test

    return make


def _bool(text: str, variables: bool) -> Test:
    pattern = Pattern(text, wildcards=False, variables=variables, fold=True)
    return lambda value, context: pattern.matches(value, context)


def _binary(text: str, variables: bool) -> Test:
    return lambda value, context: value == text


def _address(text: str, variables: bool) -> Test:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConditionError(f"Invalid IP address in a condition: {text}") from error

    def test(value: str, context: Context) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _arn(text: str, variables: bool) -> Test:
    return ArnPattern(text, variables=variables).matches


_OPERATORS: dict[str, tuple[Callable[[str, bool], Test], bool]] = {
    "stringequals": (_string(fold=False, like=False), False),
    "stringnotequals": (_string(fold=False, like=False), True),
    "stringequalsignorecase": (_string(fold=True, like=False), False),
    "stringnotequalsignorecase": (_string(fold=True, like=False), True),
    "stringlike": (_string(fold=False, like=True), False),
    "stringnotlike": (_string(fold=False, like=True), True),
    "bool": (_bool, False),
    "binaryequals": (_binary, False),
    "ipaddress": (_address, False),
    "notipaddress": (_address, True),
    "arnequals": (_arn, False),
    "arnlike": (_arn, False),
    "arnnotequals": (_arn, True),
    "arnnotlike": (_arn, True),
}
for _kind, _read in (("numeric", _number), ("date", _moment)):
    for _name in _COMPARE:
        _OPERATORS[_kind + _name] = (_ordered(_read, _name), False)
    _OPERATORS[_kind + "notequals"] = (_ordered(_read, "equals"), True)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of the request against the values that one operator names."""

    key: str
    name: str
    """The key as the policy spells it."""
    quantifier: Literal["", "forallvalues", "foranyvalue"]
    tests: tuple[Test, ...]
    negated: bool
    if_exists: bool

    def holds(self, context: Context) -> bool:
        """Whether the request fulfils the condition."""
        values = context.get(self.key)
        if not values:
            # `ForAllValues` holds for nothing at all; a negated operator holds for a key that is not there.
            return self.if_exists or self.quantifier == "forallvalues" or (self.negated and not self.quantifier)
        if self.quantifier == "foranyvalue":
            return any(self._fits(value, context) for value in values)
        if self.quantifier == "forallvalues" or self.negated:
            return all(self._fits(value, context) for value in values)
        return any(self._fits(value, context) for value in values)

    def _fits(self, value: str, context: Context) -> bool:
        return any(test(value, context) for test in self.tests) != self.negated


@dataclass(frozen=True, slots=True)
class Presence:
    """The ``Null`` operator: whether a key must be absent."""

    key: str
    name: str
    absent: frozenset[bool]

    def holds(self, context: Context) -> bool:
        return (not context.get(self.key)) in self.absent


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
        return Presence(key.lower(), key, frozenset(text.lower() == "true" for text in texts))
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if name not in _OPERATORS:
        raise ConditionError(f"Invalid Condition type : {operator}.")
    make, negated = _OPERATORS[name]
    return Condition(key.lower(), key, quantifier, tuple(make(text, variables) for text in texts), negated, if_exists)


def _texts(values: Any) -> list[str]:
    return [text for value in (values if isinstance(values, list) else [values]) for text in as_texts(value)]


def as_texts(value: Any) -> tuple[str, ...]:
    """A value, or several, as the texts that conditions compare."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, int | float):
        return (str(value),)
    if isinstance(value, datetime):
        return (value.isoformat(),)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(text for item in value for text in as_texts(item))
    raise ConditionError(f"Invalid value in a condition: {value!r}")
