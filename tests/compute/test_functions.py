"""Environments of functions under every isolation: started, kept, replaced and ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clary.compute.functions import pool
from clary.compute.functions.pool import Call, EnvironmentFailed, EnvironmentLost, Event, Functions, TooManyCalls
from clary.compute.isolation.select import ISOLATIONS, availability
from clary.compute.placement.local import LocalPlacement
from clary.compute.spec import ImageSpec, JobSpec, Limits
from clary.testing.contracts.waiting import wait_for

CODE = """
import os, time

calls = 0


def handler(event, context):
    global calls
    calls += 1
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "end" in event:
        os.kill(os.getppid(), 9)
    return {"calls": calls, "stream": context.log_stream_name, "id": context.aws_request_id}
"""
ROOT = "/var/task"


@pytest.fixture(params=list(ISOLATIONS))
def isolation(request: pytest.FixtureRequest) -> str:
    works, remedy = availability(request.param)
    if not works:
        pytest.skip(remedy)
    return str(request.param)


@pytest.fixture
def functions(placement: LocalPlacement) -> Iterator[Functions]:
    made = Functions(placement, "control", most=2)
    yield made
    made.close()
    for id in placement.list():
        placement.remove(id)


@pytest.fixture
def call(functions: Functions, placement: LocalPlacement, isolation: str, image: ImageSpec) -> Callable[..., Any]:
    """Calls a function, and gives what it answers."""

    def write(folder: Path) -> None:
        (folder / "app.py").write_text(CODE)

    placement.fill("Function-1-code", write)

    def make(id: str, timeout: float) -> tuple[JobSpec, str]:
        variables = {
            "_HANDLER": "app.handler",
            "LAMBDA_TASK_ROOT": ROOT,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_STREAM_NAME": id,
            "CLARY_FUNCTION_TIMEOUT": str(timeout),
        }
        spec = JobSpec(
            id=id,
            kind="server",
            image=image,
            command=["python3", "-m", "clary_runtimes.functions"],
            environment=variables,
            volumes={ROOT: "Function-1-code"},
            fixed=[ROOT],
            limits=Limits(grace_s=1),
            isolation=isolation,
        )
        return spec, ""

    def call(
        event: Any = None, *, owner: int = 1, revision: str = "a", patience: float = 30.0, timeout: float = 30.0
    ) -> Any:
        wanted = Call(owner, revision, lambda id: make(id, timeout), timeout)
        outcome = functions.call(wanted, Event("r-1", "arn", json.dumps(event or {}).encode()), patience)
        return outcome.error or json.loads(outcome.body)

    return call


def test_an_environment_is_kept_and_ends_with_its_function(
    call: Any, functions: Functions, placement: LocalPlacement
) -> None:
    first, second = call(), call()
    assert (first["calls"], second["calls"]) == (1, 2) and first["stream"] == second["stream"]
    assert first["id"] == "r-1" and placement.list() == [first["stream"]]
    assert functions.retire(2) and call()["calls"] == 3
    assert functions.retire(1) and placement.list() == []
    assert call()["calls"] == 1
    assert placement.log(first["stream"]).exists()


def test_another_revision_has_an_environment_of_its_own(call: Any, placement: LocalPlacement) -> None:
    old = [call(), call()][0]
    assert call(revision="b")["calls"] == 1 and len(placement.list()) == 2
    # There is room for two of a function: the one that nobody wants any more makes it.
    assert call(revision="c")["calls"] == 1
    wait_for(lambda: old["stream"] not in placement.list(), what="the end of the oldest")


def test_events_at_once_have_environments_up_to_a_number(call: Any, functions: Functions) -> None:
    with ThreadPoolExecutor(2) as threads:
        shown = list(threads.map(lambda _: call({"sleep": 2}), range(2)))
        assert len({each["stream"] for each in shown}) == 2
        busy = [threads.submit(call, {"sleep": 2}) for _ in range(2)]
        wait_for(lambda: not functions._free, what="busy environments")
        with pytest.raises(TooManyCalls):
            call(patience=0.1)
        assert call(patience=30)["calls"] > 1
        assert not any(each.exception() for each in busy)


def test_what_takes_too_long_is_replaced(call: Any) -> None:
    assert call(timeout=1)["calls"] == 1
    assert call({"sleep": 60}, timeout=1) == "Unhandled"
    assert call(timeout=1)["calls"] == 1


def test_an_environment_that_dies_over_an_event_is_replaced(call: Any) -> None:
    with pytest.raises(EnvironmentLost):
        call({"end": True})
    assert call()["calls"] == 1


def test_an_environment_that_has_ended_meanwhile_is_replaced(call: Any, placement: LocalPlacement) -> None:
    placement.end(call()["stream"])
    assert call()["calls"] == 1


def test_an_environment_that_does_not_start_says_so(functions: Functions, isolation: str, image: ImageSpec) -> None:
    def make(id: str) -> tuple[JobSpec, str]:
        command = ["no-such-program"]
        return JobSpec(id=id, kind="server", image=image, command=command, isolation=isolation), ""

    with pytest.raises(EnvironmentFailed):
        functions.call(Call(1, "a", make, 3), Event("r", "arn", b"{}"), 1)


def test_what_another_process_of_the_name_has_left_is_ended(
    call: Any, functions: Functions, placement: LocalPlacement
) -> None:
    left = call()["stream"]
    assert functions.is_own(left) and pool.is_environment(left)
    assert not Functions(placement, "control-2").is_own(left) and not functions.is_own("Endpoint-1-1.0")
    Functions(placement, "control-2").end_left()
    assert placement.list() == [left]
    Functions(placement, "control").end_left()
    assert placement.list() == []


def test_an_environment_without_events_ends(
    call: Any, placement: LocalPlacement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(pool, "_LOOK_SECONDS", 0.05)
    call()
    wait_for(lambda: placement.list() == [], what="the end of the environment")


def test_work_under_a_key_is_done_once_at_a_time(functions: Functions) -> None:
    begun, go, done = threading.Semaphore(0), threading.Event(), []

    def work() -> None:
        begun.release()
        go.wait()
        done.append(None)

    for _ in range(3):
        functions.submit("a", work)
    functions.submit("b", work)
    assert begun.acquire(timeout=30) and begun.acquire(timeout=30)
    go.set()
    wait_for(lambda: len(done) == 2, what="both")
    functions.submit("a", work)
    wait_for(lambda: len(done) == 3, what="the third")
