"""``PutMetricData``: values of metrics, one by one, counted, or summed up.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context
from clary.services.cloudwatch.api import keep
from clary.services.cloudwatch.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter
from clary.state.series_points import Metric, Point, Summary

MOST_METRICS = 1_000
MOST_VALUES = 150
LARGEST = 2.0**360
OLDEST_SECONDS = 14 * 86_400.0
NEWEST_SECONDS = 2 * 3_600.0
"""How far from now a value's time may lie in the past and in the future."""
_RESERVED = "AWS/"
_KINDS = ("Value", "StatisticValues", "Values")


def put_metric_data(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutMetricData``: keep all values, or none if one of them is not valid.

    Raises ``InvalidParameterValue``, ``InvalidParameterCombination`` and ``MissingParameter``.
    """
    namespace = params["Namespace"]
    if namespace.startswith(_RESERVED):
        raise InvalidParameterValue(f"The value {_RESERVED} for parameter Namespace is invalid.")
    # What entities say about their values, beside the dimensions, is not kept.
    entities = enumerate(params.get("EntityMetricData", []), 1)
    holders = {"": params, **{f"EntityMetricData.member.{number}.": entity for number, entity in entities}}
    given = [
        (f"{prefix}MetricData.member.{number}", datum)
        for prefix, holder in holders.items()
        for number, datum in enumerate(holder.get("MetricData", []), 1)
    ]
    if not given:
        raise MissingParameter("The parameter MetricData is required.")
    if len(given) > MOST_METRICS:
        raise InvalidParameterValue(f"The collection MetricData must not have a size greater than {MOST_METRICS}.")
    now = context.platform.clock()
    points = [_point(path, namespace, datum, now) for path, datum in given]
    keep(context.platform.database, now, [(context.account, context.region, points)])
    return {}


def _point(path: str, namespace: str, datum: Mapping[str, Any], now: float) -> Point:
    time = datum["Timestamp"].timestamp() if "Timestamp" in datum else now
    if time < now - OLDEST_SECONDS:
        raise InvalidParameterValue(f"The parameter {path}.Timestamp must specify a time within the past two weeks.")
    if time > now + NEWEST_SECONDS:
        raise InvalidParameterValue(
            f"The parameter {path}.Timestamp must specify a time no more than two hours in the future."
        )
    span = datum.get("StorageResolution", 60)
    if span not in (1, 60):
        raise InvalidParameterValue(f"The parameter {path}.StorageResolution must be a value in the set [ 1, 60 ].")
    metric = Metric(namespace, datum["MetricName"], dimensions(f"{path}.Dimensions", datum))
    return Point(metric, datum.get("Unit", "None"), span, int(time), _summary(path, datum))


def dimensions(path: str, given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The dimensions that a request gives, in the order of their names. Raises ``InvalidParameterValue``."""
    pairs: dict[str, str] = {}
    for number, each in enumerate(given.get("Dimensions", []), 1):
        name, value = each["Name"], each["Value"]
        for member, text in (("Name", name), ("Value", value)):
            if not text.isascii() or not text.isprintable() or not text.strip():
                raise InvalidParameterValue(
                    f"The value {text[:255]} for parameter {path}.member.{number}.{member} is invalid."
                )
        if name.startswith(":"):
            raise InvalidParameterValue(f"The value {name} for parameter {path}.member.{number}.Name is invalid.")
        if name in pairs:
            raise InvalidParameterValue(f"The collection {path} must not have two dimensions named {name}.")
        pairs[name] = value
    return tuple(sorted(pairs.items()))


def _summary(path: str, datum: Mapping[str, Any]) -> Summary:
    kinds = [kind for kind in _KINDS if kind in datum]
    if not kinds:
        raise MissingParameter(
            f"At least one of the parameters {path}.Value, {path}.Values or {path}.StatisticValues must be specified."
        )
    if len(kinds) > 1:
        raise InvalidParameterCombination(
            f"The parameters {path}.{kinds[0]} and {path}.{kinds[1]} are mutually exclusive and you have "
            "specified both."
        )
    if kinds[0] == "Value":
        summary = Summary()
        summary.add(_number(f"{path}.Value", datum["Value"]))
        return summary
    if kinds[0] == "StatisticValues":
        return _told(f"{path}.StatisticValues", datum["StatisticValues"])
    return _counted(path, datum["Values"], datum.get("Counts"))


def _counted(path: str, values: list[float], counts: list[float] | None) -> Summary:
    for member, given in (("Values", values), ("Counts", counts or ())):
        if len(given) > MOST_VALUES:
            raise InvalidParameterValue(
                f"The collection {path}.{member} must not have a size greater than {MOST_VALUES}."
            )
    if not values:
        raise MissingParameter(f"The parameter {path}.Values is required.")
    if counts is not None and len(counts) != len(values):
        raise InvalidParameterValue(f"The parameters {path}.Values and {path}.Counts must be of the same size.")
    summary = Summary()
    for number, value in enumerate(values):
        count = 1.0 if counts is None else _number(f"{path}.Counts.member.{number + 1}", counts[number])
        if count <= 0:
            raise InvalidParameterValue(
                f"The value {count:g} for parameter {path}.Counts.member.{number + 1} is invalid."
            )
        # Whole numbers are kept in fewer bytes.
        count = int(count) if count == int(count) else count
        summary.add(_number(f"{path}.Values.member.{number + 1}", value), count)
    return summary


def _told(path: str, given: Mapping[str, float]) -> Summary:
    """Statistics of values that are not told themselves."""
    count, total, least, most = (
        _number(f"{path}.{member}", given[member]) for member in ("SampleCount", "Sum", "Minimum", "Maximum")
    )
    if count <= 0:
        raise InvalidParameterValue(f"The value {count:g} for parameter {path}.SampleCount is invalid.")
    if least > most:
        raise InvalidParameterValue(f"The parameter {path}.Maximum must be greater than or equal to {path}.Minimum.")
    return Summary.of(count, total, least, most)


def _number(path: str, value: float) -> float:
    if not math.isfinite(value) or abs(value) > LARGEST:
        shown = "NaN" if math.isnan(value) else f"{value:g}".replace("inf", "Infinity")
        raise InvalidParameterValue(f"The value {shown} for parameter {path} is invalid.")
    return float(value)
