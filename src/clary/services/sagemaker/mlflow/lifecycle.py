"""How a tracking server comes up, stays up, changes, stops and goes.

What is to be remembered stands in its document: under ``_renew`` that the server which runs is not the one that is
wanted, under ``_registered`` how far its models are in the registry (``registration``). Where it answers is published
for the edge.
"""

from __future__ import annotations

import logging
from typing import Any

from clary.compute.images.catalog import ImageNotExact, ImageNotFound
from clary.compute.placement.base import Observation, PlacementError
from clary.core.errors import ServiceError
from clary.resources.context import Platform, Reconciliation
from clary.resources.lifecycle import Lifecycle
from clary.services.logs.api import register_stream
from clary.services.sagemaker.mlflow import addresses, registration
from clary.services.sagemaker.mlflow.job import image_of, server_id, server_spec
from clary.state.records import Record
from clary.state.transaction import Transaction

log = logging.getLogger(__name__)

UP = ("Created", "Started", "Updated")
TRACKING_SERVER = Lifecycle(
    {
        "Creating": ("Created", "CreateFailed", "Deleting"),
        "Starting": ("Started", "StartFailed", "Deleting"),
        "Updating": ("Updated", "UpdateFailed", "Deleting"),
        "Stopping": ("Stopped", "Deleting"),
        "Stopped": ("Starting", "Deleting"),
        "CreateFailed": ("Deleting",),
        "StartFailed": ("Starting", "Updating", "Deleting"),
        "UpdateFailed": ("Starting", "Updating", "Deleting"),
        **dict.fromkeys(UP, ("Updating", "Stopping", "Deleting")),
    }
)
_AIMS = {
    "Creating": ("Created", "CreateFailed"),
    "Starting": ("Started", "StartFailed"),
    "Updating": ("Updated", "UpdateFailed"),
}
"""What becomes of a server that is to come up: the good end, and the bad one."""

RENEW = "_renew"
ADDRESS = "_address"
LOG_GROUP = "/aws/sagemaker/MlflowTrackingServers"
LAUNCHES = 5
"""How often a server is launched whose agent dies before it is up."""
STARTING_SECONDS = 0.5
UP_SECONDS = 2.0
"""How often a server that is up is looked at, even if its agent says nothing."""
TICKET_SECONDS = 10 * 365 * 86_400.0
"""A server may run for years, and fetches its credentials by the hour."""


class ServerFailed(Exception):
    """The server does not come up; the message says why."""


def reconcile(look: Reconciliation) -> float | None:
    """Take the next step for a tracking server (see ``clary.resources.context.Reconciler``)."""
    status = look.record.status
    if status in _AIMS:
        return _come_up(look)
    if status in UP:
        return _stay_up(look)
    if status == "Stopping":
        return _stop(look)
    if status == "Deleting":
        return _delete(look)
    return None


def _come_up(look: Reconciliation) -> float | None:
    platform, record = look.platform, look.record
    good, bad = _AIMS[record.status]
    try:
        if RENEW in record.document:
            return _renew(look)
        observed = platform.placement.observe(server_id(record))
        if observed.terminal is not None:
            raise ServerFailed(str(observed.terminal.get("detail") or observed.terminal.get("message", "")))
        if not observed.started or observed.lost:
            if observed.attempt >= LAUNCHES:
                raise ServerFailed(f"The agent of the server died {observed.attempt} times.")
            _launch_when_ready(platform, record, observed)
            return STARTING_SECONDS
        if observed.address is None:
            return STARTING_SECONDS
    except ServerFailed as error:
        log.warning("%s is %s: %s", record.arn, bad, error)
        platform.placement.remove(server_id(record), keep_log=True)
        TRACKING_SERVER.move(record, bad)
        record.wake_at = None
        _publish(look, None)
        return None
    TRACKING_SERVER.move(record, good)
    _publish(look, observed.address)
    return UP_SECONDS


def _renew(look: Reconciliation) -> float:
    """End the server that runs, so that one takes its place that is as the record wants it."""
    if not _ended(look):
        return STARTING_SECONDS
    del look.record.document[RENEW]
    _publish(look, None)
    return 0.0


def _stay_up(look: Reconciliation) -> float:
    platform, record = look.platform, look.record
    observed = platform.placement.observe(server_id(record))
    if observed.due_again(platform.clock()):
        try:
            _launch_when_ready(platform, record, observed)
        except ServerFailed as error:
            log.warning("%s: %s", record.arn, error)  # it is tried again at the next look
        observed = platform.placement.observe(server_id(record))
    if observed.address != record.document.get(ADDRESS):
        _publish(look, observed.address)
    if observed.address is not None and registration.is_wanted(record):
        registration.register(look, observed.address)
        return registration.POLL_SECONDS
    return UP_SECONDS


def _launch_when_ready(platform: Platform, record: Record, observed: Observation) -> None:
    """Launch the server's next attempt, or have its image built first. Raises ``ServerFailed``."""
    uri = image_of(record.document["MlflowVersion"])
    try:
        state = platform.images.ensure(uri)
        if state.state == "failed":
            raise ServerFailed(f"The image {uri} cannot be built: {state.message}")
        if state.state != "ready":
            return
        spec = server_spec(platform, record, platform.images.spec(uri), observed.attempt + 1)
        ticket = platform.identity.ticket(spec.role_arn, "SageMaker", TICKET_SECONDS, record.id)
        path = platform.placement.log(spec.id)
        register_stream(platform, record.key.account, record.key.region, LOG_GROUP, record.name, path)
        platform.placement.launch(spec, ticket)
    except (ImageNotFound, ImageNotExact, PlacementError) as error:
        raise ServerFailed(str(error)) from error
    except ServiceError as error:
        # The role was deleted since the server was made.
        raise ServerFailed(f"Could not assume role {record.document['RoleArn']}: {error.message}") from error


def _stop(look: Reconciliation) -> float | None:
    if look.record.document.get(ADDRESS) is not None:
        _publish(look, None)
    if not _ended(look):
        return STARTING_SECONDS
    TRACKING_SERVER.move(look.record, "Stopped")
    look.record.wake_at = None
    _publish(look, None)
    return None


def _ended(look: Reconciliation) -> bool:
    """Tell the server to end what it does; whether it has ended, and is forgotten but for its volume and its log."""
    platform, job = look.platform, server_id(look.record)
    observed = platform.placement.observe(job)
    if observed.alive and observed.terminal is None:
        platform.placement.stop(job)
        return False
    platform.placement.remove(job, keep_log=True)
    return True


def _delete(look: Reconciliation) -> float | None:
    platform, record = look.platform, look.record
    platform.placement.remove(server_id(record), keep_log=True)
    platform.placement.discard(server_id(record))
    look.delete(lambda transaction: _route(transaction, record, None))
    return None


def _publish(look: Reconciliation, address: str | None) -> None:
    """Store the server, and tell the edge where it answers, or that it does not now."""
    record = look.record
    record.document[ADDRESS] = address
    document = {
        "arn": record.arn,
        "server": record.document["_id"],
        "address": address,
        "stopped": record.wake_at is None or record.status == "Stopping",
    }
    look.save(lambda transaction: _route(transaction, record, document))


def _route(transaction: Transaction, record: Record, document: dict[str, Any] | None) -> None:
    key = record.key
    transaction.set_route(key.account, key.region, f"{addresses.KIND}/{key.name}", document)
