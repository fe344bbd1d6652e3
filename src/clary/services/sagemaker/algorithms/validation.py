"""The validation of an algorithm: how its training job goes shows in the algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AlgorithmStatusDetails.html
"""

from __future__ import annotations

from typing import Any

from clary.resources.context import Reconciliation
from clary.resources.lifecycle import Lifecycle
from clary.state.records import Record

VALIDATION = "_validation"
"""In an algorithm's document: the ARN of the training job that validates it, by the name of the profile."""
STATUSES = "_validation_statuses"
UNDER_WAY = ("Pending", "InProgress")
"""The statuses of an algorithm whose validation has not ended."""
POLL_SECONDS = 1.0

_ALGORITHM = Lifecycle({"Pending": ("InProgress", "Completed", "Failed"), "InProgress": ("Completed", "Failed")})
_SEEN = {"InProgress": "InProgress", "Stopping": "InProgress", "Completed": "Completed"}


def details(record: Record) -> dict[str, Any]:
    """``AlgorithmStatusDetails``; images are not scanned."""
    return {"ValidationStatuses": record.document.get(STATUSES, []), "ImageScanStatuses": []}


def begin(record: Record, jobs: dict[str, str]) -> None:
    """Let a new algorithm wait for its validation by ``jobs``: the ARNs of training jobs by the profile's name."""
    record.status = "Pending"
    record.document[VALIDATION] = jobs
    record.document[STATUSES] = [{"Name": name, "Status": "NotStarted"} for name in jobs]


def follow(look: Reconciliation) -> float | None:
    """Take over how the training jobs of an algorithm's validation are doing (see ``Reconciler``)."""
    record = look.record
    if record.status not in UNDER_WAY:
        record.wake_at = None
        look.save()
        return None
    statuses = [_status(look, name, arn) for name, arn in record.document[VALIDATION].items()]
    reached = {status["Status"] for status in statuses}
    # A failure counts once every profile has ended, so that all that went wrong is shown.
    over = "InProgress" not in reached
    status = ("Failed" if "Failed" in reached else "Completed") if over else "InProgress"
    if status != record.status or statuses != record.document[STATUSES]:
        record.document[STATUSES] = statuses
        if status != record.status:
            _ALGORITHM.move(record, status)
        record.wake_at = None if over else record.wake_at
        look.save()
    return None if over else POLL_SECONDS


def _status(look: Reconciliation, profile: str, arn: str) -> dict[str, Any]:
    with look.platform.database.read() as transaction:
        job = transaction.by_arn(arn)
    if job is None:
        return {"Name": profile, "Status": "Failed", "FailureReason": f"The training job {arn} was deleted."}
    status = _SEEN.get(job.status, "Failed")
    if status != "Failed":
        return {"Name": profile, "Status": status}
    reason = job.document.get("FailureReason", f"it was {job.status.lower()} before its end")
    return {"Name": profile, "Status": status, "FailureReason": f"Training job {job.name} did not complete: {reason}"}
