"""The place of a job in the trace of the request that made it.

Reference: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
"""

from __future__ import annotations

from clary.core.tracing import Trace, read
from clary.resources.changes import TRACE
from clary.state.records import Record


def job_place(record: Record) -> Trace | None:
    """The place of the job's span; ``None`` where its request was not traced."""
    trace = read(record.document.get(TRACE))
    return trace.derived("job") if trace is not None else None


def job_variables(record: Record) -> dict[str, str]:
    """What tells a job its place, so that the spans which it makes itself lie below its own."""
    place = job_place(record)
    return {"TRACEPARENT": str(place)} if place is not None else {}
