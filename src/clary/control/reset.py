"""Back to an empty installation, for tests: jobs are killed and resources forgotten; the administrator's key stays."""

from __future__ import annotations

from clary.resources.context import Platform
from clary.services.iam.api import Identities


def reset(platform: Platform, identities: Identities) -> None:
    """Forget all resources and end all jobs."""
    with platform.database.write() as transaction:
        transaction.clear()
    for job in platform.placement.list():
        platform.placement.remove(job)
    identities.bootstrap()
