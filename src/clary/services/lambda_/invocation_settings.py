"""What becomes of the events that a function is called with later: how often, for how long, and where it is told.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.resources.context import Context, Handler
from clary.services.lambda_.errors import InvalidParameterValueException, ResourceNotFoundException
from clary.services.lambda_.names import LATEST, find, named
from clary.state.records import Record

SETTINGS = "_invocation"
"""In a function's document."""
_MOST_RETRIES, _OLDEST_SECONDS = 2, 21_600
_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_TARGETS = ("arn:aws:sqs:", "arn:aws:sns:", "arn:aws:lambda:")


class Settings(NamedTuple):
    """How events of a function are dealt with."""

    retries: int
    oldest: float
    """Seconds after which an event is given up."""
    on_success: str
    """An ARN; empty for none."""
    on_failure: str


def settings_of(record: Record) -> Settings:
    """The settings of a function, or AWS's defaults."""
    told = record.document.get(SETTINGS, {})
    targets = told.get("DestinationConfig", {})
    return Settings(
        told.get("MaximumRetryAttempts", _MOST_RETRIES),
        told.get("MaximumEventAgeInSeconds", _OLDEST_SECONDS),
        targets.get("OnSuccess", {}).get("Destination", ""),
        targets.get("OnFailure", {}).get("Destination", ""),
    )


def _check(params: Mapping[str, Any]) -> None:
    for each in params.get("DestinationConfig", {}).values():
        target = each.get("Destination", "")
        if target and (not target.startswith(_TARGETS) or target.endswith(".fifo")):
            raise InvalidParameterValueException(
                f"The provided destination config DestinationConfig is invalid: {target} is no function, no standard "
                "queue and no standard topic, and Clary sends to no others."
            )


def _put(*, merge: bool) -> Handler:
    def put(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        _check(params)
        given = {name: params[name] for name in _MEMBERS if name in params}
        now = context.platform.clock()
        with context.platform.database.write() as transaction:
            record = find(context, transaction, params)
            if merge and SETTINGS not in record.document:
                raise _absent(context, params)
            before = record.document.get(SETTINGS, {}) if merge else {}
            record.document[SETTINGS] = {**before, **given, "LastModified": now}
            transaction.update(record)
        return _shown(record)

    return put


def _shown(record: Record) -> dict[str, Any]:
    told = {"MaximumRetryAttempts": _MOST_RETRIES, "MaximumEventAgeInSeconds": _OLDEST_SECONDS}
    return {"FunctionArn": f"{record.arn}:{LATEST}", **told, "DestinationConfig": {}, **record.document[SETTINGS]}


def _absent(context: Context, params: Mapping[str, Any]) -> ResourceNotFoundException:
    arn = named(context, params["FunctionName"], params.get("Qualifier")).arn
    return ResourceNotFoundException(f"The function {arn}:{LATEST} doesn't have an EventInvokeConfig")


def get_settings(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetFunctionEventInvokeConfig``."""
    with context.platform.database.read() as transaction:
        record = find(context, transaction, params)
    if SETTINGS not in record.document:
        raise _absent(context, params)
    return _shown(record)


def list_settings(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListFunctionEventInvokeConfigs``: of the newest version, which is the only one."""
    with context.platform.database.read() as transaction:
        record = find(context, transaction, params)
    return {"FunctionEventInvokeConfigs": [_shown(record)] if SETTINGS in record.document else []}


def delete_settings(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteFunctionEventInvokeConfig``."""
    with context.platform.database.write() as transaction:
        record = find(context, transaction, params)
        if record.document.pop(SETTINGS, None) is None:
            raise _absent(context, params)
        transaction.update(record)
    return {}


OPERATIONS: Mapping[str, Handler] = {
    "DeleteFunctionEventInvokeConfig": delete_settings,
    "GetFunctionEventInvokeConfig": get_settings,
    "ListFunctionEventInvokeConfigs": list_settings,
    "PutFunctionEventInvokeConfig": _put(merge=False),
    "UpdateFunctionEventInvokeConfig": _put(merge=True),
}
