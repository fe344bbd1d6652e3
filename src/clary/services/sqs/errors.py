"""The errors of SQS, with the codes of its query protocol, under which boto3 tells them too.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError

_OLD = "AWS.SimpleQueueService."


class QueueDoesNotExist(ServiceError):
    """There is no such queue."""

    code = "QueueDoesNotExist"
    status = 400
    query_code = f"{_OLD}NonExistentQueue"

    def __init__(self) -> None:
        super().__init__("The specified queue does not exist.")


class QueueNameExists(ServiceError):
    """There is a queue of that name with other attributes."""

    code = "QueueNameExists"
    status = 400
    query_code = "QueueAlreadyExists"


class InvalidParameterValue(ServiceError):
    """A parameter does not make sense."""

    code = "InvalidParameterValue"
    status = 400


class MissingParameter(ServiceError):
    """A parameter is needed and was not given."""

    code = "MissingParameter"
    status = 400

    def __init__(self, name: str) -> None:
        super().__init__(f"The request must contain the parameter {name}.")


class InvalidAttributeName(ServiceError):
    """Queues have no such attribute, or it cannot be set."""

    code = "InvalidAttributeName"
    status = 400


class InvalidAttributeValue(ServiceError):
    """An attribute of a queue cannot have that value."""

    code = "InvalidAttributeValue"
    status = 400


class InvalidMessageContents(ServiceError):
    """A message has characters that messages cannot have."""

    code = "InvalidMessageContents"
    status = 400


class InvalidAddress(ServiceError):
    """The address is not that of a queue."""

    code = "InvalidAddress"
    status = 400

    def __init__(self, url: str) -> None:
        super().__init__(f"The address {url[:512]} is not valid for this endpoint.")


class ReceiptHandleIsInvalid(ServiceError):
    """The receipt handle is none that this queue gave out."""

    code = "ReceiptHandleIsInvalid"
    status = 400

    def __init__(self, handle: str) -> None:
        super().__init__(f'The input receipt handle "{handle[:1024]}" is not a valid receipt handle.')


class MessageNotInflight(ServiceError):
    """The message is not in flight."""

    code = "MessageNotInflight"
    status = 400
    query_code = f"{_OLD}MessageNotInflight"

    def __init__(self) -> None:
        super().__init__("The message referred to isn't in flight.")


class OverLimit(ServiceError):
    """Too many messages are in flight, or something else has reached its limit."""

    code = "OverLimit"
    status = 403


class PurgeQueueInProgress(ServiceError):
    """The queue was purged less than a minute ago."""

    code = "PurgeQueueInProgress"
    status = 403
    query_code = f"{_OLD}PurgeQueueInProgress"

    def __init__(self, name: str) -> None:
        super().__init__(f"Only one PurgeQueue operation on {name} is allowed every 60 seconds.")


class UnsupportedOperation(ServiceError):
    """The queue is not one for which that can be done."""

    code = "UnsupportedOperation"
    status = 400
    query_code = f"{_OLD}UnsupportedOperation"


class EmptyBatchRequest(ServiceError):
    """A batch without entries."""

    code = "EmptyBatchRequest"
    status = 400
    query_code = f"{_OLD}EmptyBatchRequest"


class TooManyEntriesInBatchRequest(ServiceError):
    """A batch with more entries than ten."""

    code = "TooManyEntriesInBatchRequest"
    status = 400
    query_code = f"{_OLD}TooManyEntriesInBatchRequest"


class BatchEntryIdsNotDistinct(ServiceError):
    """Two entries of a batch have the same id."""

    code = "BatchEntryIdsNotDistinct"
    status = 400
    query_code = f"{_OLD}BatchEntryIdsNotDistinct"


class InvalidBatchEntryId(ServiceError):
    """The id of a batch's entry has another form than it must have."""

    code = "InvalidBatchEntryId"
    status = 400
    query_code = f"{_OLD}InvalidBatchEntryId"


class BatchRequestTooLong(ServiceError):
    """The messages of a batch are too long together."""

    code = "BatchRequestTooLong"
    status = 400
    query_code = f"{_OLD}BatchRequestTooLong"
