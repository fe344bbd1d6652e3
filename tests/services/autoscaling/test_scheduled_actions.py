"""Scheduled actions: bounds that change at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from clockwork import refused
from scaled import VARIANT, Scaled


def put(scaled: Scaled, schedule: str, name: str = "s", least: int | None = 5, **members: Any) -> None:
    action = {"ScalableTargetAction": {"MinCapacity": least}} if least is not None else {}
    scaled.scaling.put_scheduled_action(**VARIANT, ScheduledActionName=name, Schedule=schedule, **{**action, **members})
    scaled.look()


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def bounds(scaled: Scaled) -> tuple[int, int]:
    [target] = scaled.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def test_at_a_time(scaled: Scaled) -> None:
    scaled.register(1, 8)
    put(scaled, f"at({at(scaled.minute + 600):%Y-%m-%dT%H:%M:%S})", ScalableTargetAction={
        "MinCapacity": 4, "MaxCapacity": 6})  # fmt: skip
    scaled.later(590)
    assert (bounds(scaled), scaled.endpoints.desired) == ((1, 8), 1)
    scaled.later(10)
    scaled.look()
    assert (bounds(scaled), scaled.endpoints.desired) == ((4, 6), 4)
    second, first = sorted(scaled.activities(), key=lambda each: each["Description"])
    assert (first["Description"], first["Cause"], first["StatusCode"], first["StatusMessage"]) == (
        "Setting min capacity to 4 and max capacity to 6", "scheduled action name s was triggered", "Successful",
        "Successfully set min capacity to 4 and max capacity to 6",
    )  # fmt: skip
    assert (second["Description"], second["Cause"]) == (
        "Setting desired instance count to 4.", "minimum capacity was set to 4",
    )  # fmt: skip
    # It is done once, and can still be seen.
    scaled.register(1, 8)
    scaled.later(86_400)
    assert bounds(scaled) == (1, 8)
    [action] = scaled.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert action["ScalableTargetAction"] == {"MinCapacity": 4, "MaxCapacity": 6}


def test_again_and_again(scaled: Scaled) -> None:
    scaled.register(1, 8)
    put(scaled, "rate(1 hour)", StartTime=at(scaled.now + 120), EndTime=at(scaled.now + 2 * 3_600))
    [action] = scaled.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert action["StartTime"].timestamp() == int(scaled.now + 120) and "Timezone" not in action
    for pause, expected in ((119, 1), (1, 5), (3_599, 1), (1, 5), (3_600, 1), (3_600, 1)):
        scaled.register(1, 8)
        scaled.later(pause)
        assert bounds(scaled) == (expected, 8), pause


def test_what_was_missed_is_done_once(scaled: Scaled) -> None:
    scaled.register(1, 8)
    put(scaled, "rate(5 minutes)")
    scaled.later(3_600)
    scaled.endpoints.settle()
    scaled.later(10)
    assert len([each for each in scaled.activities() if "scheduled" in each["Cause"]]) == 1


def test_an_action_can_be_put_again(scaled: Scaled) -> None:
    scaled.register(1, 8)
    put(scaled, "rate(1 hour)")
    put(scaled, "rate(1 day)", least=None)
    [action] = scaled.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert (action["Schedule"], action["ScalableTargetAction"]) == ("rate(1 day)", {"MinCapacity": 5})
    scaled.later(7_200)
    assert bounds(scaled) == (1, 8)
    scaled.scaling.delete_scheduled_action(**VARIANT, ScheduledActionName="s")
    scaled.later(86_400)
    assert bounds(scaled) == (1, 8)
    message = refused(
        "ObjectNotFoundException", scaled.scaling.delete_scheduled_action, **VARIANT, ScheduledActionName="s"
    )
    assert message.endswith("scheduled action name: s")


def test_bounds_that_make_no_sense_when_they_are_due(scaled: Scaled) -> None:
    scaled.register(1, 4)
    put(scaled, "rate(1 minute)", least=6)
    scaled.later(60)
    assert bounds(scaled) == (1, 4)
    [activity] = scaled.activities()
    assert (activity["StatusCode"], activity["StatusMessage"]) == (
        "Failed",
        "Failed to set min capacity to 6. Reason: Maximum capacity cannot be less than minimum capacity",
    )


def test_schedules_can_be_suspended(scaled: Scaled) -> None:
    scaled.register(1, 8, SuspendedState={"ScheduledScalingSuspended": True})
    put(scaled, "rate(1 minute)")
    scaled.later(60)
    assert (bounds(scaled), scaled.activities()) == ((1, 8), [])


@pytest.mark.parametrize(
    "members",
    [
        {"Schedule": None},
        {"Schedule": "tomorrow"},
        {"Schedule": "at(2001-01-01T00:00:00)"},
        {"Timezone": "Nowhere"},
        {"ScalableTargetAction": None},
        {"ScalableTargetAction": {}},
        {"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}},
        {"StartTime": datetime(2040, 1, 2, tzinfo=UTC), "EndTime": datetime(2040, 1, 1, tzinfo=UTC)},
        {"EndTime": datetime(2001, 1, 1, tzinfo=UTC)},
    ],
)
def test_what_is_refused(scaled: Scaled, members: dict[str, Any]) -> None:
    scaled.register(1, 8)
    action = {"Schedule": "rate(1 hour)", "ScalableTargetAction": {"MinCapacity": 2}, **members}
    given = {member: value for member, value in action.items() if value is not None}
    refused("ValidationException", scaled.scaling.put_scheduled_action, **VARIANT, ScheduledActionName="s", **given)
    assert scaled.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"] == []


def test_a_target_must_be_registered(scaled: Scaled) -> None:
    message = refused(
        "ObjectNotFoundException", scaled.scaling.put_scheduled_action, **VARIANT, ScheduledActionName="s",
        Schedule="rate(1 hour)", ScalableTargetAction={"MinCapacity": 2},
    )  # fmt: skip
    assert message.startswith("No scalable target registered for service namespace: sagemaker, ")
