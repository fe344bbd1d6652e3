"""Queues as they are kept: how they are named and found, made, changed and removed.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from clary.core.errors import ResourceLimitExceeded, ValidationException
from clary.core.names import arn, owner_of, parse_arn
from clary.core.settings import Settings
from clary.resources.context import Context, Handler
from clary.resources.paging import cut
from clary.resources.tagging import MOST_TAGS, checked_tags
from clary.services.sqs.arrivals import ARRIVALS
from clary.services.sqs.attributes import checked_attributes, effective, may_redrive, redrive
from clary.services.sqs.errors import (
    InvalidAddress,
    InvalidParameterValue,
    MissingParameter,
    PurgeQueueInProgress,
    QueueDoesNotExist,
    QueueNameExists,
)
from clary.state.records import AlreadyExists, Key, Query, Record
from clary.state.transaction import Transaction

SERVICE, KIND = "sqs", "Queue"
ATTRIBUTES = "Attributes"
SWEEP_SECONDS = 3_600.0
"""How often a queue that nobody asks forgets what is too old."""
_PURGED = "_purged"
_PURGE_SECONDS = 60
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")
_PAGE = 1_000
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


def queue_key(account: str, region: str, name: str) -> Key:
    """Where a queue is kept."""
    return Key(account, region, SERVICE, KIND, "", name)


def queue_arn(account: str, region: str, name: str) -> str:
    """The ARN of a queue."""
    return arn(SERVICE, region, account, name)


def queue_url(settings: Settings, account: str, name: str) -> str:
    """The address by which clients name a queue."""
    return f"{(settings.public_url or settings.url).rstrip('/')}/{account}/{name}"


def named(params: Mapping[str, Any]) -> tuple[str, str]:
    """The account and the name in the address of a request. Raises ``MissingParameter`` or ``InvalidAddress``."""
    url = params.get("QueueUrl")
    if not url:
        raise MissingParameter("QueueUrl")
    try:
        parts = unquote(urlsplit(url).path).strip("/").split("/")
    except ValueError:  # An address with half a bracket is none.
        raise InvalidAddress(url) from None
    if len(parts) < 2 or not parts[-1] or not (parts[-2].isdigit() and len(parts[-2]) == 12):
        raise InvalidAddress(url)
    return parts[-2], parts[-1]


def find_queue(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    """The queue that a request names. Raises ``QueueDoesNotExist``."""
    account, name = named(params)
    record = transaction.get(queue_key(account, context.region, name))
    if record is None:
        raise QueueDoesNotExist
    return record


def queue_of(transaction: Transaction, queue: str) -> Record | None:
    """The queue with this ARN."""
    try:
        parts = parse_arn(queue)
    except ValueError:
        return None
    return transaction.get(queue_key(parts.account, parts.region, parts.resource)) if parts.service == SERVICE else None


def attributes_of(record: Record) -> dict[str, str]:
    """All attributes of a queue that were set or have a default."""
    return effective(record.document[ATTRIBUTES])


def is_fifo(record: Record) -> bool:
    """Whether the queue keeps the order of its messages."""
    return record.name.endswith(".fifo")


def _check_name(name: str, given: Mapping[str, str]) -> None:
    if given.get("FifoQueue") == "true" or name.endswith(".fifo"):
        if not _FIFO_NAME.fullmatch(name) or given.get("FifoQueue") != "true":
            raise InvalidParameterValue(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end "
                "with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def _check_redrive(transaction: Transaction, source: str, given: Mapping[str, str]) -> None:
    """Raises ``InvalidParameterValue`` for dead letters that go nowhere."""
    told = redrive(given.get("RedrivePolicy"))
    if told is None:
        return
    target = queue_of(transaction, told[0])
    reason = ""
    if target is None:
        reason = "Dead letter target does not exist."
    elif parse_arn(source).region != target.key.region or parse_arn(source).account != target.key.account:
        reason = "Dead-letter target owner should be same as the source."
    elif is_fifo(target) is not source.endswith(".fifo"):
        reason = "Dead-letter queue must be same type of queue as the source."
    elif not may_redrive(target.document[ATTRIBUTES].get("RedriveAllowPolicy"), source):
        reason = f"Queue {told[0]} does not allow this queue to use it as a dead-letter queue."
    if reason:
        raise InvalidParameterValue(
            f"Value {given['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: {reason}"
        )


def create_queue(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateQueue``: the same once more is the same queue, as long as no attribute that is given differs."""
    name, given = params["QueueName"], params.get("Attributes", {})
    _check_name(name, given)
    attributes = checked_attributes(given, fifo=name.endswith(".fifo"), new=True)
    tags = checked_tags(params.get("tags", {}))
    key, now = queue_key(context.account, context.region, name), context.platform.clock()
    url = queue_url(context.platform.settings, context.account, name)
    with context.platform.database.write() as transaction:
        present = transaction.get(key)
        if present is not None:
            _check_same(present, attributes)
            return {"QueueUrl": url}
        address = queue_arn(context.account, context.region, name)
        _check_redrive(transaction, address, attributes)
        document = {ATTRIBUTES: {each: value for each, value in attributes.items() if value}}
        try:
            transaction.insert(Record(key, address, now, now, document, wake_at=now + SWEEP_SECONDS))
        except AlreadyExists as error:
            _check_same(error.record, attributes)
            return {"QueueUrl": url}
        transaction.set_tags(address, tags)
    return {"QueueUrl": url}


def _check_same(record: Record, given: Mapping[str, str]) -> None:
    present = attributes_of(record)
    for name, value in given.items():
        if present.get(name, "") != value:
            raise QueueNameExists(
                f"A queue already exists with the same name and a different value for attribute {name}"
            )


