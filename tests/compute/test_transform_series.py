"""Batch transform through several containers: inference pipelines, with an agent for each container."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from typing import Any

from transform_trial import MODEL, calls, data_log, output, outputs, spec

from clary.compute.placement.base import Observation
from clary.compute.spec import JobSpec
from clary.testing.contracts.jobs import Jobs, end
from clary.testing.contracts.waiting import log_text, wait_for, wait_for_end

GARBAGE = """
import os, socket
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["CLARY_SERVE_SOCKET"])
listener.listen()
while True:
    connection, _ = listener.accept()
    told = connection.recv(1 << 16)
    ok = b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n"
    connection.sendall(ok if told.startswith(b"GET") else b"what?\\n" * 9)
    connection.close()
"""


def launch(jobs: Jobs, *containers: dict[str, Any], code: str = MODEL, **transform: Any) -> list[JobSpec]:
    """Start a model of containers with these variables; the last of them runs ``code``."""
    first = spec(jobs, **transform)
    ids = [first.id, *(f"{first.id}-{number}" for number in range(2, len(containers) + 1))]
    specs = []
    for number, variables in enumerate(containers):
        fields: dict[str, Any] = {"series": ids, "container": f"container-{number + 1}", "environment": variables}
        if number:
            own = code if number == len(containers) - 1 else MODEL
            specs.append(jobs.python(own, id=ids[number], kind="server", **fields))
        else:
            specs.append(replace(first, **fields))
    for each in specs:
        jobs.start(each)
    return specs


def ends(jobs: Jobs, specs: list[JobSpec]) -> list[Observation]:
    return [wait_for_end(jobs.placement, each.id) for each in specs]


def test_each_answer_is_the_request_of_the_next(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"x\ny")
    kinds = [{"ADDED": " one", "KIND": "text/one"}, {"ADDED": " two", "KIND": "text/two"}, {"ADDED": " three"}]
    started = launch(jobs, *kinds, content_type="text/csv", accept="text/plain")
    assert [end(seen)["event"] for seen in ends(jobs, started)] == ["completed"] * 3, data_log(jobs, started[0].id)
    assert output(store, "a") == "x one two three\ny one two three\n"
    assert [calls(jobs, each.id)[0][2:4] for each in started] == [
        ["text/csv", "None"],
        ["text/one", "None"],
        ["text/two", "text/plain"],
    ]
    # As a stream, too, with several requests at once.
    store.put("bucket", "in/b", b"z" * 300_000)
    started = launch(jobs, *kinds, max_payload_mb=0, split="None", max_concurrent=2)
    assert [end(seen)["event"] for seen in ends(jobs, started)] == ["completed"] * 3, data_log(jobs, started[0].id)
    assert output(store, "b") == "z" * 300_000 + " one two three\n"
    assert "chunks" in log_text(jobs.placement, started[2].id)


def test_a_container_that_refuses_is_named(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"x")
    started = launch(jobs, {"ADDED": " bad"}, {})
    seen = ends(jobs, started)
    assert end(seen[0])["message"] == "ClientError: See job logs for more information"
    assert end(seen[1])["event"] == "completed"
    assert data_log(jobs, started[0].id).splitlines()[1] == "bucket/in/a: ClientError: 400 (container container-2)"
    # Where the fault is not the client's the request is made again, from the first container on.
    started = launch(jobs, {"ADDED": " flaky"}, {}, retries=2)
    assert end(ends(jobs, started)[0])["event"] == "completed"
    assert [len(calls(jobs, each.id)) for each in started] == [3, 3]
    store.put("bucket", "in/a", b"broken")
    started = launch(jobs, {}, {})
    assert end(ends(jobs, started)[0])["message"] == "AlgorithmError: See job logs for more information"
    assert "Bad HTTP status received from algorithm: 500 (container container-1)" in data_log(jobs, started[0].id)
    assert not calls(jobs, started[1].id)


def test_a_container_that_answers_garbage(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"x")
    started = launch(jobs, {}, {}, code=GARBAGE, retries=1)
    assert end(ends(jobs, started)[0])["message"] == "AlgorithmError: See job logs for more information"
    said = data_log(jobs, started[0].id).splitlines()[-1]
    assert said == "bucket/in/a: Unable to get response from algorithm (container container-2)"


def test_a_container_that_dies_or_never_answers_fails_all(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"x")
    started = launch(jobs, {"ADDED": " die"}, {})
    first, second = ends(jobs, started)
    assert end(second)["message"] == "AlgorithmError: container-2: ValueError: dead, exit code: 3"
    assert end(first)["message"] == end(second)["message"] and end(first)["exit_code"] == 3
    started = launch(jobs, {}, {}, {}, code="raise ValueError('no model')")
    seen = ends(jobs, started)
    assert end(seen[0])["message"] == end(seen[2])["message"]
    assert end(seen[2])["message"] == (
        "AlgorithmError: Model container container-3 failed to respond to ping. Please ensure /ping endpoint is "
        "implemented and responds with an HTTP 200 status code: ValueError: no model"
    )
    assert end(seen[1])["event"] == "completed" and not outputs(store)


def test_a_container_whose_agent_is_killed_is_no_fault_of_the_model(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"x")
    store.put("bucket", "in/b", b"late")
    started = launch(jobs, {}, {"ADDED": "?"})
    folder = jobs.placement.folder(started[0].id)  # type: ignore[attr-defined]
    wait_for(lambda: (folder / "done").exists() and (folder / "done").read_text(), what="the first is done")
    lock = jobs.placement.folder(started[1].id) / "lock"  # type: ignore[attr-defined]
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    assert end(wait_for_end(jobs.placement, started[0].id))["reason"] == "internal"
    store.put("bucket", "in/b", b"soon")
    for each in started:
        jobs.start(JobSpec.from_json(json.dumps({**json.loads(each.to_json()), "attempt": 2})))
    assert [end(seen)["event"] for seen in ends(jobs, started)] == ["completed"] * 2
    assert (output(store, "a"), output(store, "b")) == ("x!?\n", "soon!?\n")
    assert [call[-1] for call in calls(jobs, started[1].id)] == ["'x!'", "'soon!'"]


def test_a_stop_ends_all(jobs: Jobs, store: Any) -> None:
    store.put("bucket", "in/a", b"late")
    started = launch(jobs, {}, {})
    jobs.says(started[0].id, "'late'")
    for each in started:
        jobs.placement.stop(each.id)
    first, second = ends(jobs, started)
    assert end(first)["event"] == "stopped" and end(second)["event"] in ("stopped", "completed")
