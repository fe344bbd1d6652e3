"""Target tracking: which metric a policy tracks, and the alarms that watch it.

Reference: https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.services.application_autoscaling.variants import INSTANCES, variant_of
from clary.state.records import Record

HIGH, LOW = "AlarmHigh", "AlarmLow"
HIGH_SECONDS, LOW_SECONDS = 180, 900
"""For how long a metric is above its target before it is scaled out, and below before it is scaled in; three points and
fifteen of a minute each."""
LOW_SHARE = 0.9
"""Below this share of the target it is scaled in."""
COOLDOWN_SECONDS = 300
"""What a cooldown is where a policy names none."""


@dataclass(frozen=True)
class _Predefined:
    dimension: str
    metric: str = ""
    statistic: str = "Sum"
    period: int = 60
    counts: bool = False
    """Whether it counts, so that a minute without values is a minute with none."""


_PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": _Predefined(INSTANCES, "InvocationsPerInstance", counts=True),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": _Predefined(
        INSTANCES, "ConcurrentRequestsPerModel", "Maximum", 10
    ),
    "SageMakerVariantProvisionedConcurrencyUtilization": _Predefined("sagemaker:variant:DesiredProvisionedConcurrency"),
    "SageMakerInferenceComponentInvocationsPerCopy": _Predefined("sagemaker:inference-component:DesiredCopyCount"),
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": _Predefined(
        "sagemaker:inference-component:DesiredCopyCount"
    ),
}


def check_tracking(configuration: Mapping[str, Any], dimension: str) -> None:
    """Refuse a ``TargetTrackingScalingPolicyConfiguration`` that cannot be tracked.

    Raises ``ValidationException``, and ``NotAvailableYet`` for metric math.
    """
    if configuration["TargetValue"] <= 0:
        raise ValidationException("TargetValue must be greater than 0.")
    predefined = configuration.get("PredefinedMetricSpecification")
    customized = configuration.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise ValidationException(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified."
        )
    if predefined is not None and dimension.startswith("sagemaker:"):
        known = _PREDEFINED.get(predefined["PredefinedMetricType"])
        if known is None or known.dimension != dimension:
            raise ValidationException(
                f"The predefined metric {predefined['PredefinedMetricType']} is not supported for the scalable "
                f"dimension {dimension}."
            )
    if customized is not None:
        _check_customized(customized)
    for member in ("ScaleOutCooldown", "ScaleInCooldown"):
        if configuration.get(member, 0) < 0:
            raise ValidationException(f"{member} must be greater than or equal to 0.")


def _check_customized(given: Mapping[str, Any]) -> None:
    if "Metrics" not in given:
        for member in ("MetricName", "Namespace", "Statistic"):
            if member not in given:
                raise ValidationException(f"{member} is required in CustomizedMetricSpecification.")
        return
    if any("Expression" in query for query in given["Metrics"]):
        raise NotAvailableYet("Metric math in scaling policies is not available in Clary yet; single metrics are.")
    if len([query for query in given["Metrics"] if query.get("ReturnData", True)]) != 1:
        raise ValidationException("Exactly one element of Metrics should return data.")
    if any("MetricStat" not in query for query in given["Metrics"]):
        raise ValidationException("An element of Metrics must have a MetricStat or an Expression.")


def metric_of(configuration: Mapping[str, Any]) -> Any:
    """The metric that a ``TargetTrackingScalingPolicyConfiguration`` tracks: only one policy of a target may."""
    return configuration.get("PredefinedMetricSpecification") or configuration.get("CustomizedMetricSpecification")


def tracking_alarms(policy: Record) -> list[tuple[str, dict[str, Any]]]:
    """The alarms that watch what a policy tracks, ``HIGH`` and ``LOW``, by the members of ``PutMetricAlarm``."""
    configuration = policy.document["TargetTrackingScalingPolicyConfiguration"]
    metric, period, counts = _metric(policy, configuration)
    target = float(configuration["TargetValue"])
    high = {
        "EvaluationPeriods": HIGH_SECONDS // 60,
        "Threshold": target,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    low = {
        "EvaluationPeriods": LOW_SECONDS // period,
        "Threshold": target * LOW_SHARE,
        "ComparisonOperator": "LessThanThreshold",
        **({"TreatMissingData": "breaching"} if counts else {}),
    }
    return [(HIGH, {**metric, **high}), (LOW, {**metric, **low})]


def _metric(policy: Record, configuration: Mapping[str, Any]) -> tuple[dict[str, Any], int, bool]:
    """The members of ``PutMetricAlarm`` that name a metric, its period, and whether it counts."""
    predefined = configuration.get("PredefinedMetricSpecification")
    if predefined is not None:
        known = _PREDEFINED[predefined["PredefinedMetricType"]]
        variant = variant_of(policy.key.account, policy.key.region, policy.document)
        assert variant is not None
        names = {"EndpointName": variant.endpoint, "VariantName": variant.variant}
        metric = {
            "MetricName": known.metric,
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
            "Statistic": known.statistic,
            "Period": known.period,
        }
        return metric, known.period, known.counts
    given = configuration["CustomizedMetricSpecification"]
    if "Metrics" in given:
        queries = [{**query, "MetricStat": {"Period": 60, **query["MetricStat"]}} for query in given["Metrics"]]
        return {"Metrics": queries}, 60, False
    members = ("MetricName", "Namespace", "Statistic", "Unit")
    kept = {member: given[member] for member in members if member in given}
    return {**kept, "Dimensions": given.get("Dimensions", []), "Period": 60}, 60, False
