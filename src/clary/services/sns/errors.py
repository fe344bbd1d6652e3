"""The errors of SNS.

Reference: https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class InvalidParameter(ServiceError):
    """A parameter does not make sense."""

    code = "InvalidParameter"
    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid parameter: {reason}")


class NotFound(ServiceError):
    """There is no such topic or subscription."""

    code = "NotFound"
    status = 404


class ResourceNotFound(ServiceError):
    """There is no resource with tags of that ARN."""

    code = "ResourceNotFound"
    status = 404

    def __init__(self) -> None:
        super().__init__("Resource does not exist")


class TagLimitExceeded(ServiceError):
    """A topic would have more tags than it can."""

    code = "TagLimitExceeded"
    status = 400


class EmptyBatchRequest(ServiceError):
    """A batch without entries."""

    code = "EmptyBatchRequest"
    status = 400


class TooManyEntriesInBatchRequest(ServiceError):
    """A batch with more entries than ten."""

    code = "TooManyEntriesInBatchRequest"
    status = 400


class BatchEntryIdsNotDistinct(ServiceError):
    """Two entries of a batch have the same id."""

    code = "BatchEntryIdsNotDistinct"
    status = 400


class InvalidBatchEntryId(ServiceError):
    """The id of a batch's entry has another form than it must have."""

    code = "InvalidBatchEntryId"
    status = 400


class BatchRequestTooLong(ServiceError):
    """The messages of a batch are too long together."""

    code = "BatchRequestTooLong"
    status = 400
