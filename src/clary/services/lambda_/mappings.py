"""Event source mappings: queues whose messages a function is called with.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from clary.core.names import arn
from clary.resources.context import Context, Handler
from clary.resources.paging import bounds
from clary.resources.tagging import checked_tags
from clary.services.iam.api import Identities
from clary.services.iam.resource_policies import allows_role
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from clary.services.lambda_.names import SERVICE, find
from clary.services.sqs.api import queue_of
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

MAPPING = "EventSourceMapping"
ENABLED, DISABLED = "Enabled", "Disabled"
PARTIAL = "ReportBatchItemFailures"
_MOST_AT_ONCE, _MOST_IN_ORDER = 10_000, 10
_LONGEST_WINDOW = 300
_PAGE = 100
_NEEDED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_KEPT = ("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes")
_UNAVAILABLE = (
    *("FilterCriteria", "KMSKeyArn", "MetricsConfig", "LoggingConfig", "ScalingConfig", "ParallelizationFactor"),
    *("StartingPosition", "StartingPositionTimestamp", "DestinationConfig", "MaximumRecordAgeInSeconds"),
    *("BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds", "Topics", "Queues"),
    *("SourceAccessConfigurations", "SelfManagedEventSource", "AmazonManagedKafkaEventSourceConfig"),
    *("SelfManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "ProvisionedPollerConfig"),
)


def mapping_arn(account: str, region: str, identifier: str) -> str:
    """The ARN of a mapping."""
    return arn(SERVICE, region, account, f"event-source-mapping:{identifier}")


def find_mapping(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    """The mapping that a request names. Raises ``ResourceNotFoundException``."""
    key = Key(context.account, context.region, SERVICE, MAPPING, "", params["UUID"])
    record = transaction.get(key)
    if record is None:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    return record


def create_mapping(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateEventSourceMapping``."""
    source, now = params.get("EventSourceArn", ""), context.platform.clock()
    if not source.startswith("arn:aws:sqs:"):
        raise InvalidParameterValueException("EventSourceArn: only SQS queues can be mapped to functions in Clary.")
    _check(params, source)
    tags, identifier = checked_tags(params.get("Tags", {})), str(uuid.uuid4())
    with context.platform.database.write() as transaction:
        function = find(context, transaction, params)
        _check_role(context, transaction, function, source)
        for present in transaction.find(Query(context.account, context.region, SERVICE, MAPPING)):
            if (present.document["EventSourceArn"], present.document["FunctionArn"]) == (source, function.arn):
                raise ResourceConflictException(
                    f'An event source mapping with SQS arn ("{source}") and function ("{function.name}") already '
                    f"exists. Please update or delete the existing mapping with UUID {present.name}"
                )
        key = Key(context.account, context.region, SERVICE, MAPPING, "", identifier)
        document = {"EventSourceArn": source, "FunctionArn": function.arn, "BatchSize": 10, **_given(params)}
        record = Record(key, mapping_arn(*key[:2], identifier), now, now, document, DISABLED)
        _enable(record, params.get("Enabled", True), now)
        record = transaction.insert(record)
        transaction.set_tags(record.arn, tags)
    context.platform.wake(record.id)
    return {**shown(record), "State": "Creating"}


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in _KEPT if name in params}


def _enable(record: Record, wanted: bool, now: float) -> None:
    record.status = ENABLED if wanted else DISABLED
    record.wake_at = now if wanted else None


def _check(params: Mapping[str, Any], source: str) -> None:
    for member in _UNAVAILABLE:
        if params.get(member):
            raise InvalidParameterValueException(f"{member}: this is not available for queues in Clary.")
    size, window = params.get("BatchSize", 10), params.get("MaximumBatchingWindowInSeconds", 0)
    in_order = source.endswith(".fifo")
    most = _MOST_IN_ORDER if in_order else _MOST_AT_ONCE
    if not 1 <= size <= most:
        raise InvalidParameterValueException(f"BatchSize must be between 1 and {most} for this queue.")
    if in_order and window:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues.")
    if size > _MOST_IN_ORDER and not window:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    if window > _LONGEST_WINDOW:
        raise InvalidParameterValueException(f"MaximumBatchingWindowInSeconds must be at most {_LONGEST_WINDOW}.")


def _check_role(context: Context, transaction: Transaction, function: Record, source: str) -> None:
    queue = queue_of(transaction, source)
    if queue is None:
        raise InvalidParameterValueException(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error "
            "Message: The specified queue does not exist."
        )
    for action in _NEEDED:
        if not may(context.platform.identity, function, queue, action):
            raise InvalidParameterValueException(
                f"The function execution role does not have permissions to call {action} on SQS"
            )


def may(identities: Any, function: Record, queue: Record, action: str = _NEEDED[0]) -> bool:
    """Whether the function's role may do something with a queue."""
    assert isinstance(identities, Identities)
    role = identities.role(function.document["Role"])
    policy = queue.document["Attributes"].get("Policy")
    return role is not None and allows_role(identities, role, policy, f"sqs:{action}", queue.arn, function.name)


def shown(record: Record) -> dict[str, Any]:
    """What AWS shows of a mapping."""
    return {
        "UUID": record.name,
        "EventSourceMappingArn": record.arn,
        "LastModified": record.modified,
        "State": record.status,
        "StateTransitionReason": "USER_INITIATED",
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        **record.document,
    }


def get_mapping(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetEventSourceMapping``."""
    with context.platform.database.read() as transaction:
        return shown(find_mapping(context, transaction, params))


def list_mappings(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListEventSourceMappings``: all of them, or those of a queue or a function."""
    with context.platform.database.read() as transaction:
        wanted = Query(context.account, context.region, SERVICE, MAPPING)
        if source := params.get("EventSourceArn"):
            wanted = wanted.where("EventSourceArn", source)
        if "FunctionName" in params:
            wanted = wanted.where("FunctionArn", find(context, transaction, params).arn)
        found = transaction.find(wanted)
    size = min(params.get("MaxItems", _PAGE), _PAGE)
    start, end = bounds({"NextToken": params.get("Marker"), "MaxResults": size}, size)
    page = [shown(each) for each in found[start:end]]
    return {"EventSourceMappings": page} | ({"NextMarker": str(end)} if end < len(found) else {})


def update_mapping(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateEventSourceMapping``: what is not given stays."""
    now = context.platform.clock()
    with context.platform.database.write() as transaction:
        record = find_mapping(context, transaction, params)
        _check({**record.document, **params}, record.document["EventSourceArn"])
        if params.get("FunctionName"):
            function = find(context, transaction, params)
            _check_role(context, transaction, function, record.document["EventSourceArn"])
            record.document["FunctionArn"] = function.arn
        record.document |= _given(params)
        record.modified = now
        _enable(record, params.get("Enabled", record.status == ENABLED), now)
        transaction.update(record)
    context.platform.wake(record.id)
    return {**shown(record), "State": "Updating"}


def delete_mapping(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteEventSourceMapping``: messages stay in their queue."""
    with context.platform.database.write() as transaction:
        record = find_mapping(context, transaction, params)
        transaction.delete(record)
    return {**shown(record), "State": "Deleting"}


OPERATIONS: Mapping[str, Handler] = {
    "CreateEventSourceMapping": create_mapping,
    "DeleteEventSourceMapping": delete_mapping,
    "GetEventSourceMapping": get_mapping,
    "ListEventSourceMappings": list_mappings,
    "UpdateEventSourceMapping": update_mapping,
}
