"""What messages may be.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from clary.services.sqs.errors import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidMessageContents,
    InvalidParameterValue,
    TooManyEntriesInBatchRequest,
)

MOST_ATTRIBUTES = 10
MOST_ENTRIES = 10
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_OUTSIDE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_RESERVED = ("aws.", "amazon.")
_TYPE = re.compile(r"(String|Number|Binary)(\..{1,248})?")
_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def check_text(text: str) -> None:
    """Raises ``InvalidMessageContents`` for characters that a message cannot have."""
    if _OUTSIDE.search(text):
        raise InvalidMessageContents(
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
            "#xFFFD | #x10000 to #x10FFFF"
        )


def check_id(name: str, value: str) -> None:
    """Check the id of a group or of a message that may be sent twice. Raises ``InvalidParameterValue``."""
    if not _ID.fullmatch(value):
        raise InvalidParameterValue(
            f"The parameter {name} is invalid: it can only include alphanumeric and punctuation characters, 1 to 128 "
            "in length."
        )


def checked_attributes(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The attributes of a message as they are kept: binary values in base 64. Raises ``InvalidParameterValue``."""
    if len(given) > MOST_ATTRIBUTES:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        )
    return {name: _checked(name, value) for name, value in given.items()}


def _checked(name: str, value: Mapping[str, Any]) -> dict[str, str]:
    if not _ATTRIBUTE_NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
        raise InvalidParameterValue(
            f"Message (user) attribute name '{name[:256]}' is invalid: it can only include alphanumeric characters, "
            "hyphens, underscores and single periods, and must not start with AWS. or Amazon."
        )
    kind = value.get("DataType") or ""
    if not kind:
        raise InvalidParameterValue(f"The message attribute '{name}' must contain non-empty message attribute type.")
    match = _TYPE.fullmatch(kind)
    if match is None:
        raise InvalidParameterValue(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    member = "BinaryValue" if match[1] == "Binary" else "StringValue"
    told = value.get(member)
    if not told or any(value.get(other) for other in ("StringListValues", "BinaryListValues")):
        raise InvalidParameterValue(
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
            f"type '{kind}'."
        )
    if member == "BinaryValue":
        return {"DataType": kind, member: base64.b64encode(told).decode("ascii")}
    check_text(told)
    if match[1] == "Number":
        _check_number(name, told)
    return {"DataType": kind, member: told}


def _check_number(name: str, text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise InvalidParameterValue(f"Can't cast the value of message (user) attribute '{name}' to a number.") from None


def as_told(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Attributes that are kept as answers have them."""
    return {
        name: {member: base64.b64decode(value) if member == "BinaryValue" else value for member, value in kept.items()}
        for name, kept in attributes.items()
    }


def size_of(body: str, attributes: Mapping[str, Mapping[str, str]]) -> int:
    """The bytes of a message with the names, types and values of its attributes."""
    size = len(body.encode())
    for name, kept in attributes.items():
        size += len(name.encode()) + len(kept["DataType"].encode())
        binary = kept.get("BinaryValue")
        size += len(base64.b64decode(binary)) if binary is not None else len(kept["StringValue"].encode())
    return size


def check_entries(entries: Sequence[Mapping[str, Any]]) -> None:
    """Check a batch as a whole. Raises the errors of batches."""
    if not entries:
        raise EmptyBatchRequest("There should be at least one entry in the batch request.")
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are {MOST_ENTRIES}. You have sent {len(entries)}."
        )
    seen: set[str] = set()
    for entry in entries:
        identifier = entry.get("Id") or ""
        if not _BATCH_ID.fullmatch(identifier):
            raise InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most "
                "80 letters long."
            )
        if identifier in seen:
            raise BatchEntryIdsNotDistinct(f"Id {identifier} repeated.")
        seen.add(identifier)
