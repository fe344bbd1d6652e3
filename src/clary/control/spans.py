"""The spans of what happens to a resource after the request that made it was answered.

The place of the job's own span follows from that of the request, so that the job can be told it before it runs, and
whichever process sees it end can send it.
"""

from __future__ import annotations

from collections.abc import Iterator

from clary.core.tracing import Tracer, read
from clary.resources.changes import TRACE
from clary.services.sagemaker.execution.api import KINDS
from clary.services.sagemaker.execution.traced import job_place
from clary.state.records import Record

_RUNS = {"ProcessingJob": "Processing", "TransformJob": "Transform"}
"""What the members that tell when a job ran begin with; training jobs tell each of their steps."""


def trace_look(tracer: Tracer, record: Record, began: float, ended: float) -> None:
    """Send the span of a look that has changed a resource and, if a job ended with it, those of the job."""
    trace = read(record.document.get(TRACE))
    if trace is None:
        return
    kind = record.key.kind
    told = {"aws.arn": record.arn, "clary.status": record.status}
    tracer.keep(f"reconcile {kind}", trace.derived(f"{began}"), trace, began, ended, attributes=told)
    if kind not in KINDS or record.wake_at is not None:
        return
    job, error = job_place(record), ""
    assert job is not None
    if record.status == "Failed":
        error = str(record.document.get("FailureReason", "Failed"))
    tracer.keep(f"{kind} {record.name}", job, trace, record.created, ended, error=error, attributes=told)
    for name, first, last in _steps(record, ended):
        tracer.keep(name, job.derived(f"{name}{first}"), job, first, last)


def _steps(record: Record, ended: float) -> Iterator[tuple[str, float, float]]:
    """What a job did, with its times."""
    document = record.document
    for step in document.get("SecondaryStatusTransitions", ()):
        if "EndTime" in step and step["EndTime"] > step["StartTime"]:
            yield step["Status"], step["StartTime"], step["EndTime"]
    runs = _RUNS.get(record.key.kind, "")
    if (start := document.get(f"{runs}StartTime")) is not None:
        yield "Pending", record.created, start
        yield runs, start, document.get(f"{runs}EndTime", ended)
