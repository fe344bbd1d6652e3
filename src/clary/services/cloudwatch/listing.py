"""``ListMetrics``: which metrics there are.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from clary.resources.context import Context
from clary.services.cloudwatch.errors import InvalidParameterValue
from clary.services.cloudwatch.sources import TRAINING_JOB, TRAINING_JOB_KIND, TRAINING_JOBS, last_values
from clary.services.cloudwatch.tokens import read_place, write_place
from clary.state.records import Key, Query, Record
from clary.state.series import MetricQuery
from clary.state.series_points import Metric
from clary.state.transaction import Transaction

PAGE = 500
_LISTED_SECONDS = 14 * 86_400.0
"""A metric is listed for so long after its last value."""
_RECENT_SECONDS = 3 * 3_600.0
_JOBS_AT_ONCE = 200


def list_metrics(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListMetrics``: metrics that have had values in the last two weeks, 500 at a time.

    First those that were put, by namespace and name, then those of training jobs, the newest job first. Raises
    ``InvalidParameterValue``.
    """
    if params.get("OwningAccount", context.account) != context.account:
        return {"Metrics": []}
    seconds = _RECENT_SECONDS if "RecentlyActive" in params else _LISTED_SECONDS
    since = context.platform.clock() - seconds
    place = _place(params.get("NextToken"))
    wanted = {each["Name"]: each.get("Value") for each in params.get("Dimensions", [])}
    with context.platform.database.read() as transaction:
        metrics: list[Metric] = []
        if place is None or len(place) == 3:
            query = MetricQuery(
                context.account,
                context.region,
                params.get("Namespace"),
                params.get("MetricName"),
                tuple(wanted.items()),
                since,
                (place[0], place[1], place[2]) if place is not None else None,
                PAGE,
            )
            found = transaction.series.find(query)
            metrics = [metric for _, metric in found]
            if len(found) == PAGE:
                row, last = found[-1]
                return _answer(context, params, metrics, [last.namespace, last.name, row])
            place = None
        after = None
        if params.get("Namespace", TRAINING_JOBS) == TRAINING_JOBS and wanted.keys() <= {TRAINING_JOB}:
            of_jobs, after = _of_jobs(context, transaction, params, wanted, since, place, PAGE - len(metrics))
            metrics += of_jobs
    return _answer(context, params, metrics, after)


def _answer(
    context: Context, params: Mapping[str, Any], metrics: list[Metric], after: list[Any] | None
) -> dict[str, Any]:
    # The values of a job may have been put under its name, too.
    shown = [
        {
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
        }
        for metric in dict.fromkeys(metrics)
    ]
    answer: dict[str, Any] = {"Metrics": shown}
    if params.get("IncludeLinkedAccounts"):
        answer["OwningAccounts"] = [context.account] * len(shown)
    if after is not None:
        answer["NextToken"] = write_place(after)
    return answer


def _place(token: str | None) -> list[Any] | None:
    """Behind which metric a page begins (three parts) or behind which job (two)."""
    if not token:
        return None
    try:
        return read_place(token, (str, str, int), InvalidParameterValue)
    except InvalidParameterValue:
        return read_place(token, ((int, float), int), InvalidParameterValue)


def _of_jobs(
    context: Context,
    transaction: Transaction,
    params: Mapping[str, Any],
    wanted: Mapping[str, str | None],
    since: float,
    place: list[Any] | None,
    room: int,
) -> tuple[list[Metric], list[Any] | None]:
    """The metrics of training jobs that ended after ``since``, and the place where there are more."""
    found: list[Metric] = []
    last: Record | None = None
    for job in _jobs(context, transaction, wanted.get(TRAINING_JOB), since, place):
        names = {metric["MetricName"] for metric in last_values(context, job)}
        metrics = [
            Metric(TRAINING_JOBS, name, ((TRAINING_JOB, job.name),))
            for name in sorted(names)
            if params.get("MetricName", name) == name
        ]
        if last is not None and len(found) + len(metrics) > room:
            return found, [last.modified, last.id]
        found += metrics
        last = job
    return found, None


def _jobs(
    context: Context, transaction: Transaction, name: str | None, since: float, place: list[Any] | None
) -> Iterator[Record]:
    """The training jobs that changed after ``since``, the last to change first, from behind ``place``."""
    if name is not None:
        job = transaction.get(Key(context.account, context.region, *TRAINING_JOB_KIND, name))
        if job is not None and job.modified >= since and place is None:
            yield job
        return
    query = replace(
        Query(context.account, context.region, TRAINING_JOB_KIND[0], TRAINING_JOB_KIND[1]),
        sort_by="@modified",
        descending=True,
        limit=_JOBS_AT_ONCE,
        after=(place[0], place[1]) if place is not None else None,
    ).where("@modified", since, "from")
    while jobs := transaction.find(query):
        yield from jobs
        query = replace(query, after=(jobs[-1].modified, jobs[-1].id))
