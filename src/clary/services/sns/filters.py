"""Filter policies: which messages of a topic a subscription is for.

Their language is that of event patterns. Reference: https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clary.services.events.patterns import InvalidEventPatternException, fits, parsed
from clary.services.sns.errors import InvalidParameter

MOST_KEYS = 5
ON_ATTRIBUTES, ON_BODY = "MessageAttributes", "MessageBody"


def check_filter(text: str, scope: str) -> None:
    """Raises ``InvalidParameter`` for what is no filter policy of that scope."""
    if text in ("", "{}"):
        return
    try:
        policy = parsed(text)
    except InvalidEventPatternException as error:
        reason = error.message.removeprefix("Event pattern is not valid. Reason: ")
        raise InvalidParameter(f"FilterPolicy: {reason}") from None
    if len(policy) > MOST_KEYS:
        raise InvalidParameter(f"FilterPolicy: Filter policy can not have more than {MOST_KEYS} keys")
    if scope == ON_ATTRIBUTES and any(isinstance(value, dict) for value in policy.values()):
        raise InvalidParameter(
            "FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy"
        )


@lru_cache(maxsize=1024)
def _policy(text: str) -> dict[str, Any]:
    return parsed(text)


def is_for(subscription: Mapping[str, str], body: str, attributes: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a message is for the subscription with these attributes."""
    text = subscription.get("FilterPolicy", "")
    if text in ("", "{}"):
        return True
    if subscription.get("FilterPolicyScope", ON_ATTRIBUTES) == ON_ATTRIBUTES:
        return fits(_policy(text), {name: value for name, told in attributes.items() for value in _values(told)})
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and fits(_policy(text), content)


def _values(told: Mapping[str, str]) -> list[Any]:
    """The value of an attribute as filters see it, or nothing: they do not see binary ones."""
    kind, text = told["DataType"], told.get("StringValue")
    if text is None:
        return []
    if kind.startswith("Number"):
        return [float(text)]
    if kind == "String.Array":
        value = json.loads(text)
        return [value if isinstance(value, list) else [value]]
    return [text]
