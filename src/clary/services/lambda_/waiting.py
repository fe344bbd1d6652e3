"""Events that functions are called with later: kept in the database until the function has taken them.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

import orjson

from clary.core.ids import request_id as new_id
from clary.services.lambda_.errors import (
    InvalidRequestContentException,
    RequestTooLargeException,
    ResourceConflictException,
)
from clary.services.lambda_.names import CREATING
from clary.services.sqs.api import Posting
from clary.state.messages import Message
from clary.state.records import Record

LARGEST_ASYNCHRONOUS = 1_048_576
"""Bytes of an event."""


def check_payload(payload: bytes, most: int) -> None:
    """See whether what a function is to be called with is JSON, and no larger than ``most`` bytes.

    Raises ``RequestTooLargeException`` or ``InvalidRequestContentException``.
    """
    if len(payload) > most:
        raise RequestTooLargeException(f"Request must be smaller than {most} bytes for the InvokeFunction operation")
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestContentException(f"Could not parse request body into json: {error}") from None


def leave(post: Posting, record: Record, payload: str, uid: str = "", arn: str = "") -> str:
    """Let an event wait for a function, as part of a transaction; gives the request's id.

    ``arn`` is the function's as it was invoked. Raises ``ResourceConflictException`` while the function is being made.
    """
    if record.status == CREATING:
        raise ResourceConflictException(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    uid = uid or new_id()
    post.transaction.messages.add(Message(record.id, uid, payload, post.now, post.now, {"Arn": arn or record.arn}))
    if record.wake_at is None or record.wake_at > post.now:
        record.wake_at = post.now
        post.transaction.update(record)
    post.rows.add(record.id)
    return uid
