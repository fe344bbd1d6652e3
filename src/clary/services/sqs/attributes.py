"""The attributes of queues: what they may be, and what they are where nobody said.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from clary.services.iam.policy import PolicyError
from clary.services.iam.resource_policies import checked
from clary.services.sqs.errors import InvalidAttributeName, InvalidAttributeValue

LARGEST_MESSAGE = 1_048_576
"""Bytes of a message with its attributes, and of the messages of a batch together."""
LONGEST_VISIBILITY = 43_200
LONGEST_DELAY = 900
LONGEST_WAIT = 20
LARGEST_POLICY = 8_192

_DEFAULTS = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": str(LARGEST_MESSAGE),
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}


def _number(least: int, most: int) -> Callable[[str], bool]:
    return lambda text: text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most


def _one_of(*values: str) -> Callable[[str], bool]:
    return lambda text: text.lower() in [value.lower() for value in values]


_TESTS: dict[str, Callable[[str], bool]] = {
    "VisibilityTimeout": _number(0, LONGEST_VISIBILITY),
    "MaximumMessageSize": _number(1_024, LARGEST_MESSAGE),
    "MessageRetentionPeriod": _number(60, 1_209_600),
    "DelaySeconds": _number(0, LONGEST_DELAY),
    "ReceiveMessageWaitTimeSeconds": _number(0, LONGEST_WAIT),
    "KmsDataKeyReusePeriodSeconds": _number(60, 86_400),
    "FifoQueue": _one_of("true"),
    "ContentBasedDeduplication": _one_of("true", "false"),
    "SqsManagedSseEnabled": _one_of("true", "false"),
    "DeduplicationScope": _one_of("messageGroup", "queue"),
    "FifoThroughputLimit": _one_of("perQueue", "perMessageGroupId"),
    "KmsMasterKeyId": lambda text: len(text) <= 2_048,
    "Policy": lambda text: len(text) <= LARGEST_POLICY and _is_policy(text),
    "RedrivePolicy": lambda text: redrive(text) is not None,
    "RedriveAllowPolicy": lambda text: _is_allowance(text),
}
_FIFO_ONLY = frozenset(_FIFO_DEFAULTS)
_REMOVABLE = frozenset(("Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"))


def checked_attributes(given: Mapping[str, str], *, fifo: bool, new: bool) -> dict[str, str]:
    """The attributes of a request; an empty text takes away what can be taken away.

    Raises ``InvalidAttributeName`` or ``InvalidAttributeValue``.
    """
    for name, value in given.items():
        if name not in _TESTS or (name in _FIFO_ONLY and not fifo):
            raise InvalidAttributeName(f"Unknown Attribute {name[:128]}.")
        if name == "FifoQueue" and not new:
            raise InvalidAttributeName("FifoQueue cannot be changed after the queue has been created.")
        if value == "" and name in _REMOVABLE:
            continue
        if not _TESTS[name](value):
            raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
    return {name: _kept(name, value) for name, value in given.items()}


def _kept(name: str, value: str) -> str:
    return value.lower() if value.lower() in ("true", "false") and name != "KmsMasterKeyId" else value


def effective(kept: Mapping[str, str]) -> dict[str, str]:
    """All attributes that were set or have a default."""
    fifo = _FIFO_DEFAULTS if kept.get("FifoQueue") == "true" else {}
    values = {**_DEFAULTS, **fifo, **kept}
    if "KmsMasterKeyId" in kept:
        values.setdefault("KmsDataKeyReusePeriodSeconds", "300")
        values["SqsManagedSseEnabled"] = kept.get("SqsManagedSseEnabled", "false")
    return values


def redrive(text: str | None) -> tuple[str, int] | None:
    """The dead letter queue's ARN and how often a message may be received, as a ``RedrivePolicy`` says it; ``None`` if
    the text is none."""
    policy = _object(text)
    if policy is None or set(policy) != {"deadLetterTargetArn", "maxReceiveCount"}:
        return None
    target, count = policy["deadLetterTargetArn"], policy["maxReceiveCount"]
    if isinstance(count, str) and count.isascii() and count.isdigit():
        count = int(count[:6])
    if not isinstance(target, str) or not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 1_000:
        return None
    return target, count


def may_redrive(allowance: str | None, source: str) -> bool:
    """Whether a ``RedriveAllowPolicy`` lets the queue ``source`` name its queue as one of dead letters."""
    policy = _object(allowance) if allowance else None
    if policy is None:
        return True
    if policy["redrivePermission"] == "byQueue":
        return source in policy.get("sourceQueueArns", ())
    return bool(policy["redrivePermission"] == "allowAll")


def _is_allowance(text: str) -> bool:
    policy = _object(text)
    if policy is None or policy.get("redrivePermission") not in ("allowAll", "denyAll", "byQueue"):
        return False
    sources = policy.get("sourceQueueArns")
    if policy["redrivePermission"] != "byQueue":
        return sources is None
    return isinstance(sources, list) and 0 < len(sources) <= 10 and all(isinstance(each, str) for each in sources)


def _is_policy(text: str) -> bool:
    try:
        checked(text)
    except PolicyError:
        return False
    return True


def _object(text: str | None) -> dict[str, Any] | None:
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
