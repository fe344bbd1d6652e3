"""What an export of a model card does: one version of the card goes to S3 as a PDF document.

It is written as the caller of ``CreateModelCardExportJob``. A job that is killed between the upload and its end is done
again, and writes the same bytes to the same place.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelCardExportJob.html
"""

from __future__ import annotations

import re
import threading
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Platform, Reconciliation
from clary.resources.lifecycle import Lifecycle
from clary.services.iam.api import Principal
from clary.services.s3_as_caller import Refused, Unanswered, put
from clary.services.sagemaker.cards.content import SECTIONS
from clary.state.records import Record

RETRY_SECONDS = 1.0
"""How long an export waits when S3 does not answer."""
PATIENCE_SECONDS = 900.0
"""After how long without an answer it fails."""
BUSY_SECONDS = 0.1
VERSIONS = "ModelCardVersion"
"""The kind of the records that hold the versions of cards."""
CALLER = "_caller"
"""In a job's document: who asked for it."""

_JOB = Lifecycle({"InProgress": ("Completed", "Failed")})
_DRAWING = threading.Lock()
"""One document is made at a time: the library keeps the state of fonts for the whole process, and a card that takes
seconds shall not keep more than one thread from other work."""
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_PLACES = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"s3://({_BUCKET})(?:/(.*))?",
        rf"https://({_BUCKET})\.s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?(?:/(.*))?",
        rf"https://s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?/({_BUCKET})(?:/(.*))?",
    )
)


def place(path: str) -> tuple[str, str]:
    """Bucket and prefix of an ``S3OutputPath``. Raises ``ValidationException``."""
    for pattern in _PLACES:
        if match := pattern.fullmatch(path):
            return match[1], (match[2] or "").strip("/")
    raise ValidationException(f"The S3 output path {path} is invalid.")


def remember_caller(context: Context, params: dict[str, Any]) -> None:
    """Keep in a new job who asks for it."""
    assert isinstance(context.caller, Principal)
    params[CALLER] = context.caller.to_json()


def export(look: Reconciliation) -> float | None:
    """Take the next step for an export (see ``clary.resources.context.Reconciler``)."""
    platform, record = look.platform, look.record
    bucket, prefix = place(record.document["OutputConfig"]["S3OutputPath"])
    # As the recorded answers in the tests of AWS's SDK for Python have it.
    key = "/".join(filter(None, (prefix, record.document["ModelCardName"], f"{record.name}.pdf")))
    target = f"s3://{bucket}/{key}"
    if not _DRAWING.acquire(blocking=False):
        return BUSY_SECONDS
    try:
        document = _document(platform, record)
    finally:
        _DRAWING.release()
    if document is None:
        return _fail(look, "InternalServerError: The model card cannot be laid out on pages.")
    try:
        caller = Principal.from_json(record.document[CALLER])
        put(platform, caller, record.key.region, bucket, key, document, "application/pdf")
    except Refused as error:
        return _fail(look, f"ClientError: The model card cannot be written to {target}: {error}")
    except Unanswered as error:
        if platform.clock() - record.created < PATIENCE_SECONDS:
            return RETRY_SECONDS
        return _fail(look, f"InternalServerError: The model card cannot be written to {target}: {error}")
    record.document["ExportArtifacts"] = {"S3ExportArtifacts": target}
    return _end(look, "Completed")


def _fail(look: Reconciliation, reason: str) -> float | None:
    look.record.document["FailureReason"] = reason[:1024]
    return _end(look, "Failed")


def _end(look: Reconciliation, status: str) -> float | None:
    _JOB.move(look.record, status)
    look.record.wake_at = None
    look.save()
    return None


def _document(platform: Platform, record: Record) -> bytes | None:
    """The PDF document of the version that the job exports, or ``None`` if it cannot be made."""
    # Slow to import, and only exports need it.
    from reportlab.platypus.doctemplate import LayoutError

    from clary.services.sagemaker.cards.page import Card, render

    name, number = record.document["ModelCardName"], record.document["ModelCardVersion"]
    with platform.database.read() as transaction:
        version = transaction.get(record.key._replace(kind=VERSIONS, parent=name, name=str(number)))
    if version is None:
        # The card was deleted, and with it the job.
        return None
    known = version.document
    card = Card(
        name=name,
        arn=record.arn.partition("/export-job/")[0],
        version=number,
        status=known["ModelCardStatus"],
        content=known["Content"],
        created=version.created,
        created_by=_who(known.get("CreatedBy")),
        modified=version.modified,
        modified_by=_who(known.get("LastModifiedBy") or known.get("CreatedBy")),
        exported=record.created,
    )
    try:
        return render(card, SECTIONS)
    except LayoutError:
        return None


def _who(user: Any) -> str:
    """The ARN in a ``UserContext``."""
    return str(user["IamIdentity"]["Arn"]) if user else ""
