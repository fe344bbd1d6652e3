"""The errors of EventBridge Scheduler.

Reference: https://docs.aws.amazon.com/scheduler/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class ResourceNotFoundException(ServiceError):
    """A schedule or a group that the request names does not exist."""

    code = "ResourceNotFoundException"
    status = 404
