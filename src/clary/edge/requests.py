"""Counts the requests that the edge answers: a few additions each, under labels of which there are few.

What a caller may choose makes no label by itself: an operation has one from its first call on that was answered well,
and up to a number of them; all others are counted together.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from time import perf_counter
from typing import Any

from clary.core.exposition import Family, Sample, single
from clary.core.tracing import Tracer, place_below, read
from clary.edge.trail import Call

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
"""Seconds; the upper ends of the buckets of latencies."""
MOST_OPERATIONS = 1_000
"""Operations that are told apart, of all services together."""
OTHER = "other"
XRAY = "x-amzn-trace-id"
"""Goes back as it came, as from services behind AWS's load balancers.

Reference: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
"""
LONGEST_XRAY = 512

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Service:
    """What all operations of a service have in common."""

    __slots__ = ("buckets", "received", "seconds", "sent")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.received = self.sent = 0


class _Operation:
    """How often an operation was answered, by the hundreds of the status; 0 where the client went away before."""

    __slots__ = ("of", "statuses")

    def __init__(self, of: _Service) -> None:
        self.of = of
        self.statuses = [0] * 10


class Requests:
    """What was counted since the process began; for the thread of the edge's loop."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.tracer: Tracer | None = None
        """Takes a span for each request, where that is wanted."""
        self._services: dict[str, _Service] = {}
        self._operations: dict[tuple[str, str], _Operation] = {}

    def begin(self, call: Call, send: Send) -> Watched:
        """A request has come, which is answered through what this gives."""
        self.in_flight += 1
        if self.tracer is not None:
            self.place(call)
        return Watched(self, call, send)

    def place(self, call: Call) -> None:
        """Give a request its place in the trace that it belongs to, or in one of its own."""
        call.request.trace = str(place_below(read(call.request.headers.get("traceparent"))))

    def count(self, call: Call, status: int, seconds: float, received: int, sent: int) -> None:
        """A request was answered; 0 is the status of one whose client went away before."""
        operation = self._operations.get((call.service, call.operation))
        if operation is None:
            operation = self._told_apart(call, status)
        operation.statuses[status // 100] += 1
        of = operation.of
        of.buckets[bisect_left(BOUNDS, seconds)] += 1
        of.seconds += seconds
        of.received += received
        of.sent += sent
        if self.tracer is not None:
            self._trace(self.tracer, call, status, seconds)

    @staticmethod
    def _trace(tracer: Tracer, call: Call, status: int, seconds: float) -> None:
        parent, ended = read(call.request.headers.get("traceparent")), time.time()
        place = read(call.request.trace)
        assert place is not None
        told = {
            "rpc.system": "aws-api",
            "rpc.service": call.service or "clary",
            "rpc.method": call.operation or OTHER,
            "http.response.status_code": status,
            "aws.request_id": call.request_id,
        }
        error = f"HTTP {status}" if status >= 500 else ""
        name = f"{told['rpc.service']} {told['rpc.method']}"
        tracer.keep(name, place, parent, ended - seconds, ended, "server", error, told)

    def _told_apart(self, call: Call, status: int) -> _Operation:
        """What an operation is counted under that has not been counted by its name yet."""
        service, operation = call.service or "clary", call.operation or OTHER
        if call.service and not 200 <= status < 400:
            # It may be a word that names nothing: what there is has been answered well once.
            service, operation = (service if service in self._services else OTHER), OTHER
        if len(self._operations) >= MOST_OPERATIONS:
            service = operation = OTHER
        found = self._operations.get((service, operation))
        if found is None:
            of = self._services.setdefault(service, _Service())
            found = self._operations[service, operation] = _Operation(of)
        return found

    def families(self) -> Iterator[Family]:
        """What was counted, for Prometheus."""
        requests = [
            Sample({"service": service, "operation": name, "status": f"{hundreds}xx" if hundreds else "gone"}, count)
            for (service, name), operation in self._operations.items()
            for hundreds, count in enumerate(operation.statuses)
            if count
        ]
        yield Family("clary_edge_requests_total", "counter", "Requests answered.", requests)
        yield single("clary_edge_requests_in_flight", "gauge", "Requests under way.", self.in_flight)
        seconds: list[Sample] = []
        received: list[Sample] = []
        sent: list[Sample] = []
        for name, service in self._services.items():
            of, total = {"service": name}, 0
            for bound, count in zip((*BOUNDS, "+Inf"), service.buckets, strict=True):
                total += count
                seconds.append(Sample({**of, "le": str(bound)}, total, "_bucket"))
            seconds += [Sample(of, service.seconds, "_sum"), Sample(of, total, "_count")]
            received.append(Sample(of, service.received))
            sent.append(Sample(of, service.sent))
        yield Family("clary_edge_request_seconds", "histogram", "From the head of a request to its answer.", seconds)
        yield Family("clary_edge_received_bytes_total", "counter", "Bodies of requests, as announced.", received)
        yield Family("clary_edge_sent_bytes_total", "counter", "Bodies of answers.", sent)


class Watched:
    """One request under way; ``send`` is ASGI's."""

    __slots__ = ("_call", "_requests", "_send", "_sent", "_status", "begun")

    def __init__(self, requests: Requests, call: Call, send: Send) -> None:
        self._requests = requests
        self._call = call
        self._send = send
        self._status = self._sent = 0
        self.begun = perf_counter()

    def send(self, message: MutableMapping[str, Any]) -> Awaitable[None]:
        """Send a message."""
        if "status" in message:
            self._status = message["status"]
            if (given := self._call.request.headers.get(XRAY)) is not None:
                message["headers"] = [*message["headers"], (XRAY.encode(), given[:LONGEST_XRAY].encode("latin-1"))]
        else:
            self._sent += len(message["body"])
        return self._send(message)

    def end(self) -> None:
        """It is answered, or its client has gone."""
        requests, call = self._requests, self._call
        requests.in_flight -= 1
        try:
            received = int(call.request.headers.get("content-length", 0))
        except ValueError:
            received = 0  # it was refused for that
        requests.count(call, self._status, perf_counter() - self.begun, received, self._sent)
