"""What is wrong with the work of an account: each case with the line that it makes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clary.compute.images.catalog import catalogue
from clary.compute.images.environments import ImageStore
from clary.core.problems import Problem
from clary.resources.context import Platform
from clary.services.health.work import counted, problems
from clary.state.records import Key, Record

ACCOUNT = "123456789012"


@pytest.fixture
def platform(installation: Any, tmp_path: Path) -> Platform:
    platform: Platform = installation.platform
    return replace(platform, images=ImageStore(replace(platform.settings, cache=tmp_path / "cache")))


def keep(platform: Platform, kind: str, name: str, status: str, **more: Any) -> None:
    now = platform.clock()
    service = "cloudwatch" if kind == "Alarm" else "sagemaker"
    key = Key(more.pop("account", ACCOUNT), more.pop("region", "us-east-1"), service, kind, "", name)
    moment = now - more.pop("ago", 0.0)
    wake_at = moment if more.pop("at_work", False) else None
    arn = f"arn:aws:{service}:{key.region}:{key.account}:{kind.lower()}/{name}"
    with platform.database.write() as transaction:
        transaction.insert(Record(key, arn, moment, moment, more.pop("document", {}), status=status, wake_at=wake_at))


def found(platform: Platform) -> dict[str, Problem]:
    return {each.code: each for each in problems(platform, ACCOUNT)}


def test_nothing_is_wrong_with_nothing(platform: Platform) -> None:
    keep(platform, "TrainingJob", "done", "Completed")
    keep(platform, "Endpoint", "serving", "InService")
    keep(platform, "Alarm", "quiet", "OK")
    assert found(platform) == {}


def test_jobs_that_failed_within_a_day(platform: Platform) -> None:
    keep(platform, "TrainingJob", "old", "Failed", ago=90_000)
    keep(platform, "TrainingJob", "others", "Failed", account="210987654321")
    assert found(platform) == {}
    keep(platform, "TrainingJob", "one", "Failed", ago=100)
    assert found(platform)["FailedJobs"].text == "1 job failed in the last day: one"
    for number in range(7):
        keep(platform, "ProcessingJob", f"{{p{number}}}", "Failed", region="eu-west-1", ago=number)
    problem = found(platform)["FailedJobs"]
    assert problem.severity == "warning"
    assert problem.text == "8 jobs failed in the last day: {p0}, {p1}, {p2}, {p3}, {p4} and 3 more"
    assert (problem.resources[0].kind, problem.resources[0].region) == ("ProcessingJob", "eu-west-1")


def test_jobs_that_wait_say_why(platform: Platform) -> None:
    steps = {"SecondaryStatusTransitions": [{"Status": "Pending", "StatusMessage": "Waiting for {room}"}]}
    keep(platform, "TrainingJob", "young", "InProgress", at_work=True, document=steps)
    assert found(platform) == {}
    keep(platform, "TrainingJob", "patient", "InProgress", at_work=True, document=steps, ago=120)
    assert found(platform)["WaitingJobs"].text == "1 job waits for room or an image (Waiting for {room}): patient"
    [family] = [each for each in counted(platform) if each.name == "clary_jobs_in_progress"]
    waiting = {each.labels["kind"]: each.value for each in family.samples if each.labels["state"] == "waiting"}
    assert waiting == {"TrainingJob": 2, "ProcessingJob": 0, "TransformJob": 0}


def test_a_job_beyond_its_limit(platform: Platform) -> None:
    document = {"StoppingCondition": {"MaxRuntimeInSeconds": 60}, "_run": {"launched": True}}
    for name, ago in (("late", 700.0), ("soon", 600.0)):
        started = {"TrainingStartTime": platform.clock() - ago}
        keep(platform, "TrainingJob", name, "InProgress", at_work=True, document=document | started)
    problem = found(platform)["OverdueJobs"]
    assert (problem.severity, problem.count, problem.resources[0].name) == ("error", 1, "late")


def test_endpoints(platform: Platform) -> None:
    keep(platform, "Endpoint", "broken", "Failed", ago=1_000_000)
    keep(platform, "Endpoint", "limping", "InService", document={"FailureReason": "Variant a: no room."})
    keep(platform, "Endpoint", "slow", "Creating", ago=2_000)
    keep(platform, "Endpoint", "new", "Creating", ago=100)
    texts = {code: (each.severity, each.text) for code, each in found(platform).items()}
    assert texts == {
        "FailedEndpoints": ("error", "1 endpoint failed: broken"),
        "UnhealthyEndpoints": ("warning", "1 endpoint serves not with all that is wanted: limping"),
        "SlowEndpoints": ("warning", "1 endpoint takes more than half an hour to start: slow"),
    }


def test_alarms(platform: Platform) -> None:
    keep(platform, "Alarm", "a", "ALARM")
    keep(platform, "Alarm", "b", "ALARM")
    assert found(platform)["Alarms"].text == "2 alarms are in the state ALARM: b, a"


def test_images_that_could_not_be_built(platform: Platform, tmp_path: Path) -> None:
    image = next(iter(catalogue().images.values()))
    folder = tmp_path / "cache" / "images"
    folder.mkdir(parents=True)
    mark = folder / f"{image.digest}.failed"
    mark.write_text("Collecting\nno wheel of x\n")
    os.utime(mark, (platform.clock(), platform.clock()))
    problem = found(platform)["FailedImages"]
    assert problem.text == f"The image {image.name} could not be built: no wheel of x"
    assert problem.remedy == f"clary images pull {image.name}"
    os.utime(mark, (platform.clock() - 90_000, platform.clock() - 90_000))
    assert found(platform) == {}
