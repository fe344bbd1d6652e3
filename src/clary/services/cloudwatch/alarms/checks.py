"""What CloudWatch does not take as an alarm, beyond what the shapes of the requests say.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import NotAvailableYet
from clary.resources.context import Context
from clary.services.cloudwatch.alarms.judge import BREACHING, COMPARISONS, IGNORE, MISSING, NOT_BREACHING
from clary.services.cloudwatch.alarms.records import alarm
from clary.services.cloudwatch.alarms.rule import Rule, name_of
from clary.services.cloudwatch.errors import InvalidParameterCombination, InvalidParameterValue, ValidationError
from clary.services.cloudwatch.put import dimensions
from clary.services.cloudwatch.statistics import STANDARD, extended
from clary.state.transaction import Transaction

DAY = 86_400
WEEK = 7 * DAY
HOUR = 3_600
PERIODS = (10, 20, 30)
"""The periods below a minute."""
_LATER = {
    "EvaluationCriteria": "Alarms on PromQL queries",
    "EvaluationInterval": "Evaluation intervals of alarms",
    "ThresholdMetricId": "Alarms on anomaly detection models",
    "WarmUpConfiguration": "Warm-up periods of alarms",
}
_OF_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")


def check_metric_alarm(context: Context, params: Mapping[str, Any]) -> None:
    """Refuse what cannot be watched.

    Raises ``ValidationError``, ``InvalidParameterValue`` and ``InvalidParameterCombination``, and ``NotAvailableYet``
    for metric math, anomaly detection and other alarms that come later.
    """
    for member, what in _LATER.items():
        if member in params:
            raise NotAvailableYet(f"{what} ({member}) are not available in Clary yet.")
    if "WallClockWindow" in params.get("EvaluationWindow", {}):
        raise NotAvailableYet("Evaluation windows of the wall clock are not available in Clary yet; sliding ones are.")
    for member in ("ComparisonOperator", "EvaluationPeriods"):
        if member not in params:
            raise ValidationError(f"The parameter {member} is required.")
    if params["ComparisonOperator"] not in COMPARISONS:
        raise NotAvailableYet(
            f"Alarms on anomaly detection models ({params['ComparisonOperator']}) are not available in Clary yet."
        )
    if "Threshold" not in params:
        raise ValidationError("The parameter Threshold is required.")
    period = _check_queries(context, params) if "Metrics" in params else _check_metric(params)
    _check_range(period, params["EvaluationPeriods"])
    _check_missing(params)


def _check_metric(params: Mapping[str, Any]) -> int:
    for member in ("MetricName", "Namespace", "Period"):
        if member not in params:
            raise ValidationError(f"The parameter {member} is required.")
    if ("Statistic" in params) == ("ExtendedStatistic" in params):
        raise InvalidParameterCombination("Exactly one of Statistic and ExtendedStatistic must be specified.")
    dimensions("Dimensions", params)
    if "ExtendedStatistic" in params:
        _check_statistic(params["ExtendedStatistic"], "ExtendedStatistic")
    _check_period(params["Period"], "Period")
    return int(params["Period"])


def _check_queries(context: Context, params: Mapping[str, Any]) -> int:
    if given := [member for member in (*_OF_METRIC, "Dimensions") if member in params]:
        raise InvalidParameterCombination(f"The parameters Metrics and {given[0]} are mutually exclusive.")
    queries = params["Metrics"]
    for number, query in enumerate(queries, 1):
        if "Expression" in query:
            raise NotAvailableYet(
                "Alarms on expressions, metric math and SQL alike, are not available in Clary yet; "
                "alarms on a metric are."
            )
        if "MetricStat" not in query:
            raise ValidationError(f"Metrics.member.{number} must have a MetricStat or an Expression.")
        if query.get("AccountId", context.account) != context.account:
            raise NotAvailableYet("Alarms on metrics of other accounts are not available in Clary yet.")
    returned = [query for query in queries if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise ValidationError("Exactly one element of the metrics list should return data.")
    asked, path = returned[0]["MetricStat"], "Metrics.member.MetricStat"
    for member in ("Namespace", "MetricName"):
        if member not in asked["Metric"]:
            raise ValidationError(f"The parameter {path}.Metric.{member} is required.")
    dimensions(f"{path}.Metric.Dimensions", asked["Metric"])
    if asked["Stat"] not in STANDARD:
        _check_statistic(asked["Stat"], f"{path}.Stat")
    _check_period(asked["Period"], f"{path}.Period")
    return int(asked["Period"])


def _check_statistic(name: str, path: str) -> None:
    if extended(name) is None:
        raise InvalidParameterValue(f"The value {name[:64]} for parameter {path} is not supported.")


def _check_period(period: int, path: str) -> None:
    if period not in PERIODS and period % 60:
        listed = ", ".join(map(str, PERIODS))
        raise ValidationError(f"The parameter {path} must be one of {listed} or a multiple of 60.")


def _check_range(period: int, count: int) -> None:
    if period < HOUR and period * count > DAY:
        raise ValidationError(
            f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {DAY}) "
            f"for alarms using period < {HOUR}"
        )
    if period * count > WEEK:
        raise ValidationError(
            f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {WEEK}) "
            f"for alarms using period >= {HOUR}"
        )


def _check_missing(params: Mapping[str, Any]) -> None:
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    _check_one_of(params, "TreatMissingData", (BREACHING, NOT_BREACHING, IGNORE, MISSING))
    _check_one_of(params, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    if "EvaluateLowSampleCountPercentile" in params and "Statistic" in params:
        raise InvalidParameterCombination("EvaluateLowSampleCountPercentile is only allowed with ExtendedStatistic.")


def _check_one_of(params: Mapping[str, Any], member: str, allowed: tuple[str, ...]) -> None:
    if params.get(member, allowed[0]) not in allowed:
        listed = ", ".join(allowed)
        raise InvalidParameterValue(f"The value {params[member]} for parameter {member} must be one of {listed}.")


def check_composite_alarm(context: Context, transaction: Transaction, params: Mapping[str, Any], rule: Rule) -> None:
    """Refuse a rule about alarms that are not there, or a suppressor of actions that is not whole.

    Raises ``ValidationError`` and ``InvalidParameterCombination``.
    """

    def is_there(name: str) -> bool:
        return name == params["AlarmName"] or alarm(transaction, context.account, context.region, name) is not None

    missing = [name for name in rule.alarms if not is_there(name)]
    if missing:
        raise ValidationError(
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
        )
    given = [f"ActionsSuppressor{ending}" in params for ending in ("", "WaitPeriod", "ExtensionPeriod")]
    if any(given) and not all(given):
        raise InvalidParameterCombination(
            "ActionsSuppressor, ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must be specified "
            "together."
        )
    if "ActionsSuppressor" in params and not is_there(name_of(params["ActionsSuppressor"])):
        raise ValidationError(f"The alarm {params['ActionsSuppressor']} in ActionsSuppressor does not exist.")