def get_queue_url(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetQueueUrl``."""
    account = params.get("QueueOwnerAWSAccountId") or context.account
    with context.platform.database.read() as transaction:
        record = transaction.get(queue_key(account, context.region, params["QueueName"]))
    if record is None:
        raise QueueDoesNotExist
    return {"QueueUrl": queue_url(context.platform.settings, account, record.name)}


def list_queues(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListQueues``."""
    return _page(context, params, "QueueUrls", [record.name for record in _queues(context, params)])


def _queues(context: Context, params: Mapping[str, Any]) -> list[Record]:
    wanted = Query(context.account, context.region, SERVICE, KIND, sort_by="@name")
    if prefix := params.get("QueueNamePrefix"):
        wanted = wanted.where("@name", prefix, "starts")
    with context.platform.database.read() as transaction:
        return transaction.find(wanted)


def _page(context: Context, params: Mapping[str, Any], member: str, names: list[str]) -> dict[str, Any]:
    if not 1 <= params.get("MaxResults", _PAGE) <= _PAGE:
        raise InvalidParameterValue(f"MaxResults must be an integer between 1 and {_PAGE}.")
    try:
        shown, following = cut(names, params, _PAGE)
    except ValidationException:
        raise InvalidParameterValue("Invalid or expired next token.") from None
    settings = context.platform.settings
    urls = [queue_url(settings, context.account, name) for name in shown]
    return {member: urls} | ({"NextToken": following} if following and "MaxResults" in params else {})


def list_sources(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListDeadLetterSourceQueues``."""
    with context.platform.database.read() as transaction:
        target = find_queue(context, transaction, params).arn
    told = {record.name: redrive(record.document[ATTRIBUTES].get("RedrivePolicy")) for record in _queues(context, {})}
    return _page(context, params, "queueUrls", [name for name, each in told.items() if each and each[0] == target])


def get_attributes(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetQueueAttributes``: those that are named, or all."""
    asked, now = params.get("AttributeNames", []), context.platform.clock()
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        values = attributes_of(record)
        transaction.messages.expire(record.id, now - int(values["MessageRetentionPeriod"]))
        count = transaction.messages.count(record.id, now)
    values |= {
        "QueueArn": record.arn,
        "CreatedTimestamp": str(int(record.created)),
        "LastModifiedTimestamp": str(int(record.modified)),
        **dict(zip(_COUNTS, map(str, (count.available, count.in_flight, count.delayed)), strict=True)),
    }
    if "All" in asked:
        return {"Attributes": values}
    found = {name: values[name] for name in asked if name in values}
    return {"Attributes": found} if found else {}


def set_attributes(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SetQueueAttributes``."""
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        given = checked_attributes(params["Attributes"], fifo=is_fifo(record), new=False)
        _check_redrive(transaction, record.arn, given)
        values = {**record.document[ATTRIBUTES], **given}
        record.document[ATTRIBUTES] = {name: value for name, value in values.items() if value != ""}
        record.modified = context.platform.clock()
        transaction.update(record)
    # Who waits may have to see a message sooner, or to wait no more.
    ARRIVALS.tell(record.arn)
    return {}


def delete_queue(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteQueue``: with all its messages."""
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        transaction.messages.drop([record.id])
        transaction.delete(record)
    ARRIVALS.tell(record.arn)
    return {}


def purge_queue(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PurgeQueue``: once a minute."""
    now = context.platform.clock()
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        if now - record.document.get(_PURGED, 0.0) < _PURGE_SECONDS:
            raise PurgeQueueInProgress(record.name)
        record.document[_PURGED] = now
        transaction.update(record)
        transaction.messages.clear(record.id)
    return {}


def tag_queue(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``TagQueue``."""
    tags = checked_tags(params["Tags"])
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        if len({**transaction.tags(record.arn), **tags}) > MOST_TAGS:
            raise ResourceLimitExceeded(f"Too many tags added for queue {record.name}.")
        transaction.set_tags(record.arn, tags)
    return {}


def untag_queue(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UntagQueue``."""
    with context.platform.database.write() as transaction:
        transaction.remove_tags(find_queue(context, transaction, params).arn, params["TagKeys"])
    return {}


def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListQueueTags``."""
    with context.platform.database.read() as transaction:
        return {"Tags": transaction.tags(find_queue(context, transaction, params).arn)}


def queue_meant(context: Context, params: Mapping[str, Any]) -> str:
    """The ARN of the queue that a request names; ``*`` where it names none."""
    if "SourceArn" in params:
        return str(params["SourceArn"])
    if "QueueName" in params:
        account = params.get("QueueOwnerAWSAccountId") or context.account
        return queue_arn(account, context.region, params["QueueName"])
    if not params.get("QueueUrl"):
        return "*"
    account, name = named(params)
    return queue_arn(account, context.region, name)


def policy_of(context: Context, arn: str) -> str | None:
    """The policy of a queue. Raises ``QueueDoesNotExist`` for one of another account that is not there."""
    with context.platform.database.read() as transaction:
        record = queue_of(transaction, arn)
    if record is None:
        if owner_of(arn, context.account) != context.account:
            raise QueueDoesNotExist
        return None
    policy: str | None = record.document[ATTRIBUTES].get("Policy")
    return policy


OPERATIONS: Mapping[str, Handler] = {
    "CreateQueue": create_queue,
    "DeleteQueue": delete_queue,
    "GetQueueAttributes": get_attributes,
    "GetQueueUrl": get_queue_url,
    "ListDeadLetterSourceQueues": list_sources,
    "ListQueueTags": list_tags,
    "ListQueues": list_queues,
    "PurgeQueue": purge_queue,
    "SetQueueAttributes": set_attributes,
    "TagQueue": tag_queue,
    "UntagQueue": untag_queue,
}
