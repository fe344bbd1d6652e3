"""``GetMetricData``: the points of many metrics, page by page.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.core.errors import NotAvailableYet
from clary.resources.context import Context
from clary.services.cloudwatch.errors import ValidationError
from clary.services.cloudwatch.labels import Labels
from clary.services.cloudwatch.put import dimensions
from clary.services.cloudwatch.sources import Wanted, merged
from clary.services.cloudwatch.statistics import STANDARD, Statistic, extended
from clary.services.cloudwatch.times import check_period, first_second, last_second
from clary.services.cloudwatch.tokens import read_place, write_place
from clary.state.series_points import Metric
from clary.state.transaction import Transaction

MOST_QUERIES = 500
MOST_POINTS = 100_800
"""How many points a page has, of all queries together."""
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


class Query(NamedTuple):
    """One query for a metric, checked."""

    id: str
    label: str | None
    wanted: Wanted
    statistic: Statistic


class _Answer(NamedTuple):
    times: list[int]
    values: list[float]


def get_metric_data(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetMetricData``: for each query that shall be answered the times and values of its points.

    Raises ``ValidationError``, ``InvalidNextToken``, and ``NotAvailableYet`` for metric math.
    """
    most = params.get("MaxDatapoints", MOST_POINTS)
    if not 1 <= most <= MOST_POINTS:
        raise ValidationError(f"The value {most} for parameter MaxDatapoints must be between 1 and {MOST_POINTS}.")
    labels = Labels(context, params.get("LabelOptions", {}).get("Timezone"))
    queries = _queries(context, params)
    begin, after = _place(params.get("NextToken"), len(queries))
    descending = params.get("ScanBy") != "TimestampAscending"
    results: list[dict[str, Any]] = []
    with context.platform.database.read() as transaction:
        for index in range(begin, len(queries)):
            query = queries[index]
            whole = _points(context, transaction, query, descending)
            given = _behind(whole, after, descending)
            after = None
            shown = _Answer(given.times[:most], given.values[:most])
            most -= len(shown.times)
            complete = len(shown.times) == len(given.times)
            # The label is about all points, on whatever page they are.
            label = labels.written(query.label, query.wanted, query.statistic.name, whole.times, whole.values)
            if shown.times or complete:
                result = {"Id": query.id, "Label": label, "Timestamps": shown.times, "Values": shown.values}
                results.append({**result, "StatusCode": "Complete" if complete else "PartialData"})
            if not complete:
                last = shown.times[-1] if shown.times else None
                return {"MetricDataResults": results, "Messages": [], "NextToken": write_place([index, last])}
    return {"MetricDataResults": results, "Messages": []}


def _points(context: Context, transaction: Transaction, query: Query, descending: bool) -> _Answer:
    summaries = merged(context, transaction, query.wanted)
    found = [(time, value) for time, summary in summaries.items() if (value := query.statistic.of(summary)) is not None]
    if descending:
        found.reverse()
    return _Answer([time for time, _ in found], [value for _, value in found])


def _behind(answer: _Answer, after: int | None, descending: bool) -> _Answer:
    """What comes after the last point of the page before; points that were added meanwhile do not move it."""
    if after is None:
        return answer
    first = next(
        (place for place, time in enumerate(answer.times) if (time < after if descending else time > after)),
        len(answer.times),
    )
    return _Answer(answer.times[first:], answer.values[first:])


def _place(token: str | None, count: int) -> tuple[int, int | None]:
    if not token:
        return 0, None
    index, after = read_place(token, (int, (int, type(None))))
    return min(max(int(index), 0), count), after


def _queries(context: Context, params: Mapping[str, Any]) -> list[Query]:
    given = params["MetricDataQueries"]
    start, end = params["StartTime"], params["EndTime"]
    if not given:
        raise ValidationError("The parameter MetricDataQueries is required.")
    if len(given) > MOST_QUERIES:
        raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    if start == end:
        raise ValidationError("The parameter StartTime must not equal parameter EndTime.")
    if start > end:
        raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
    if len({each["Id"] for each in given}) < len(given):
        raise ValidationError("The values for parameter Id in MetricDataQueries are not unique.")
    queries = []
    for number, each in enumerate(given, 1):
        path = f"MetricDataQueries.member.{number}"
        if not _ID.fullmatch(each["Id"]):
            raise ValidationError(
                f"The value {each['Id']} for parameter {path}.Id is not matching the expected pattern ^{_ID.pattern}$."
            )
        if "Expression" in each and "MetricStat" in each:
            raise ValidationError(
                f"The parameters {path}.Expression and {path}.MetricStat are mutually exclusive and you have "
                "specified both."
            )
        if "Expression" in each:
            raise NotAvailableYet(
                "Expressions in GetMetricData, metric math and SQL alike, are not available in Clary yet; "
                "queries with MetricStat are."
            )
        query = _query(context, each, path, params)
        if each.get("ReturnData", True):
            queries.append(query)
    if not queries:
        raise ValidationError("At least one of the queries in MetricDataQueries must return data.")
    return queries


def _query(context: Context, given: Mapping[str, Any], path: str, params: Mapping[str, Any]) -> Query:
    asked = given.get("MetricStat")
    if asked is None:
        raise ValidationError(
            f"At least one of the parameters {path}.Expression and {path}.MetricStat must be specified."
        )
    if given.get("AccountId", context.account) != context.account:
        raise NotAvailableYet("Metrics of other accounts are not available in Clary yet.")
    path += ".MetricStat"
    for member in ("Namespace", "MetricName"):
        if member not in asked["Metric"]:
            raise ValidationError(f"The parameter {path}.Metric.{member} is required.")
    period = asked["Period"]
    check_period(period, f"{path}.Period", ValidationError)
    statistic = STANDARD.get(asked["Stat"]) or extended(asked["Stat"])
    if statistic is None:
        raise ValidationError(f"The value {asked['Stat'][:64]} for parameter {path}.Stat is not supported.")
    metric = asked["Metric"]
    wanted = Wanted(
        metric=Metric(metric["Namespace"], metric["MetricName"], dimensions(f"{path}.Metric.Dimensions", metric)),
        start=first_second(params["StartTime"], period, context.platform.clock()),
        end=last_second(params["EndTime"], period),
        period=period,
        unit=asked.get("Unit"),
        percentiles=statistic.needs_values,
    )
    return Query(given["Id"], given.get("Label"), wanted, statistic)
