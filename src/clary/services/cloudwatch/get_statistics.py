"""``GetMetricStatistics``: the points of one metric.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context
from clary.services.cloudwatch.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter
from clary.services.cloudwatch.put import dimensions
from clary.services.cloudwatch.sources import Wanted, summed_up
from clary.services.cloudwatch.statistics import STANDARD, Statistic, extended
from clary.services.cloudwatch.times import check_period, first_second, last_second
from clary.state.series_points import Metric

MOST_POINTS = 1_440


def get_metric_statistics(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetMetricStatistics``: a point for each period in which there are values, and for each of their units.

    Raises ``InvalidParameterValue``, ``InvalidParameterCombination`` and ``MissingParameter``.
    """
    statistics = _statistics(params)
    period = params["Period"]
    check_period(period, "Period")
    start, end = params["StartTime"], params["EndTime"]
    if start == end:
        raise InvalidParameterValue("The parameter StartTime must not equal parameter EndTime.")
    if start > end:
        raise InvalidParameterCombination("The parameter StartTime must be less than the parameter EndTime.")
    asked = -(-int((end - start).total_seconds()) // period)
    if asked > MOST_POINTS:
        raise InvalidParameterCombination(
            f"You have requested up to {asked} datapoints, which exceeds the limit of {MOST_POINTS}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
    wanted = Wanted(
        metric=Metric(params["Namespace"], params["MetricName"], dimensions("Dimensions", params)),
        start=first_second(start, period, context.platform.clock()),
        end=last_second(end, period),
        period=period,
        unit=params.get("Unit"),
        percentiles=any(statistic.needs_values for statistic in statistics),
    )
    with context.platform.database.read() as transaction:
        sums = summed_up(context, transaction, wanted)
    points: list[dict[str, Any]] = []
    for (time, unit), summary in sums.items():
        values = {statistic.name: statistic.of(summary) for statistic in statistics}
        told = {name: value for name, value in values.items() if value is not None}
        if not told:
            continue
        point: dict[str, Any] = {"ExtendedStatistics": told} if "ExtendedStatistics" in params else {**told}
        points.append({"Timestamp": time, **point, "Unit": unit})
    return {"Label": wanted.metric.name, "Datapoints": points}


def _statistics(params: dict[str, Any]) -> list[Statistic]:
    plain, named = params.get("Statistics"), params.get("ExtendedStatistics")
    if plain and named:
        raise InvalidParameterCombination(
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both."
        )
    if plain:
        return [STANDARD[name] for name in plain]
    if not named:
        raise MissingParameter("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
    found = []
    for number, name in enumerate(named, 1):
        statistic = extended(name)
        if statistic is None:
            raise InvalidParameterValue(
                f"The value {name[:64]} for parameter ExtendedStatistics.member.{number} is not supported."
            )
        found.append(statistic)
    return found
