"""Counts the requests that the edge answers: a few additions each, under labels of which there are few.

What a caller may choose never makes a label by itself: an operation has one from its first call on that somebody known
has made, and up to a number of them; all others are counted together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from time import perf_counter
from typing import Any

from clary.core.exposition import Family, Sample, single
from clary.edge.trail import Call

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
"""Seconds; the upper ends of the buckets of latencies."""
MOST_LABELS = 1_000
"""Pairs of a service and an operation that are told apart."""
_SERVICES = 64
OTHER = "other"

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Requests:
    """What was counted since the process began; for the thread of the edge's loop."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._counts: dict[tuple[str, str, int], int] = {}
        self._known: set[tuple[str, str]] = set()
        self._latencies: dict[str, list[float]] = {}
        """By service: a count for each bucket and beyond, and then the sum of seconds, bytes received and sent."""

    def begin(self, call: Call, send: Send) -> Watched:
        """A request has come, which is answered through what this gives."""
        self.in_flight += 1
        return Watched(self, call, send)

    def count(self, call: Call, status: int, seconds: float, received: int, sent: int) -> None:
        """A request was answered; 0 is the status of one whose client went away before."""
        service, operation = call.service, call.operation
        if (service, operation) not in self._known:
            service, operation = self._named(call, status)
        key = (service, operation, status // 100)
        counts = self._counts
        counts[key] = counts.get(key, 0) + 1
        latencies = self._latencies.get(service)
        if latencies is None:
            latencies = self._latencies[service] = [0.0] * (len(BOUNDS) + 4)
        latencies[bisect_left(BOUNDS, seconds)] += 1
        latencies[-3] += seconds
        latencies[-2] += received
        latencies[-1] += sent

    def _named(self, call: Call, status: int) -> tuple[str, str]:
        label = (call.service or "clary", call.operation or OTHER)
        if call.service and call.principal is None and not 200 <= status < 400:
            return OTHER, OTHER
        if label not in self._known:
            services = {service for service, _ in self._known}
            if len(self._known) >= MOST_LABELS or (label[0] not in services and len(services) >= _SERVICES):
                return OTHER, OTHER
            if status >= 400 or not status:
                # It may be a word that names nothing: what there is has been answered well once.
                return (label[0] if label[0] in services else OTHER), OTHER
            self._known.add(label)
        return label

    def families(self) -> Iterator[Family]:
        """What was counted, for Prometheus."""
        requests = [
            Sample({"service": service, "operation": operation, "status": f"{family}xx" if family else "gone"}, count)
            for (service, operation, family), count in self._counts.items()
        ]
        yield Family("clary_edge_requests_total", "counter", "Requests answered.", requests)
        yield single("clary_edge_requests_in_flight", "gauge", "Requests under way.", self.in_flight)
        seconds: list[Sample] = []
        received: list[Sample] = []
        sent: list[Sample] = []
        for service, counted in self._latencies.items():
            of, total = {"service": service}, 0.0
            for bound, count in zip((*BOUNDS, "+Inf"), counted, strict=False):
                total += count
                seconds.append(Sample({**of, "le": str(bound)}, total, "_bucket"))
            seconds += [Sample(of, counted[-3], "_sum"), Sample(of, total, "_count")]
            received.append(Sample(of, counted[-2]))
            sent.append(Sample(of, counted[-1]))
        yield Family("clary_edge_request_seconds", "histogram", "From the head of a request to its answer.", seconds)
        yield Family("clary_edge_received_bytes_total", "counter", "Bodies of requests, as announced.", received)
        yield Family("clary_edge_sent_bytes_total", "counter", "Bodies of answers.", sent)


class Watched:
    """One request under way; called as ASGI's ``send``."""

    __slots__ = ("_call", "_requests", "_send", "_sent", "_status", "begun")

    def __init__(self, requests: Requests, call: Call, send: Send) -> None:
        self._requests = requests
        self._call = call
        self._send = send
        self._status = self._sent = 0
        self.begun = perf_counter()

    def __call__(self, message: MutableMapping[str, Any]) -> Awaitable[None]:
        """Send a message."""
        if message["type"] == "http.response.body":
            self._sent += len(message.get("body", b""))
        else:
            self._status = message["status"]
        return self._send(message)

    def end(self) -> None:
        """It is answered, or its client has gone."""
        requests, call = self._requests, self._call
        requests.in_flight -= 1
        length = call.request.headers.get("content-length", "")
        received = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0
        requests.count(call, self._status, perf_counter() - self.begun, received, self._sent)
