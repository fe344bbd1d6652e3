"""The ranges of tuned hyperparameters, and how a search that knows the unit interval alone moves in them.

A search sees a point: a number from 0 to 1 for each integer and continuous hyperparameter, on the scale on which its
range is searched, and the number of a value for each categorical one.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ParameterRanges.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.core.errors import ValidationException

Point = list[float]
"""One coordinate for each range, in their order."""
AUTO_SPAN = 100.0
"""With the scaling type ``Auto`` a positive range is searched on a logarithmic scale if its ends are so many times
apart: two orders of magnitude."""
MOST_RANGES = 30
_LARGEST = 2.0**53
"""Up to here each whole number has a floating-point number of its own."""
_SLACK = 1e-9
_DIGITS = 9


class Range(ABC):
    """What one hyperparameter may be."""

    name: str

    @property
    def categories(self) -> int:
        """How many values there are, of which none lies between two others; 0 for numbers."""
        return 0

    @property
    @abstractmethod
    def count(self) -> float:
        """How many different values there are; infinite for continuous ones."""

    @abstractmethod
    def text(self, coordinate: float) -> str:
        """The value at a coordinate, as hyperparameters are written."""

    @abstractmethod
    def coordinate(self, text: str) -> float | None:
        """Where a value lies; None if that is outside of the range, or no value of this kind."""


@dataclass(frozen=True)
class NumberRange(Range):
    """The numbers from ``low`` to ``high``; ``scaling`` is never ``Auto``."""

    name: str
    low: float
    high: float
    scaling: str
    whole: bool

    @property
    def count(self) -> float:
        return self.high - self.low + 1 if self.whole else math.inf

    def text(self, coordinate: float) -> str:
        if self.whole:
            # Every number has the same share of the interval, the two at the ends too.
            low, high = self._scaled(self.low - 0.5), self._scaled(self.high + 0.5)
            value = self._unscaled(low + coordinate * (high - low))
            return str(int(min(self.high, max(self.low, round(value)))))
        low, high = self._scaled(self.low), self._scaled(self.high)
        return repr(min(self.high, max(self.low, self._unscaled(low + coordinate * (high - low)))))

    def coordinate(self, text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        slack = _SLACK * max(abs(self.low), abs(self.high))
        if not self.low - slack <= value <= self.high + slack:
            return None
        margin = 0.5 if self.whole else 0.0
        low, high = self._scaled(self.low - margin), self._scaled(self.high + margin)
        # An end of the range is to be found again at the end of the interval, whatever the logarithm has made of it.
        return round(min(1.0, max(0.0, (self._scaled(value) - low) / (high - low))), _DIGITS)

    def _scaled(self, value: float) -> float:
        if self.scaling == "Logarithmic":
            return math.log(value)
        if self.scaling == "ReverseLogarithmic":
            return -math.log(1.0 - value)
        return value

    def _unscaled(self, value: float) -> float:
        if self.scaling == "Logarithmic":
            return math.exp(value)
        if self.scaling == "ReverseLogarithmic":
            return 1.0 - math.exp(-value)
        return value


@dataclass(frozen=True)
class CategoricalRange(Range):
    """One of several texts."""

    name: str
    values: tuple[str, ...]

    @property
    def categories(self) -> int:
        return len(self.values)

    @property
    def count(self) -> float:
        return len(self.values)

    def text(self, coordinate: float) -> str:
        return self.values[int(coordinate)]

    def coordinate(self, text: str) -> float | None:
        return self.values.index(text) if text in self.values else None


def read_ranges(given: Mapping[str, Any]) -> list[Range]:
    """The ranges of a ``ParameterRanges``: integers, continuous ones and categories, each in their order.

    The scaling type ``Auto`` is written into those that have none. Raises ``ValidationException``.
    """
    ranges: list[Range] = [_number(each, whole=True) for each in given.get("IntegerParameterRanges", ())]
    ranges += [_number(each, whole=False) for each in given.get("ContinuousParameterRanges", ())]
    ranges += [_categories(each) for each in given.get("CategoricalParameterRanges", ())]
    names = [each.name for each in ranges]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValidationException(f"Hyperparameter ranges must have unique names: {', '.join(repeated)}")
    if len(ranges) > MOST_RANGES:
        raise ValidationException(
            f"The number of hyperparameter ranges, {len(ranges)}, is greater than the limit of {MOST_RANGES}."
        )
    return ranges


def combinations(ranges: Sequence[Range]) -> float:
    """How many different combinations of values there are."""
    return math.prod(each.count for each in ranges)


def texts(ranges: Sequence[Range], point: Sequence[float]) -> dict[str, str]:
    """The hyperparameters at a point."""
    return {each.name: each.text(coordinate) for each, coordinate in zip(ranges, point, strict=True)}


def point_of(ranges: Sequence[Range], hyperparameters: Mapping[str, str]) -> Point | None:
    """Where hyperparameters lie; None if one of them is not given, or not in its range."""
    point = []
    for each in ranges:
        coordinate = each.coordinate(hyperparameters[each.name]) if each.name in hyperparameters else None
        if coordinate is None:
            return None
        point.append(coordinate)
    return point


def _number(given: dict[str, Any], *, whole: bool) -> NumberRange:
    name = given["Name"]
    low, high = (_read(name, given[member], whole) for member in ("MinValue", "MaxValue"))
    if low >= high:
        raise ValidationException(
            f"The range of the hyperparameter {name} is invalid: MinValue {given['MinValue']} must be less than "
            f"MaxValue {given['MaxValue']}."
        )
    scaling = given.setdefault("ScalingType", "Auto")
    if scaling == "Logarithmic" and low <= 0:
        raise ValidationException(
            f"The range of the hyperparameter {name} is invalid: Logarithmic scaling works only for ranges that have "
            f"values greater than 0, and MinValue is {given['MinValue']}."
        )
    if scaling == "ReverseLogarithmic" and (whole or low < 0 or high >= 1):
        raise ValidationException(
            f"The range of the hyperparameter {name} is invalid: ReverseLogarithmic scaling works only for continuous "
            "ranges that are entirely within the range 0<=x<1.0."
        )
    if scaling == "Auto":
        scaling = "Logarithmic" if low > 0 and high / low >= AUTO_SPAN else "Linear"
    return NumberRange(name, low, high, scaling, whole)


def _read(name: str, text: str, whole: bool) -> float:
    kind = "an integer" if whole else "a number"
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise ValidationException(
            f"The range of the hyperparameter {name} is invalid: {text!r} is not {kind}."
        ) from None
    if not abs(value) <= _LARGEST:
        raise ValidationException(f"The range of the hyperparameter {name} is invalid: {text} is too large.")
    return value


def _categories(given: Mapping[str, Any]) -> CategoricalRange:
    values = given["Values"]
    if repeated := sorted({value for value in values if values.count(value) > 1}):
        raise ValidationException(
            f"The range of the hyperparameter {given['Name']} is invalid: its values must be unique, and "
            f"{', '.join(repeated)} is there twice."
        )
    return CategoricalRange(given["Name"], tuple(values))
