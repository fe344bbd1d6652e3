"""The errors of CloudWatch Logs.

Reference: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError
from clary.wire.validate import InvalidParameterException

__all__ = ["InvalidOperationException", "InvalidParameterException", "TooManyTagsException"]


class InvalidOperationException(ServiceError):
    """The resource is in a state that forbids the operation."""

    code = "InvalidOperationException"
    status = 400


class TooManyTagsException(ServiceError):
    """A log group can have fifty tags."""

    code = "TooManyTagsException"
    status = 400
