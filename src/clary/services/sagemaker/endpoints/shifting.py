"""How the traffic of an endpoint moves to a new deployment: all at once, a canary first, or in equal steps.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.services.sagemaker.endpoints.alarms import alarms_in_alarm
from clary.services.sagemaker.endpoints.deployment import Deployment
from clary.state.records import Record
from clary.state.transaction import Transaction

LONGEST_S = 28_800.0
"""``MaximumExecutionTimeoutInSeconds`` where none is given."""
_LARGEST_CANARY, _SMALLEST_STEP, _LARGEST_STEP = 50, 10, 50


class Alarmed(Exception):
    """An alarm went off, or the deployment took too long: the traffic goes back to where it was."""


Shift = dict[str, Any]
"""How far the traffic has been moved: the ``step``, from 0, and ``since`` when."""


def begin(now: float) -> Shift:
    """The first step."""
    return {"step": 0, "since": now}


def further(shift: Shift, now: float) -> Shift:
    """The step after ``shift``."""
    return {"step": shift["step"] + 1, "since": now}


class Policy:
    """What a ``DeploymentConfig`` says of an update; without one the traffic moves at once."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        policy = config.get("BlueGreenUpdatePolicy", {})
        self._routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
        self.termination_wait = float(policy.get("TerminationWaitInSeconds", 0))
        self._longest = float(policy.get("MaximumExecutionTimeoutInSeconds", LONGEST_S))
        self._alarms = [each["AlarmName"] for each in config.get("AutoRollbackConfiguration", {}).get("Alarms", ())]

    def share(self, shift: Shift, deployment: Deployment) -> float:
        """The part of the traffic, from 0 to 1, that the new deployment gets in a step."""
        if self._routing["Type"] == "CANARY" and shift["step"] == 0:
            return _part(self._routing["CanarySize"], deployment)
        if self._routing["Type"] == "LINEAR":
            # Rounded, so that ten tenths are the whole.
            steps = int(shift["step"]) + 1
            return min(1.0, round(_part(self._routing["LinearStepSize"], deployment) * steps, 6))
        return 1.0

    def left(self, shift: Shift, now: float) -> float:
        """Seconds that a step still has to bake."""
        return float(shift["since"]) + float(self._routing["WaitIntervalInSeconds"]) - now

    def check(self, transaction: Transaction, record: Record, taken: float) -> None:
        """Raises ``Alarmed`` if the update, which has taken ``taken`` seconds, is to be taken back."""
        if taken > self._longest:
            raise Alarmed(f"The deployment took longer than its limit of {self._longest:g} seconds.")
        if names := alarms_in_alarm(transaction, record.key.account, record.key.region, self._alarms):
            raise Alarmed(
                "One or more alarms are in ALARM state during the deployment, so it was rolled back: "
                f"{', '.join(names)}"
            )


def policy_of(document: Mapping[str, Any]) -> Policy:
    """The policy of an update that is under way."""
    return Policy(document.get("LastDeploymentConfig", {}))


def check_policy(config: Mapping[str, Any]) -> None:
    """Refuse a ``DeploymentConfig`` that cannot be followed. Raises ``ValidationException`` and ``NotAvailableYet``."""
    if "RollingUpdatePolicy" in config:
        raise NotAvailableYet("Rolling deployments (RollingUpdatePolicy) are not available in Clary yet.")
    routing = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration")
    if routing is None:
        return
    kind = routing["Type"]
    for member, wanted in (("CanarySize", "CANARY"), ("LinearStepSize", "LINEAR")):
        if kind == wanted and member not in routing:
            raise ValidationException(f"{member} is required when the traffic routing type is {wanted}.")
        if kind != wanted and member in routing:
            raise ValidationException(f"{member} is only supported when the traffic routing type is {wanted}.")
    if kind == "CANARY" and _percent(routing["CanarySize"]) > _LARGEST_CANARY:
        raise ValidationException("CanarySize must be less than or equal to 50 percent of the new fleet's capacity.")
    if kind == "LINEAR" and not _SMALLEST_STEP <= (_percent(routing["LinearStepSize"]) or 10) <= _LARGEST_STEP:
        raise ValidationException("LinearStepSize must be between 10 and 50 percent of the new fleet's capacity.")


def _percent(size: Mapping[str, Any]) -> int:
    return int(size["Value"]) if size["Type"] == "CAPACITY_PERCENT" else 0


def _part(size: Mapping[str, Any], deployment: Deployment) -> float:
    if size["Type"] == "CAPACITY_PERCENT":
        return float(min(1.0, size["Value"] / 100))
    return float(min(1.0, size["Value"] / max(1, sum(each["count"] for each in deployment["variants"]))))
