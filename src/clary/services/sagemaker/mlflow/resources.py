"""The tracking server as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMlflowTrackingServer.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from clary.compute.images.catalog import ImageNotExact, ImageNotFound, find
from clary.core.errors import ConflictException, ValidationException
from clary.core.ids import token
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.mlflow.addresses import api_url
from clary.services.sagemaker.mlflow.job import image_of
from clary.services.sagemaker.mlflow.lifecycle import RENEW, TRACKING_SERVER, UP, reconcile
from clary.services.sagemaker.mlflow.registration import REGISTERED
from clary.state.records import Record
from clary.state.transaction import Transaction

VERSION = "3.17.2"
MAINTENANCE = "Sun:03:00"
"""The documentation names no default. Nothing is done at that time: a server is as new as Clary is."""
_RENEWING = ("ArtifactStoreUri", "TrackingServerSize", "S3BucketOwnerAccountId", "S3BucketOwnerVerification")
"""Members whose change takes another server."""
_FAILED = ("StartFailed", "UpdateFailed")


def _check(params: Mapping[str, Any]) -> None:
    if not params.get("ArtifactStoreUri", "s3://").startswith("s3://"):
        raise ValidationException(f"ArtifactStoreUri must be an S3 URI, got {params['ArtifactStoreUri']}.")


def _prepare(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    _check(params)
    defaults = {
        "TrackingServerSize": "Small",
        "MlflowVersion": VERSION,
        "AutomaticModelRegistration": False,
        "WeeklyMaintenanceWindowStart": MAINTENANCE,
        "S3BucketOwnerAccountId": context.account,
        "S3BucketOwnerVerification": True,
    }
    for member, value in defaults.items():
        params.setdefault(member, value)
    try:
        find(image_of(params["MlflowVersion"]), strict=context.platform.settings.strict)
    except (ImageNotFound, ImageNotExact) as error:
        version = params["MlflowVersion"]
        raise ValidationException(f"MLflow version {version} is not supported. Use {VERSION}.") from error
    params |= {"_id": f"t-{token(16)}", REGISTERED: _milliseconds(context)}


def _amend(context: Context, _: Transaction, record: Record, changes: dict[str, Any]) -> None:
    _check(changes)
    if record.status not in (*UP, *_FAILED):
        raise _conflict("update", record)
    if changes.get("AutomaticModelRegistration") and not record.document["AutomaticModelRegistration"]:
        # Models that were there before stay where they are.
        changes[REGISTERED] = _milliseconds(context)
    if any(changes.get(member, record.document[member]) != record.document[member] for member in _RENEWING):
        changes[RENEW] = True
    TRACKING_SERVER.move(record, "Updating")
    record.wake_at = context.platform.clock()


def _milliseconds(context: Context) -> int:
    return int(context.platform.clock() * 1000)


def _stop(context: Context, record: Record) -> None:
    if record.status not in UP:
        raise _conflict("stop", record)
    TRACKING_SERVER.move(record, "Stopping")
    record.wake_at = context.platform.clock()


def _start(context: Context, record: Record) -> None:
    if record.status not in ("Stopped", *_FAILED):
        raise _conflict("start", record)
    TRACKING_SERVER.move(record, "Starting")
    record.wake_at = context.platform.clock()


def _conflict(verb: str, record: Record) -> ConflictException:
    return ConflictException(f"Cannot {verb} tracking server {record.arn}: it is in status {record.status}.")


def _remove(context: Context, _: Transaction, record: Record) -> bool:
    if record.status != "Deleting":
        TRACKING_SERVER.move(record, "Deleting")
    record.wake_at = context.platform.clock()
    return False


def _is(status: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda detail: detail["TrackingServerStatus"] == status


tracking_servers = Resource(
    SAGEMAKER,
    "MlflowTrackingServer",
    names=("TrackingServerName",),
    arn_member="TrackingServerArn",
    status="TrackingServerStatus",
    initial="Creating",
    descending=True,
    prepare=_prepare,
    amend=_amend,
    stop=_stop,
    start=_start,
    remove=_remove,
    computed={
        "TrackingServerUrl": lambda context, _, record: api_url(context.platform.settings, record.document["_id"]),
        "IsActive": lambda _, __, record: "Active" if record.status in UP else "Inactive",
    },
    reconcile=reconcile,
    # Each status has events of its own: SageMaker Tracking Server Create Failed.
    tells=tuple(
        StateChange(f"SageMaker Tracking Server {re.sub('(?<=[a-z])(?=[A-Z])', ' ', status)}", _is(status))
        for status in TRACKING_SERVER.statuses
    ),
)
RESOURCES = (tracking_servers,)
