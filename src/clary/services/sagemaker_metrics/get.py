"""``BatchGetMetrics``: metrics over time or over steps.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchGetMetrics.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context
from clary.state.metrics import SeriesQuery
from clary.state.transaction import Transaction

MOST_POINTS = 10_000
"""How many points the answer to one query has; what is behind them is cut off."""
_SPANS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3_600, "IterationNumber": None}
_MILLISECONDS = 1_000


def batch_get_metrics(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchGetMetrics``: for each query the points of a metric of a trial component or of a training job.

    Times are milliseconds since the epoch, in queries as in answers.
    """
    with context.platform.database.read() as transaction:
        return {"MetricQueryResults": [_answer(context, transaction, query) for query in params["MetricQueries"]]}


def _answer(context: Context, transaction: Transaction, query: Mapping[str, Any]) -> dict[str, Any]:
    by_step = query["XAxisType"] == "IterationNumber"
    if by_step != (query["Period"] == "IterationNumber"):
        return _refusal(f"The period {query['Period']} does not fit the x-axis type {query['XAxisType']}.")
    record = transaction.by_arn(query["ResourceArn"])
    if record is None or record.key.account != context.account:
        return _refusal(f"The resource {query['ResourceArn']} does not exist.")
    unit = 1 if by_step else _MILLISECONDS
    start, end = query.get("Start"), query.get("End")
    points = transaction.metrics.series(
        SeriesQuery(
            resource=record.id,
            name=query["MetricName"],
            statistic=query["MetricStat"],
            span=_SPANS[query["Period"]],
            start=None if start is None else start / unit,
            end=None if end is None else end / unit,
            limit=MOST_POINTS + 1,
        )
    )
    shown = points[:MOST_POINTS]
    return {
        "Status": "Complete" if len(points) <= MOST_POINTS else "Truncated",
        "XAxisValues": [place * unit for place, _ in shown],
        "MetricValues": [value for _, value in shown],
    }


def _refusal(message: str) -> dict[str, Any]:
    return {"Status": "ValidationError", "Message": message, "XAxisValues": [], "MetricValues": []}
