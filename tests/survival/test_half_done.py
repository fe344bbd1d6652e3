"""What a kill between two instructions leaves behind does not mislead whoever comes next."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.compute.agent.journal import Log
from clary.compute.placement.local import LocalPlacement
from clary.compute.spec import ImageSpec, JobSpec, MetricDefinition
from clary.control.scheduler import Scheduler
from clary.core.settings import Settings
from clary.services.sagemaker.training.metrics import final_metrics
from clary.testing.server import Server

SPEC = JobSpec(
    id="TrainingJob-1",
    image=ImageSpec(uri="none", python=sys.executable),
    command=["/bin/sh", "-c", "ls; echo attempt; exit 3"],
    isolation="plain",
)


@pytest.fixture
def placement(tmp_path: Path) -> Iterator[LocalPlacement]:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache")
    settings.create_folders()
    made = LocalPlacement(settings)
    yield made
    for job in made.list():
        made.remove(job)


def run(placement: LocalPlacement, spec: JobSpec, wait_until: Any) -> None:
    placement.launch(spec, "")
    wait_until(lambda: placement.observe(spec.id).terminal is not None)


def test_an_attempt_does_not_speak_for_the_next(placement: LocalPlacement, wait_until: Any) -> None:
    run(placement, SPEC, wait_until)
    folder = placement.folder(SPEC.id)
    events = (folder / "events.jsonl").read_text()
    # Killed while the folder was emptied for the second attempt, and, as the order of files is any, so:
    (folder / "ml" / "left").touch()
    (folder / "spec.json").unlink()
    assert not placement.observe(SPEC.id).started
    placement.launch(replace(SPEC, attempt=2, command=["/bin/sh", "-c", "ls; sleep 600"]), "")
    seen = placement.observe(SPEC.id)
    assert (seen.attempt, seen.alive, seen.terminal) == (2, True, None)
    assert not (folder / "ml" / "left").exists()
    # A line of the first attempt that comes late.
    with (folder / "events.jsonl").open("a") as file:
        file.write(events.splitlines()[-1] + "\n")
    assert placement.observe(SPEC.id).terminal is None


def test_a_spec_goes_last(placement: LocalPlacement, wait_until: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run(placement, SPEC, wait_until)

    def killed(path: Any, *_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", killed)
        placement.remove(SPEC.id, keep_log=True)
    assert list(placement.list()) == [SPEC.id]  # so that it is found and removed by the next control plane
    placement.remove(SPEC.id, keep_log=True)
    assert list(placement.list()) == []
    assert {each.name for each in placement.folder(SPEC.id).iterdir()} == {"log"}


def test_a_line_that_was_cut_does_not_take_the_next_along(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("1 whole\n2 cu")
    (tmp_path / "metrics.jsonl").write_text('{"name": "loss", "value": 3.0, "time": 1.0}\n{"name": "lo')
    log = Log(str(tmp_path), [MetricDefinition("loss", r"loss=([\d.]+)")])  # type: ignore[list-item]
    log.feed(b"loss=2.5\n")
    assert [line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines()] == [
        "whole",
        "cu",
        "loss=2.5",
    ]
    [metric] = final_metrics([tmp_path / "metrics.jsonl"])
    assert (metric["MetricName"], metric["Value"]) == ("loss", 2.5)
    assert json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[2])["value"] == 2.5


def test_the_scheduler_outlives_a_database_that_fails(tmp_path: Path, wait_until: Any) -> None:
    """Were its loop to end with the first full disk, every job would stay as it is for ever."""
    asked: list[int] = []

    class Failing:
        def write(self) -> Any:
            asked.append(1)
            raise OSError("disk full")

    async def scenario() -> None:
        with ThreadPoolExecutor(2) as executor:
            platform: Any = SimpleNamespace(database=Failing(), clock=lambda: 0.0)
            scheduler = Scheduler("control", {}, executor)
            work = asyncio.create_task(scheduler.run(platform))
            await asyncio.to_thread(wait_until, lambda: len(asked) > 1, 10)
            assert not work.done()
            work.cancel()

    asyncio.run(scenario())


def test_a_creation_that_is_sent_again_is_the_same(clary_aws: Server) -> None:
    """An SDK numbers its calls; when the answer to one is lost, it sends it again under the same number."""
    sagemaker = clary_aws.session().client("sagemaker")
    call = {"number": "1"}

    def number(request: Any, **_: object) -> None:
        request.headers["amz-sdk-invocation-id"] = call["number"]

    sagemaker.meta.events.register("before-send.sagemaker", number)
    first = sagemaker.create_experiment(ExperimentName="one")
    assert sagemaker.create_experiment(ExperimentName="one")["ExperimentArn"] == first["ExperimentArn"]
    call["number"] = "2"
    with pytest.raises(ClientError):
        sagemaker.create_experiment(ExperimentName="one")
    assert "_token" not in sagemaker.describe_experiment(ExperimentName="one")
