"""Spans of traces, sent to an OpenTelemetry collector as JSON over HTTP.

The SDK of OpenTelemetry was not taken: what is needed of it is a trace's id that goes along with a request, and a list
of spans that is posted. Nothing here waits for the collector: what it does not take in time is counted and forgotten.

References: https://www.w3.org/TR/trace-context/#traceparent-header, https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import json
import logging
import queue
import re
import secrets
import time
import urllib.request
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from clary.core.exposition import Family, single

log = logging.getLogger(__name__)

MOST_WAITING = 4_096
"""Spans that wait to be sent; further ones are dropped."""
MOST_SENT = 512
"""Spans of one request to the collector."""
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
COMPLAINT_SECONDS = 60.0

_KINDS = {"internal": 1, "server": 2}
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


class Trace(NamedTuple):
    """A place in a trace: that of the span which is the parent of what begins here."""

    trace_id: str
    span_id: str
    sampled: bool = True

    def __str__(self) -> str:
        """As the header ``traceparent`` has it."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def derived(self, what: str) -> Trace:
        """The place of a span below this one whose id is the same whoever makes it, and whenever."""
        return self._replace(span_id=sha256(f"{self.trace_id}{self.span_id}{what}".encode()).hexdigest()[:16])


class Span(NamedTuple):
    """What is over and had its place in a trace; times are seconds since the epoch."""

    name: str
    place: Trace
    parent: Trace
    began: float
    ended: float
    error: str = ""


def read(header: str | None) -> Trace | None:
    """The place that a ``traceparent`` names; ``None`` where there is none, or none that may be understood."""
    match = _TRACEPARENT.fullmatch(header) if header else None
    if match is None or (header is not None and header.startswith("00") and len(header) != 55):
        return None
    return Trace(match[1], match[2], bool(int(match[3], 16) & 1))


def place_below(parent: Trace | None) -> Trace:
    """The place of a new span below ``parent``, or of the first one of a new trace."""
    span_id = secrets.token_hex(8)
    return Trace(secrets.token_hex(16), span_id) if parent is None else parent._replace(span_id=span_id)


class Tracer:
    """Takes spans from any thread, and sends them in that which calls ``run``."""

    def __init__(self, endpoint: str, process: str) -> None:
        """``endpoint`` is the collector's address, without ``/v1/traces``; ``process`` tells this one from others."""
        self._address = f"{endpoint.rstrip('/')}/v1/traces"
        self._process = process
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_WAITING)
        self._sent = self._dropped = 0
        self._complained = -COMPLAINT_SECONDS

    def keep(
        self,
        name: str,
        place: Trace,
        parent: Trace | None,
        began: float,
        ended: float,
        kind: Literal["internal", "server"] = "internal",
        error: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a span that is over, unless its trace is not sampled; times are seconds since the epoch."""
        if not place.sampled:
            return
        span: dict[str, Any] = {
            "traceId": place.trace_id,
            "spanId": place.span_id,
            "name": name,
            "kind": _KINDS[kind],
            "startTimeUnixNano": str(int(began * 1e9)),
            "endTimeUnixNano": str(int(max(began, ended) * 1e9)),
            "attributes": _attributes(attributes or {}),
            "status": {"code": 2, "message": error} if error else {},
        }
        if parent is not None:
            span["parentSpanId"] = parent.span_id
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            self._dropped += 1

    def run(self) -> None:
        """Send what comes, until ``close``."""
        over = False
        while not over:
            spans = [self._waiting.get()]
            until = time.monotonic() + EVERY_SECONDS
            while spans[-1] is not None and len(spans) < MOST_SENT:
                try:
                    spans.append(self._waiting.get(timeout=max(0.0, until - time.monotonic())))
                except queue.Empty:
                    break
            over = spans[-1] is None
            self._send([span for span in spans if span is not None])

    def close(self) -> None:
        """End ``run`` when what waits is sent; where too much waits, what comes first is dropped."""
        while True:
            try:
                self._waiting.put_nowait(None)
                return
            except queue.Full:
                self._waiting.get_nowait()
                self._dropped += 1

    def families(self) -> list[Family]:
        """What became of the spans, for Prometheus."""
        return [
            single("clary_spans_sent_total", "counter", "Spans that the collector has taken.", self._sent),
            single("clary_spans_dropped_total", "counter", "Spans that it has not, or not in time.", self._dropped),
        ]

    def _send(self, spans: list[dict[str, Any]]) -> None:
        if not spans:
            return
        of = {"attributes": _attributes({"service.name": "clary", "service.instance.id": self._process})}
        document = {"resourceSpans": [{"resource": of, "scopeSpans": [{"scope": {"name": "clary"}, "spans": spans}]}]}
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._address, json.dumps(document).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
                response.read()
            self._sent += len(spans)
        except (OSError, ValueError) as error:
            self._dropped += len(spans)
            if time.monotonic() - self._complained > COMPLAINT_SECONDS:
                self._complained = time.monotonic()
                log.warning("spans cannot be sent to %s: %s", self._address, error)


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}}
        for key, value in values.items()
    ]
