"""The place of a resource in the trace of the request that made it.

What a resource makes for its owner, and what runs for it, goes on with that trace.
"""

from __future__ import annotations

from clary.core.tracing import Trace, read
from clary.state.records import Record

TRACE = "_trace"
"""In a document: the ``traceparent`` of the request that made the resource, if it was traced."""


def own_place(record: Record) -> Trace | None:
    """The place of the span of a resource itself; ``None`` where the request that made it was not traced."""
    trace = read(record.document.get(TRACE))
    return trace.derived(record.arn) if trace is not None else None


def variables(place: Trace | None) -> dict[str, str]:
    """What tells a process its place, so that the spans which it makes itself lie below that.

    Reference: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
    """
    return {"TRACEPARENT": str(place)} if place is not None else {}
