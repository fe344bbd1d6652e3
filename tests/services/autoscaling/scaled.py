"""A variant of an endpoint that is scaled, as a test sees it."""

from __future__ import annotations

from typing import Any

import pytest
from clockwork import Clockwork

from clary.core.errors import ValidationException
from clary.services.application_autoscaling import variants
from clary.services.application_autoscaling.service import app
from clary.services.sagemaker.endpoints.scaling import Capacity, VariantKey
from clary.state.transaction import Transaction

VARIANT = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/mine/variant/all",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


class Endpoints:
    """The endpoint ``mine`` with the variant ``all``; what is asked of it is done when the test says so."""

    def __init__(self) -> None:
        self.desired = self.current = 1
        self.busy = False
        self.refusal = ""
        self.exists = True

    def _has(self, key: VariantKey) -> bool:
        return self.exists and key == ("123456789012", "us-east-1", "mine", "all")

    def variant_capacity(self, _: Transaction, key: VariantKey) -> Capacity | None:
        return Capacity(self.desired, self.current) if self._has(key) else None

    def set_desired(self, _: Transaction, key: VariantKey, count: int, now: float) -> None:
        assert self._has(key) and not self.busy and now > 0
        if self.refusal:
            raise ValidationException(self.refusal)
        self.desired, self.busy = count, True

    def is_busy(self, _: Transaction, __: VariantKey) -> bool:
        return self.busy

    def settle(self) -> None:
        self.current, self.busy = self.desired, False


class Scaled(Clockwork):
    """The variant, and the clients with which it is scaled."""

    def __init__(self, installation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app()
        super().__init__(installation, self.app)
        self.endpoints = Endpoints()
        monkeypatch.setattr(variants, "endpoints", self.endpoints)
        self.scaling = self.client(self.app)

    def register(self, least: int = 1, most: int = 10, **members: Any) -> str:
        made = self.scaling.register_scalable_target(**VARIANT, MinCapacity=least, MaxCapacity=most, **members)
        self.look()
        return str(made["ScalableTargetARN"])

    def track(self, target: float = 100.0, name: str = "track", **members: Any) -> list[str]:
        """A policy that tracks invocations, or what ``members`` say; gives the names of its alarms."""
        metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
        metric = {} if "CustomizedMetricSpecification" in members else metric
        made = self.scaling.put_scaling_policy(
            **VARIANT,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"TargetValue": target, **metric, **members},
        )
        return [alarm["AlarmName"] for alarm in made["Alarms"]]

    def step(self, *steps: tuple[float | None, float | None, int], name: str = "step", **members: Any) -> str:
        """A policy with steps of a lower and an upper bound and an adjustment; gives its ARN."""
        bounds = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
        adjustments = [
            {
                **{bound: value for bound, value in zip(bounds, step, strict=False) if value is not None},
                "ScalingAdjustment": step[2],
            }
            for step in steps
        ]
        made = self.scaling.put_scaling_policy(
            **VARIANT,
            PolicyName=name,
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": adjustments,
                **members,
            },
        )
        return str(made["PolicyARN"])

    def invocations(self, *values: float | None) -> None:
        """Invocations per instance in each of the last minutes, as the endpoint tells them, the oldest first."""
        from clary.services.cloudwatch.api import Metric, Point, Summary, keep

        dimensions = (("EndpointName", "mine"), ("VariantName", "all"))
        metric = Metric("AWS/SageMaker", "InvocationsPerInstance", dimensions)
        end = int(self.now - 3) // 60 * 60
        points = [
            Point(metric, "None", 60, end - 60 * (len(values) - number), Summary.of(1, value, value, value))
            for number, value in enumerate(values)
            if value is not None
        ]
        keep(self.installation.database, self.now, [("123456789012", "us-east-1", points)])
        self.look()
        # A policy may be looked at before its alarm.
        self.look()

    def activities(self, **members: Any) -> list[dict[str, Any]]:
        """The newest first."""
        found: list[dict[str, Any]] = self.scaling.describe_scaling_activities(ServiceNamespace="sagemaker", **members)[
            "ScalingActivities"
        ]
        return found

    def settle(self) -> None:
        """The endpoint does what it was asked for, and that is seen."""
        self.endpoints.settle()
        self.later(2)
