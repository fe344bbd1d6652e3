"""One filter of a search as a condition: what each operator means for each kind of value.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Filter.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from clary.core.errors import ValidationException
from clary.services.sagemaker.search.properties import Kind, Property, reach
from clary.state.search.clauses import AnyOf, Clause, Containing, Is, Not, OneOf, Path, Present, Some, Within

_ORDERED = ("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
_TEXTUAL = ("Contains", "In")
_OPERATORS: dict[Kind, tuple[str, ...]] = {
    "text": ("Equals", *_TEXTUAL),
    "numeral": ("Equals", *_TEXTUAL, *_ORDERED),
    "number": ("Equals", *_ORDERED),
    "time": ("Equals", *_ORDERED),
    "flag": ("Equals",),
}
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def condition(property_: Property, operator: str, value: str | None) -> Clause:
    """What a filter asks of a resource.

    Raises ``ValidationException`` for an operator that the property does not have, and for a value that is missing or
    that cannot be one of the property's.
    """
    if operator in ("Exists", "NotExists"):
        if value is not None:
            raise ValidationException(f"The operator {operator} of the filter for {property_.name} takes no value.")
        exists = _exists(property_)
        return exists if operator == "Exists" else Not(exists)
    if value is None:
        raise ValidationException(f"The operator {operator} of the filter for {property_.name} requires a value.")
    if operator == "NotEquals":
        return Not(_compared(property_, "Equals", value))
    return _compared(property_, operator, value)


def _exists(property_: Property) -> Clause:
    leaves = [leaf.steps for leaf in property_.leaves] or [property_.steps]
    return AnyOf(tuple(reach(steps, Present) for steps in leaves))


def _compared(property_: Property, operator: str, value: str) -> Clause:
    if not property_.leaves:
        return _container(property_, operator, value)
    fitting = [leaf for leaf in property_.leaves if operator in _OPERATORS[leaf.kind]]
    if not fitting:
        raise _wrong_operator(property_, operator)
    made = [reach(leaf.steps, test) for leaf in fitting if (test := _test(leaf.kind, operator, value)) is not None]
    if not made:
        raise _wrong_value(property_, fitting[0].kind, value)
    return AnyOf(tuple(made)) if len(made) > 1 else made[0]


def _container(property_: Property, operator: str, value: str) -> Clause:
    """Of tags and artifacts one may ask whether any contains a text."""
    shape = property_.shape
    element = {"list": "member", "map": "value"}.get(shape.type_name)
    inner = getattr(shape, element) if element is not None else None
    if operator != "Contains" or inner is None or inner.type_name != "structure" or "Value" not in inner.members:
        raise _wrong_operator(property_, operator)
    texts = [member for member in ("Key", "Value") if member in inner.members]
    part = AnyOf(tuple(Containing((member,), value) for member in texts))
    return reach(property_.steps, lambda path: Some(path, part, of_map=shape.type_name == "map"))


def _test(kind: Kind, operator: str, value: str) -> Callable[[Path], Clause] | None:
    """What an operator asks of a value; ``None`` if nothing can be compared with ``value`` so."""
    if kind in ("text", "numeral") and operator in ("Equals", *_TEXTUAL):
        return _text_test(kind, operator, value)
    if kind == "flag":
        wanted = {"true": True, "false": False}.get(value.lower())
        return None if wanted is None else lambda path: Is(path, wanted)
    if kind == "time":
        return _time_test(operator, value)
    number = _number(value)
    if number is None:
        return None
    numeral = kind == "numeral"
    low, high = _ends(number, whole=numeral)
    return lambda path: _range(path, operator, low, high, numeral=numeral)


def _text_test(kind: Kind, operator: str, value: str) -> Callable[[Path], Clause]:
    if operator == "Contains":
        return lambda path: Containing(path, value)
    if operator == "In":
        return lambda path: OneOf(path, tuple(part.strip() for part in value.split(",")))
    number = _number(value) if kind == "numeral" else None
    if number is None:
        return lambda path: OneOf(path, _same(path, value))
    low, high = _ends(number, whole=True)
    return lambda path: AnyOf((OneOf(path, (value,)), _range(path, "Equals", low, high, numeral=True)))


def _same(path: Path, value: str) -> tuple[str, ...]:
    """What equals ``value``: the SDK asks for several ARNs at once, with commas, which no ARN has."""
    return tuple(value.split(",")) if path and path[-1].endswith("Arn") else (value,)


_Bound = tuple[float, bool]
"""The end of a range, and whether it belongs to it."""


def _ends(number: int | float, *, whole: bool) -> tuple[_Bound, _Bound]:
    """The range of what counts as ``number``.

    That is ``number`` alone or, if it is an integer and ``whole``, all decimals that are it without their places after
    the point: as integers is how hyperparameters are compared with an integer.
    """
    if isinstance(number, float) or not whole:
        return (float(number), True), (float(number), True)
    low = (float(number), True) if number > 0 else (float(number - 1), False)
    high = (float(number), True) if number < 0 else (float(number + 1), False)
    return low, high


def _range(path: Path, operator: str, low: _Bound, high: _Bound, *, numeral: bool = False) -> Within:
    """What stands in a relation to the values between ``low`` and ``high``, which count as one."""
    match operator:
        case "Equals":
            return Within(path, low[0], high[0], low[1], high[1], numeral)
        case "GreaterThan":
            return Within(path, low=high[0], with_low=not high[1], numeral=numeral)
        case "GreaterThanOrEqualTo":
            return Within(path, low=low[0], with_low=low[1], numeral=numeral)
        case "LessThan":
            return Within(path, high=low[0], with_high=not low[1], numeral=numeral)
        case _:
            return Within(path, high=high[0], with_high=high[1], numeral=numeral)


def _time_test(operator: str, value: str) -> Callable[[Path], Clause] | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if operator == "Equals" and not moment.microsecond:
        # The documented format ends with seconds, and times are finer than that.
        return lambda path: Within(path, seconds, seconds + 1, with_high=False)
    return lambda path: _range(path, operator, (seconds, True), (seconds, True))


def _number(value: str) -> int | float | None:
    if not _NUMBER.fullmatch(value) or not math.isfinite(number := float(value)):
        return None
    # Beyond that a float has no places after the point.
    return int(value) if value.lstrip("+-").isdecimal() and abs(number) < 1 << 53 else number


def _wrong_operator(property_: Property, operator: str) -> ValidationException:
    kinds = " or ".join(_WORDS[leaf.kind] for leaf in property_.leaves) or f"a {property_.shape.type_name}"
    return ValidationException(f"The operator {operator} is not supported for {property_.name}, which is {kinds}.")


def _wrong_value(property_: Property, kind: Kind, value: str) -> ValidationException:
    return ValidationException(
        f"The value '{value}' of the filter for {property_.name} is not valid: it must be {_WORDS[kind]}."
    )


_WORDS: dict[Kind, str] = {
    "text": "text",
    "number": "an integer or a decimal",
    "numeral": "an integer or a decimal",
    "time": "a time in the ISO 8601 format YYYY-mm-dd'T'HH:MM:SS",
    "flag": "true or false",
}
