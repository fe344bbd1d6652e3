"""Topics: made, changed, listed and removed.

Reference: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from clary.core.errors import ResourceLimitExceeded, ValidationException
from clary.core.names import arn, parse_arn
from clary.resources.context import Context, Handler
from clary.resources.paging import cut
from clary.resources.tagging import MOST_TAGS, as_list, checked_tags
from clary.services.iam.policy import PolicyError
from clary.services.iam.resource_policies import checked, with_statement, without_statement
from clary.services.sns.errors import InvalidParameter, NotFound, ResourceNotFound, TagLimitExceeded
from clary.state.records import AlreadyExists, Key, Query, Record
from clary.state.transaction import Transaction

SERVICE, KIND, SUBSCRIPTION = "sns", "Topic", "Subscription"
ATTRIBUTES = "Attributes"
PENDING, CONFIRMED = "Pending", "Confirmed"
PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo")
_ACTIONS = (
    *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe"),
    *("ListSubscriptionsByTopic", "Publish"),
)


def topic_key(account: str, region: str, name: str) -> Key:
    """Where a topic is kept."""
    return Key(account, region, SERVICE, KIND, "", name)


def topic_arn(account: str, region: str, name: str) -> str:
    """The ARN of a topic."""
    return arn(SERVICE, region, account, name)


def is_fifo(record: Record) -> bool:
    """Whether the topic keeps the order of its messages."""
    return record.name.endswith(".fifo")


def topic_of(transaction: Transaction, topic: str) -> Record | None:
    """The topic with this ARN."""
    try:
        parts = parse_arn(topic)
    except ValueError:
        return None
    return transaction.get(topic_key(parts.account, parts.region, parts.resource)) if parts.service == SERVICE else None


def find_topic(transaction: Transaction, topic: str) -> Record:
    """The topic that a request names by its ARN. Raises ``InvalidParameter`` or ``NotFound``."""
    try:
        parts = parse_arn(topic)
    except ValueError:
        parts = None
    if parts is None or parts.service != SERVICE or ":" in parts.resource:
        raise InvalidParameter("TopicArn")
    record = topic_of(transaction, topic)
    if record is None:
        raise NotFound("Topic does not exist")
    return record


def subscriptions_of(transaction: Transaction, topic: Record) -> list[Record]:
    """The subscriptions of a topic, the oldest first."""
    key = topic.key
    return transaction.find(Query(key.account, key.region, SERVICE, SUBSCRIPTION).within(topic.name))


def default_policy(topic: str) -> str:
    """The policy of a topic that nobody gave one: its owner's account may do everything with it."""
    account = topic.split(":")[4]
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _ACTIONS],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def _is_policy(text: str) -> bool:
    try:
        checked(text)
    except PolicyError:
        return False
    return True


def is_object(text: str) -> bool:
    """Whether a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


_TESTS: Mapping[str, Callable[[str], bool]] = {
    "DisplayName": lambda text: len(text) <= 100,
    "Policy": lambda text: text == "" or _is_policy(text),
    "DeliveryPolicy": lambda text: text == "" or is_object(text),
    "FifoTopic": lambda text: text in ("true", "false"),
    "ContentBasedDeduplication": lambda text: text in ("true", "false"),
    "FifoThroughputScope": lambda text: text in ("Topic", "MessageGroup"),
    "KmsMasterKeyId": lambda text: len(text) <= 2_048,
    "SignatureVersion": lambda text: text in ("1", "2"),
    "TracingConfig": lambda text: text in ("PassThrough", "Active"),
}


def _checked(given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    attributes = {name: value.lower() if value in ("True", "False") else value for name, value in given.items()}
    for name, value in attributes.items():
        if name not in _TESTS:
            raise InvalidParameter(f"AttributeName Reason: {name[:128]} is not an attribute of topics that can be set")
        if name in ("ContentBasedDeduplication", "FifoThroughputScope") and not fifo:
            raise InvalidParameter(f"{name} Reason: it is for FIFO topics only")
        if not _TESTS[name](value):
            raise InvalidParameter(f"Attributes Reason: {name}: the value is not valid")
    return attributes


def create_topic(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateTopic``: the same once more is the same topic, as long as attributes and tags that are given agree."""
    name = params["Name"]
    given = _checked(params.get("Attributes", {}), fifo=name.endswith(".fifo"))
    fifo = given.get("FifoTopic") == "true"
    if not (_FIFO_NAME if fifo else _NAME).fullmatch(name):
        kind = "FIFO topic names must end with .fifo and " if fifo or name.endswith(".fifo") else "Topic names "
        raise InvalidParameter(
            f"Topic Name Reason: {kind}must be made up of only uppercase and lowercase ASCII letters, numbers, "
            "underscores, and hyphens, and must be between 1 and 256 characters long"
        )
    tags = checked_tags(params.get("Tags", []))
    address, now = topic_arn(context.account, context.region, name), context.platform.clock()
    record = Record(topic_key(context.account, context.region, name), address, now, now, {ATTRIBUTES: given})
    with context.platform.database.write() as transaction:
        try:
            transaction.insert(record)
        except AlreadyExists as error:
            _check_same(transaction, error.record, given, tags)
        else:
            transaction.set_tags(address, tags)
    return {"TopicArn": address}


def _check_same(transaction: Transaction, present: Record, given: Mapping[str, str], tags: Mapping[str, str]) -> None:
    if any(present.document[ATTRIBUTES].get(name, "") != value for name, value in given.items()):
        raise InvalidParameter("Attributes Reason: Topic already exists with different attributes")
    if tags and transaction.tags(present.arn) != tags:
        raise InvalidParameter("Tags Reason: Topic already exists with different tags")


