"""What the edge counts, and that no caller makes it count under names of his own."""

from __future__ import annotations

import asyncio
from typing import Any

from clary.core.exposition import Family
from clary.edge.requests import BOUNDS, MOST_OPERATIONS, OTHER, Requests
from clary.edge.trail import Call
from clary.wire.http import Request


def call(service: str = "", operation: str = "", **headers: str) -> Call:
    made = Call(Request("POST", "/", "", {name.replace("_", "-"): value for name, value in headers.items()}), "1")
    made.of(service, operation, "us-east-1")
    return made


def counted(requests: Requests) -> dict[tuple[str, str, str], float]:
    [family] = [each for each in requests.families() if each.name == "clary_edge_requests_total"]
    return {(each.labels["service"], each.labels["operation"], each.labels["status"]): each.value for each in family[3]}


def test_requests_are_told_apart() -> None:
    requests = Requests()
    for status in (200, 200, 404, 503, 0):
        requests.count(call("s3", "GetObject"), status, 0.004, 10, 20)
    assert counted(requests) == {
        ("s3", "GetObject", "2xx"): 2,
        ("s3", "GetObject", "4xx"): 1,
        ("s3", "GetObject", "5xx"): 1,
        ("s3", "GetObject", "gone"): 1,
    }
    families: dict[str, Family] = {family.name: family for family in requests.families()}
    buckets = families["clary_edge_request_seconds"].samples
    assert [each.value for each in buckets if each.suffix == "_bucket"] == [0, 0, *[5] * (len(BOUNDS) - 1)]
    assert [each.value for each in families["clary_edge_received_bytes_total"].samples] == [50]
    assert [each.value for each in families["clary_edge_sent_bytes_total"].samples] == [100]


def test_names_that_a_caller_makes_up_are_counted_together() -> None:
    requests = Requests()
    for number in range(100):
        requests.count(call(f"service{number}", f"Operation{number}"), 400, 0.0, 0, 0)
    requests.count(call("sagemaker", "ListModels"), 200, 0.0, 0, 0)
    requests.count(call("sagemaker", "MadeUp"), 400, 0.0, 0, 0)
    assert counted(requests) == {
        (OTHER, OTHER, "4xx"): 100,
        ("sagemaker", "ListModels", "2xx"): 1,
        ("sagemaker", OTHER, "4xx"): 1,
    }
    for number in range(2 * MOST_OPERATIONS):
        requests.count(call("sagemaker", f"Operation{number}"), 200, 0.0, 0, 0)
    assert len(counted(requests)) <= MOST_OPERATIONS + 2


def test_a_request_is_counted_when_it_is_over() -> None:
    requests = Requests()
    passed: list[Any] = []

    async def send(message: Any) -> None:
        passed.append(message)

    async def scenario() -> None:
        watched = requests.begin(call("s3", "PutObject", content_length="12"), send)
        assert requests.in_flight == 1
        await watched.send({"type": "http.response.start", "status": 204, "headers": []})
        await watched.send({"type": "http.response.body", "body": b"abc"})
        watched.end()
        assert passed[0]["headers"] == []
        xray = requests.begin(call("s3", "PutObject", x_amzn_trace_id="Root=1-67891233-abc"), send)
        await xray.send({"type": "http.response.start", "status": 204, "headers": [(b"a", b"b")]})
        xray.end()
        assert passed.pop()["headers"] == [(b"a", b"b"), (b"x-amzn-trace-id", b"Root=1-67891233-abc")]
        gone = requests.begin(call("s3", "PutObject", content_length="12,12"), send)
        gone.end()

    asyncio.run(scenario())
    assert [message["type"] for message in passed] == ["http.response.start", "http.response.body"]
    assert requests.in_flight == 0
    assert counted(requests) == {("s3", "PutObject", "2xx"): 2, ("s3", "PutObject", "gone"): 1}
    values = {family.name: [each.value for each in family.samples] for family in requests.families()}
    assert (values["clary_edge_received_bytes_total"], values["clary_edge_sent_bytes_total"]) == ([12], [3])
