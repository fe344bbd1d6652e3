"""What a control plane that was killed left half done on this machine: processes and folders of jobs that are over."""

from __future__ import annotations

import logging

from clary.compute.functions.pool import is_environment
from clary.compute.placement.base import PlacementError
from clary.control.wake import row_of
from clary.resources.context import Platform

log = logging.getLogger(__name__)


def end_leftovers(platform: Platform) -> None:
    """End the jobs whose resource is gone or has no work to do any more; the logs of the latter stay.

    The end of a job is recorded first and cleaned up after, and a kill can come in between. Volumes go with their
    resource, as jobs do.
    """
    for job in platform.placement.list():
        row = row_of(job)
        if row is None or is_environment(job):
            continue
        with platform.database.read() as transaction:
            record = transaction.by_id(row)
        if record is None or record.wake_at is None:
            log.info("ending what is left of %s", job)
            try:
                platform.placement.remove(job, keep_log=record is not None)
            except (PlacementError, OSError):
                log.exception("%s cannot be ended", job)
    for volume in platform.placement.volumes():
        row = row_of(volume)
        with platform.database.read() as transaction:
            gone = row is not None and transaction.by_id(row) is None
        if gone:
            log.info("discarding the volume %s", volume)
            platform.placement.discard(volume)
