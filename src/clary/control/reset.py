"""Back to an empty installation, for tests: jobs are killed and resources forgotten; the administrator's key stays."""

from __future__ import annotations

from clary.control.scheduler import Scheduler
from clary.resources.context import Platform
from clary.services.iam.api import Identities
from clary.services.kms.seeded import add_test_keys


def reset(platform: Platform, identities: Identities, scheduler: Scheduler) -> None:
    """Forget all resources and end all jobs."""
    # A reconciler at work could launch a job whose record is gone, when all jobs have been ended already.
    with scheduler.quiet():
        with platform.database.write() as transaction:
            transaction.clear()
        platform.functions.end_all(keep_logs=False)
        for job in platform.placement.list():
            platform.placement.remove(job)
        for volume in platform.placement.volumes():
            platform.placement.discard(volume)
        platform.placement.retire_all()
        identities.bootstrap()
        if platform.settings.test_mode:
            add_test_keys(identities)
