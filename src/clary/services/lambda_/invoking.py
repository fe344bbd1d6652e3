"""``Invoke``: a function called at once, or later.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any

import orjson

from clary.compute.functions.pool import EnvironmentFailed, EnvironmentLost, Event, Outcome, TooManyCalls
from clary.core.errors import ServiceError
from clary.resources.context import Context, Handler, Platform
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    InvalidRequestContentException,
    ResourceConflictException,
    ServiceException,
    TooManyRequestsException,
)
from clary.services.lambda_.functions import state_of
from clary.services.lambda_.job import call_of
from clary.services.lambda_.names import LATEST, find, named
from clary.services.lambda_.waiting import LARGEST_ASYNCHRONOUS, check_payload, leave
from clary.services.sqs.api import posting
from clary.state.records import Record

LARGEST_SYNCHRONOUS = 6_291_456
_LARGEST_CLIENT_CONTEXT = 3_583
_PATIENCE_SECONDS = 10.0
"""How long a caller who waits for the answer waits for a free environment before he is told to come again."""
_PENDING_SECONDS = 45.0
"""How long he waits for a runtime that is being installed."""
_LOOK_SECONDS = 0.1
UNHANDLED = "Unhandled"


def invoke(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Invoke``."""
    kind = params.get("InvocationType", "RequestResponse")
    with context.platform.database.read() as transaction:
        record = find(context, transaction, params)
    body = params.get("Payload") or b"{}"
    check_payload(body, LARGEST_ASYNCHRONOUS if kind == "Event" else LARGEST_SYNCHRONOUS)
    client = _client_context(params.get("ClientContext", ""))
    if kind == "DryRun":
        return {"StatusCode": 204}
    if kind == "Event":
        with posting(context.platform) as post:
            leave(post, find(context, post.transaction, params), body.decode(), context.request_id)
        return {"StatusCode": 202, "Payload": b""}
    arn = named(context, params["FunctionName"], params.get("Qualifier")).qualified
    outcome = call(context.platform, record, Event(context.request_id, arn, body, client), _PATIENCE_SECONDS)
    told: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": LATEST, "Payload": outcome.body}
    if outcome.error:
        told["FunctionError"] = outcome.error
    if params.get("LogType") == "Tail":
        told["LogResult"] = base64.b64encode(outcome.log).decode()
    return told


def _client_context(text: str) -> str:
    if not text:
        return ""
    try:
        told = base64.b64decode(text, validate=True).decode()
        if len(told) > _LARGEST_CLIENT_CONTEXT or not isinstance(orjson.loads(told), dict):
            raise ValueError(told)
    except (binascii.Error, ValueError):
        raise InvalidRequestContentException("Client context must be a valid Base64-encoded JSON object.") from None
    return orjson.dumps(orjson.loads(told)).decode("ascii", "replace")


def call(platform: Platform, record: Record, event: Event, patience: float) -> Outcome:
    """Call a function and wait for its answer, and at most ``patience`` seconds for a free environment.

    Raises ``TooManyRequestsException``, ``ResourceConflictException`` while the function is not ready, and
    ``ServiceException``. That the function fails is an answer, too.
    """
    _await_active(platform, record)
    try:
        return platform.functions.call(call_of(platform, record), event, patience)
    except TooManyCalls:
        raise TooManyRequestsException("ConcurrentInvocationLimitExceeded") from None
    except EnvironmentLost:
        told = f"RequestId: {event.id} Error: Runtime exited with error: signal: killed"
        return Outcome(orjson.dumps({"errorType": "Runtime.ExitError", "errorMessage": told}), UNHANDLED)
    except EnvironmentFailed as error:
        raise ServiceException(f"The function's environment cannot be started: {error}") from error
    except ServiceError as error:
        # The role was deleted since the function was made.
        raise InvalidParameterValueException(
            "The role defined for the function cannot be assumed by Lambda."
        ) from error


def _await_active(platform: Platform, record: Record) -> None:
    until = time.monotonic() + _PENDING_SECONDS
    while (state := state_of(platform, record))[0] == "Pending" and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    if state[0] != "Active":
        raise ResourceConflictException(
            f"The operation cannot be performed at this time. The function is currently in the following state: "
            f"{state[0]}. {state[1]}"
        )


OPERATIONS: Mapping[str, Handler] = {"Invoke": invoke}
