"""The ranges of hyperparameters, and the unit interval in which they are searched."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clary.core.errors import ValidationException
from clary.services.sagemaker.tuning.ranges import combinations, point_of, read_ranges, texts


def number(low: str, high: str, scaling: str | None = None, kind: str = "Continuous") -> dict[str, Any]:
    given = {"Name": "x", "MinValue": low, "MaxValue": high} | ({"ScalingType": scaling} if scaling else {})
    return {f"{kind}ParameterRanges": [given]}


def value_at(coordinate: float, given: dict[str, Any]) -> float:
    [only] = read_ranges(given)
    return float(only.text(coordinate))


@pytest.mark.parametrize(
    ("low", "high", "scaling", "middle"),
    [
        ("0", "10", "Linear", 5.0),
        ("-4", "4", "Auto", 0.0),
        ("0.0001", "1", "Logarithmic", 0.01),
        ("0.0001", "1", "Auto", 0.01),
        ("0.1", "1", "Auto", 0.55),
        ("0.9", "0.9999", "ReverseLogarithmic", 1 - math.sqrt(0.1 * 0.0001)),
    ],
)
def test_the_middle_of_a_range_is_that_of_its_scale(low: str, high: str, scaling: str, middle: float) -> None:
    given = number(low, high, scaling)
    assert value_at(0.5, given) == pytest.approx(middle)
    assert (value_at(0.0, given), value_at(1.0, given)) == pytest.approx((float(low), float(high)))
    assert float(low) <= value_at(1.0, given) <= float(high)


def test_every_integer_has_its_share() -> None:
    [only] = read_ranges(number("1", "4", "Linear", "Integer"))
    found = [only.text(step / 400) for step in range(400)]
    assert [found.count(str(value)) for value in (1, 2, 3, 4)] == pytest.approx([100] * 4, abs=1)
    assert only.text(1.0) == "4" and only.count == 4


@pytest.mark.parametrize("scaling", ["Linear", "Logarithmic"])
@pytest.mark.parametrize("kind", ["Integer", "Continuous"])
def test_a_value_is_found_again_where_it_came_from(kind: str, scaling: str) -> None:
    ranges = read_ranges(number("1", "500", scaling, kind))
    for step in range(101):
        text = texts(ranges, [step / 100])
        point = point_of(ranges, text)
        assert point is not None and texts(ranges, point) == text
        assert kind == "Integer" or point == pytest.approx([step / 100])


def test_categories_and_numbers_in_one_space() -> None:
    given = number("0", "1") | {"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b", "c"]}]}
    ranges = read_ranges(given)
    assert [each.categories for each in ranges] == [0, 3]
    assert texts(ranges, [0.25, 2]) == {"x": "0.25", "c": "c"}
    assert point_of(ranges, {"x": "0.25", "c": "b", "other": "1"}) == [0.25, 1]
    assert combinations(ranges) == math.inf and combinations(ranges[1:]) == 3


@pytest.mark.parametrize(
    "given", [{}, {"x": "0.5"}, {"x": "2", "c": "a"}, {"x": "0.5", "c": "d"}, {"x": "?", "c": "a"}]
)
def test_what_lies_outside_has_no_place(given: dict[str, str]) -> None:
    ranges = read_ranges(number("0", "1") | {"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}]})
    assert point_of(ranges, given) is None


REFUSED = [
    ("must be less than MaxValue", number("2", "1")),
    ("must be less than MaxValue", number("1", "1")),
    ("'one' is not a number", number("one", "2")),
    ("'1.5' is not an integer", number("1.5", "2", None, "Integer")),
    ("too large", number("0", "inf")),
    ("too large", number("nan", "1")),
    ("too large", number("0", "9" * 200, None, "Integer")),
    ("values greater than 0", number("0", "1", "Logarithmic")),
    ("within the range 0<=x<1.0", number("0", "1", "ReverseLogarithmic")),
    ("within the range 0<=x<1.0", number("-0.1", "0.5", "ReverseLogarithmic")),
    ("only for continuous", number("0", "5", "ReverseLogarithmic", "Integer")),
    ("unique names: x", number("0", "1") | number("0", "5", None, "Integer")),
    ("its values must be unique", {"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "a"]}]}),
    (
        "greater than the limit of 30",
        {"CategoricalParameterRanges": [{"Name": f"c{each}", "Values": ["a", "b"]} for each in range(31)]},
    ),
]


@pytest.mark.parametrize(("message", "given"), REFUSED)
def test_ranges_that_cannot_be(message: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationException, match=message):
        read_ranges(given)
