"""EventBridge as other services use it: what happens in them goes on the default bus of the account."""

from __future__ import annotations

from typing import Any

from clary.resources.context import Platform
from clary.services.events.delivery import kind_of, put_on_bus, send_to
from clary.services.events.put import DEFAULT, made
from clary.services.sqs.api import Posting, posting

__all__ = ["DEFAULT", "emit", "emit_within", "kind_of", "made", "put_on_bus", "send_to"]


def emit(platform: Platform, account: str, region: str, event: dict[str, Any]) -> str:
    """Put an event of a service on the default bus; gives its id.

    ``event`` needs ``source`` (``aws.s3``) and ``detail-type``, and has ``detail`` and ``resources``; ``id`` and
    ``time`` (ISO 8601) are made up where they are missing. It is delivered when this returns; what a rule's target
    does not take is said in the log, or goes to the target's queue of dead letters.
    """
    with posting(platform) as post:
        return emit_within(post, account, region, event)


def emit_within(post: Posting, account: str, region: str, event: dict[str, Any]) -> str:
    """The same as part of a transaction."""
    whole = made(event, account, region, post.now)
    put_on_bus(post, account, region, DEFAULT, whole)
    return str(whole["id"])
