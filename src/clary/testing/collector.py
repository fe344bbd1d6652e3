"""A stand-in for an OpenTelemetry collector, for tests of what is traced: it takes OTLP as JSON over HTTP.

Reference: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Span = dict[str, Any]
"""A span as OTLP has it: ``traceId``, ``spanId``, ``parentSpanId``, ``name``, ``status`` and so on."""


class Collector(ThreadingHTTPServer):
    """Keeps the spans that are posted to it; ``url`` is what ``otlp_endpoint`` is to be."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []
        self.processes: dict[str, str] = {}
        """Which process sent a span, by the span's id."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, trace_id: str) -> dict[str, Span]:
        """The spans of a trace by their names; the last of equal ones."""
        return {span["name"]: span for span in self.spans if span["traceId"] == trace_id}

    def below(self, parent: Span) -> list[Span]:
        """The children of a span, by when they began."""
        there = [
            span
            for span in self.spans
            if (span["traceId"], span.get("parentSpanId")) == (parent["traceId"], parent["spanId"])
        ]
        return sorted(there, key=lambda span: int(span["startTimeUnixNano"]))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        collector = self.server
        assert isinstance(collector, Collector)
        assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/json")
        for each in json.loads(self.rfile.read(int(self.headers["content-length"])))["resourceSpans"]:
            process = next(
                attribute["value"]["stringValue"]
                for attribute in each["resource"]["attributes"]
                if attribute["key"] == "service.instance.id"
            )
            for scope in each["scopeSpans"]:
                collector.processes.update({span["spanId"]: process for span in scope["spans"]})
                collector.spans += scope["spans"]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """A collector for the body of a ``with`` statement."""
    with Collector() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
