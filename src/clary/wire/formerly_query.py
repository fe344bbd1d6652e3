"""Services that left the query protocol for JSON, as their older clients still call them.

The models of today have lost what the fields and elements were called then. Reference:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

from clary.wire.catalog import Service, service


class _Former(NamedTuple):
    """How a service's query protocol differs from what its model of today would give."""

    namespace: str
    items: Mapping[str, str]
    """What an entry of a list or of a map is called, by the name of its shape."""
    entries: Mapping[str, tuple[str, str]]
    """What the key and the value of a map's entry are called, by the name of its shape."""


_SQS = _Former(
    "http://queue.amazonaws.com/doc/2012-11-05/",
    {
        "AWSAccountIdList": "AWSAccountId",
        "ActionNameList": "ActionName",
        "AttributeNameList": "AttributeName",
        "BatchResultErrorEntryList": "BatchResultErrorEntry",
        "BinaryList": "BinaryListValue",
        "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
        "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
        "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
        "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
        "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
        "MessageAttributeNameList": "MessageAttributeName",
        "MessageBodyAttributeMap": "MessageAttribute",
        "MessageBodySystemAttributeMap": "MessageSystemAttribute",
        "MessageList": "Message",
        "MessageSystemAttributeList": "MessageSystemAttributeName",
        "MessageSystemAttributeMap": "Attribute",
        "QueueAttributeMap": "Attribute",
        "QueueUrlList": "QueueUrl",
        "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
        "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
        "StringList": "StringListValue",
        "TagKeyList": "TagKey",
        "TagMap": "Tag",
    },
    {
        "MessageBodyAttributeMap": ("Name", "Value"),
        "MessageBodySystemAttributeMap": ("Name", "Value"),
        "MessageSystemAttributeMap": ("Name", "Value"),
        "QueueAttributeMap": ("Name", "Value"),
        "TagMap": ("Key", "Value"),
    },
)
_FORMER: Mapping[str, _Former] = {"sqs": _SQS}


def in_query_form(spoken: Service) -> Service:
    """The service with the names of its query protocol, and its own where it never left that protocol."""
    return _former(spoken.name) if spoken.name in _FORMER else spoken


def is_former(name: str) -> bool:
    """Whether the service spoke the query protocol once and its model of today says nothing of it."""
    return name in _FORMER


@cache
def _former(name: str) -> Service:
    former, description = _FORMER[name], deepcopy(service(name).description)
    description["metadata"] |= {"protocol": "query", "protocols": ["query"], "xmlNamespace": former.namespace}
    shapes = description["shapes"]
    for shape in shapes.values():
        for member in shape.get("members", {}).values():
            if shapes[member["shape"]]["type"] in ("list", "map") and member["shape"] in former.items:
                member["locationName"] = former.items[member["shape"]]
    for shape_name, item in former.items.items():
        if shapes[shape_name]["type"] == "list":
            shapes[shape_name]["member"]["locationName"] = item
    for shape_name, (key, value) in former.entries.items():
        shapes[shape_name]["key"]["locationName"] = key
        shapes[shape_name]["value"]["locationName"] = value
    for operation_name, operation in description["operations"].items():
        output: dict[str, Any] | None = operation.get("output")
        if output is not None:
            output["resultWrapper"] = f"{operation_name}Result"
    return Service(name, description)
