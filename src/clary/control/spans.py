"""The spans of what happens to a resource after the request that made it was answered.

The place of a job's own span follows from that of the request, so that the job can be told it before it runs, and
whichever process sees it end can send it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clary.core.tracing import Span, Tracer, read
from clary.resources.traced import TRACE, own_place
from clary.services.sagemaker.execution.api import KINDS
from clary.state.records import Record

_ENDING = (*KINDS, "HyperParameterTuningJob")
"""The kinds of resource that work until they come to an end, which is when nothing is left to do for them."""
_RUNS = {"ProcessingJob": "Processing", "TransformJob": "Transform"}
"""What the members that tell when a job ran begin with; training jobs tell each of their steps."""


def trace_look(tracer: Tracer, record: Record, over: Iterable[Span], began: float, ended: float) -> None:
    """Send the span of a look that has changed a resource, the spans that it told to be over, and, if a job ended with
    it, those of the job."""
    kind = record.key.kind
    told = {"aws.arn": record.arn, "clary.status": record.status}
    for span in over:
        tracer.keep(span.name, span.place, span.parent, span.began, span.ended, error=span.error, attributes=told)
    trace = read(record.document.get(TRACE))
    if trace is None:
        return
    tracer.keep(f"reconcile {kind}", trace.derived(f"{record.arn}{began}"), trace, began, ended, attributes=told)
    if kind not in _ENDING or record.wake_at is not None:
        return
    own, error = own_place(record), ""
    assert own is not None
    if record.status == "Failed":
        error = str(record.document.get("FailureReason", "Failed"))
    # It ended when that was stored; the look has gone on, while others who wait for the end may have ended, too.
    tracer.keep(f"{kind} {record.name}", own, trace, record.created, record.modified, error=error, attributes=told)
    for name, first, last in _steps(record):
        tracer.keep(name, own.derived(f"{name}{first}"), own, first, last)


def _steps(record: Record) -> Iterator[tuple[str, float, float]]:
    """What a job did, with its times."""
    document = record.document
    for step in document.get("SecondaryStatusTransitions", ()):
        if "EndTime" in step and step["EndTime"] > step["StartTime"]:
            yield step["Status"], step["StartTime"], step["EndTime"]
    runs = _RUNS.get(record.key.kind, "")
    if (start := document.get(f"{runs}StartTime")) is not None:
        yield "Pending", record.created, start
        yield runs, start, document.get(f"{runs}EndTime", record.modified)