def delete_topic(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteTopic``: with its subscriptions. One that is not there is deleted already."""
    with context.platform.database.write() as transaction:
        record = topic_of(transaction, params["TopicArn"])
        if record is None:
            return {}
        subscriptions = subscriptions_of(transaction, record)
        transaction.messages.drop([record.id, *(each.id for each in subscriptions)])
        for each in (*subscriptions, record):
            transaction.delete(each)
    return {}


def list_topics(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTopics``: a hundred at a time."""
    with context.platform.database.read() as transaction:
        found = transaction.find(Query(context.account, context.region, SERVICE, KIND, sort_by="@name"))
    return page(params, "Topics", [{"TopicArn": record.arn} for record in found])


def page(params: Mapping[str, Any], member: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of a list. Raises ``InvalidParameter`` for a token that no page ended with."""
    try:
        shown, following = cut(rows, params, PAGE)
    except ValidationException:
        raise InvalidParameter("NextToken") from None
    return {member: shown} | ({"NextToken": following} if following else {})


def get_attributes(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetTopicAttributes``."""
    with context.platform.database.read() as transaction:
        record = find_topic(transaction, params["TopicArn"])
        states = [each.status for each in subscriptions_of(transaction, record)]
    return {
        "Attributes": {
            "Policy": default_policy(record.arn),
            "DisplayName": "",
            **({"ContentBasedDeduplication": "false"} if is_fifo(record) else {}),
            **{name: value for name, value in record.document[ATTRIBUTES].items() if value},
            "TopicArn": record.arn,
            "Owner": record.key.account,
            "SubscriptionsConfirmed": str(states.count(CONFIRMED)),
            "SubscriptionsPending": str(states.count(PENDING)),
            "SubscriptionsDeleted": str(record.document.get("_deleted", 0)),
        }
    }


def set_attributes(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SetTopicAttributes``: one of them."""
    name, value = params["AttributeName"], params.get("AttributeValue", "")
    with context.platform.database.write() as transaction:
        record = find_topic(transaction, params["TopicArn"])
        given = _checked({name: value}, fifo=is_fifo(record))
        if name == "FifoTopic":
            raise InvalidParameter("AttributeName Reason: FifoTopic cannot be changed")
        _put(context, transaction, record, given)
    return {}


def _put(context: Context, transaction: Transaction, record: Record, given: Mapping[str, str]) -> None:
    values = {**record.document[ATTRIBUTES], **given}
    record.document[ATTRIBUTES] = {name: value for name, value in values.items() if value != ""}
    record.modified = context.platform.clock()
    transaction.update(record)


def add_permission(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AddPermission``."""
    actions, accounts = params["ActionName"], params["AWSAccountId"]
    if not actions or any(action not in _ACTIONS for action in actions):
        raise InvalidParameter(f"ActionName Reason: it must be one of {', '.join(_ACTIONS)}")
    if not accounts or not all(len(each) == 12 and each.isdigit() for each in accounts):
        raise InvalidParameter("AWSAccountId")
    with context.platform.database.write() as transaction:
        record = find_topic(transaction, params["TopicArn"])
        present = record.document[ATTRIBUTES].get("Policy") or default_policy(record.arn)
        policy = with_statement(present, record.arn, params["Label"], accounts, [f"SNS:{each}" for each in actions])
        if policy is None:
            raise InvalidParameter("Statement already exists")
        _put(context, transaction, record, {"Policy": policy})
    return {}


def remove_permission(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RemovePermission``: of a statement that is not there, nothing is removed."""
    with context.platform.database.write() as transaction:
        record = find_topic(transaction, params["TopicArn"])
        present = record.document[ATTRIBUTES].get("Policy")
        policy = without_statement(present, record.arn, params["Label"])
        if policy is not None:
            _put(context, transaction, record, {"Policy": policy})
    return {}


def _tagged(transaction: Transaction, topic: str) -> Record:
    record = topic_of(transaction, topic)
    if record is None:
        raise ResourceNotFound
    return record


def tag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``TagResource``."""
    try:
        tags = checked_tags(params["Tags"])
    except ResourceLimitExceeded as error:
        raise TagLimitExceeded(error.message) from None
    with context.platform.database.write() as transaction:
        topic = _tagged(transaction, params["ResourceArn"]).arn
        if len({**transaction.tags(topic), **tags}) > MOST_TAGS:
            raise TagLimitExceeded("Could not complete request: tag quota of per resource exceeded")
        transaction.set_tags(topic, tags)
    return {}


def untag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UntagResource``."""
    with context.platform.database.write() as transaction:
        transaction.remove_tags(_tagged(transaction, params["ResourceArn"]).arn, params["TagKeys"])
    return {}


def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTagsForResource``."""
    with context.platform.database.read() as transaction:
        return {"Tags": as_list(transaction.tags(_tagged(transaction, params["ResourceArn"]).arn))}


OPERATIONS: Mapping[str, Handler] = {
    "AddPermission": add_permission,
    "CreateTopic": create_topic,
    "DeleteTopic": delete_topic,
    "GetTopicAttributes": get_attributes,
    "ListTagsForResource": list_tags,
    "ListTopics": list_topics,
    "RemovePermission": remove_permission,
    "SetTopicAttributes": set_attributes,
    "TagResource": tag,
    "UntagResource": untag,
}
