"""Functions as they are kept: made, shown, changed and removed.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from clary.compute.images.catalog import ImageNotExact, ImageNotFound
from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler, Platform, Reconciliation
from clary.resources.paging import bounds
from clary.resources.tagging import MOST_TAGS, checked_tags
from clary.services.iam.api import Identities
from clary.services.lambda_ import code as packages
from clary.services.lambda_.checks import architecture, check_configuration
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from clary.services.lambda_.names import CREATING, KIND, LATEST, SERVICE, find, named
from clary.state.records import AlreadyExists, Query, Record
from clary.state.transaction import Transaction

ACTIVE = "Active"
CREATION_SECONDS = 300.0
"""After which a creation that has not come to its end never will."""
_CONFIGURATION = (
    *("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "DeadLetterConfig", "TracingConfig"),
    *("Architectures", "EphemeralStorage", "SnapStart", "LoggingConfig"),
)
"""Members of a request that are kept and shown as they are."""
_DEFAULTS: Mapping[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None"},
}
VARIABLES = "_variables"
"""In a function's document: its environment variables, sealed."""
_PURPOSE = "function-variables"
_PAGE = 50


def image_of(record: Record) -> str:
    """The image that has the function's runtime."""
    return f"lambda/python:{record.document['Runtime'].removeprefix('python')}"


def log_group(record: Record) -> str:
    """The group with what the function logs."""
    return str(record.document["LoggingConfig"].get("LogGroup") or f"/aws/lambda/{record.name}")


def seal(platform: Platform, record: Record, variables: Mapping[str, str]) -> None:
    """Keep the function's variables, which may well be secrets."""
    record.document.pop(VARIABLES, None)
    if variables:
        text = orjson.dumps(dict(variables)).decode()
        record.document[VARIABLES] = platform.identity.seal(_PURPOSE, text, record.arn)


def variables_of(platform: Platform, record: Record) -> dict[str, str]:
    """The function's variables."""
    if VARIABLES not in record.document:
        return {}
    assert isinstance(platform.identity, Identities)
    found: dict[str, str] = orjson.loads(platform.identity.vault.open(_PURPOSE, record.document[VARIABLES], record.arn))
    return found


def create_function(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateFunction``."""
    wanted = named(context, params["FunctionName"])
    if wanted.version or wanted.account != context.account:
        raise InvalidParameterValueException(f"{params['FunctionName']} is not a valid name for a new function.")
    check_configuration(context, params, wanted.arn)
    if not params.get("Runtime") or not params.get("Handler"):
        raise InvalidParameterValueException(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    tags = checked_tags(params.get("Tags", {}))
    code = packages.code_of(context, params["Code"])
    platform, now = context.platform, context.platform.clock()
    document = {
        **_DEFAULTS,
        "Architectures": [architecture()],
        **{name: params[name] for name in _CONFIGURATION if name in params},
        **code.shown(),
    }
    _complete(document, wanted.name)
    record = Record(wanted.key, wanted.arn, now, now, document, CREATING, wake_at=now + CREATION_SECONDS)
    seal(platform, record, params.get("Environment", {}).get("Variables", {}))
    _revise(record, now)
    with platform.database.write() as transaction:
        try:
            record = transaction.insert(record)
        except AlreadyExists:
            raise ResourceConflictException(f"Function already exist: {wanted.name}") from None
        transaction.set_tags(record.arn, tags)
    try:
        packages.keep(platform, record, code)
    except BaseException:
        with platform.database.write() as transaction:
            transaction.delete(record)
        raise
    record.status, record.wake_at = ACTIVE, None
    with platform.database.write() as transaction:
        transaction.update(record)
    return configuration(platform, record)


def forget_half_made(look: Reconciliation) -> None:
    """A function whose creation was cut short was never there."""
    packages.sweep(look.platform, look.record)
    look.delete()


def _complete(document: dict[str, Any], name: str) -> None:
    logging = document.get("LoggingConfig", {})
    document["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **logging}


def _revise(record: Record, now: float) -> None:
    """Give a function that has changed a new revision, by which its environments are told from older ones."""
    record.modified = now
    record.document["RevisionId"] = str(uuid.uuid4())
    record.document["LastModified"] = (
        datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    )


def configuration(platform: Platform, record: Record) -> dict[str, Any]:
    """What AWS shows of a function."""
    document = record.document
    state, reason = state_of(platform, record)
    shown = {
        "FunctionName": record.name,
        "FunctionArn": record.arn,
        **{name: value for name, value in document.items() if not name.startswith("_")},
        "Version": LATEST,
        "PackageType": "Zip",
        "State": state,
        "LastUpdateStatus": "Successful",
        "SnapStart": {**document["SnapStart"], "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": {
            "RuntimeVersionArn": f"arn:aws:lambda:{record.key.region}::runtime:{document['Runtime']}"
        },
    }
    if reason:
        shown |= {"StateReason": reason, "StateReasonCode": "Creating" if state == "Pending" else "InternalError"}
    if variables := variables_of(platform, record):
        shown["Environment"] = {"Variables": variables}
    return shown


def state_of(platform: Platform, record: Record) -> tuple[str, str]:
    """The state of a function, and why: it is pending until its runtime is there, for which this asks."""
    if record.status == CREATING:
        return "Pending", "The function is being created."
    try:
        progress = platform.images.ensure(image_of(record))
    except (ImageNotFound, ImageNotExact) as error:
        return "Failed", str(error)
    if progress.state == "ready":
        return "Active", ""
    if progress.state == "failed":
        return "Failed", f"The runtime cannot be installed: {progress.message}"
    return "Pending", "The runtime is being installed."


def get_function(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetFunction``."""
    with context.platform.database.read() as transaction:
        record = find(context, transaction, params)
        tags = transaction.tags(record.arn)
    shown = {"Configuration": configuration(context.platform, record), "Code": {"RepositoryType": "S3"}}
    return shown | ({"Tags": tags} if tags else {})


def get_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetFunctionConfiguration``."""
    with context.platform.database.read() as transaction:
        record = find(context, transaction, params)
    return configuration(context.platform, record)


def list_functions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListFunctions``."""
    wanted = Query(context.account, context.region, SERVICE, KIND, sort_by="@name")
    with context.platform.database.read() as transaction:
        return page(context, params, transaction.find(wanted), "Functions")


def list_versions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListVersionsByFunction``: there is the newest one."""
    with context.platform.database.read() as transaction:
        return page(context, params, [find(context, transaction, params)], "Versions")


def page(context: Context, params: Mapping[str, Any], records: list[Record], member: str) -> dict[str, Any]:
    """A page of functions."""
    size = min(params.get("MaxItems", _PAGE), _PAGE)
    try:
        start, end = bounds({"NextToken": params.get("Marker"), "MaxResults": size}, size)
    except ValidationException as error:
        raise InvalidParameterValueException(error.message) from None
    shown = [configuration(context.platform, each) for each in records[start:end]]
    return {member: shown} | ({"NextMarker": str(end)} if end < len(records) else {})


def update_code(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateFunctionCode``."""
    check_configuration(context, {name: params[name] for name in ("Publish", "PublishTo") if name in params}, "")
    code = packages.code_of(context, params)
    platform = context.platform
    with platform.database.read() as transaction:
        record = _changeable(context, transaction, params)
    if params.get("DryRun"):
        return configuration(platform, record)
    before = packages.volume_of(record)
    packages.keep(platform, record, code)
    if "Architectures" in params:
        record.document["Architectures"] = params["Architectures"]
    _store(platform, record)
    if platform.functions.retire(record.id):
        # An invocation may be about to begin that has read of the function what it was until now.
        packages.sweep(platform, record, before, packages.volume_of(record))
    return configuration(platform, record)


def update_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateFunctionConfiguration``: what is not given stays."""
    platform = context.platform
    with platform.database.read() as transaction:
        record = _changeable(context, transaction, params)
    check_configuration(context, params, record.arn)
    record.document |= {name: params[name] for name in _CONFIGURATION if name in params}
    _complete(record.document, record.name)
    if "Environment" in params:
        seal(platform, record, params["Environment"].get("Variables", {}))
    _store(platform, record)
    platform.functions.retire(record.id)
    return configuration(platform, record)


def _changeable(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    record = find(context, transaction, params)
    if params.get("RevisionId", record.document["RevisionId"]) != record.document["RevisionId"]:
        raise PreconditionFailedException
    if record.status == CREATING:
        raise ResourceConflictException(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    return record


def _store(platform: Platform, record: Record) -> None:
    _revise(record, platform.clock())
    with platform.database.write() as transaction:
        transaction.update(record)


def delete_function(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteFunction``: with the events that wait for it. Those under way come to their end."""
    platform = context.platform
    with platform.database.write() as transaction:
        record = find(context, transaction, params)
        transaction.messages.drop([record.id])
        transaction.delete(record)
    if platform.functions.retire(record.id):
        packages.sweep(platform, record)
    # Otherwise the next start does it, as with the volumes of all resources that are gone.
    return {"StatusCode": 204}


def _tagged(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> str:
    record = transaction.by_arn(params["Resource"])
    if record is None or record.key.account != context.account or record.key.service != SERVICE:
        raise ResourceNotFoundException(f"Function not found: {params['Resource']}")
    return record.arn


def tag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``TagResource``."""
    tags = checked_tags(params["Tags"])
    with context.platform.database.write() as transaction:
        arn = _tagged(context, transaction, params)
        if len({**transaction.tags(arn), **tags}) > MOST_TAGS:
            raise InvalidParameterValueException(f"The number of tags has exceeded the limit of {MOST_TAGS}.")
        transaction.set_tags(arn, tags)
    return {}


def untag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UntagResource``."""
    with context.platform.database.write() as transaction:
        transaction.remove_tags(_tagged(context, transaction, params), params["TagKeys"])
    return {}


def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTags``."""
    with context.platform.database.read() as transaction:
        return {"Tags": transaction.tags(_tagged(context, transaction, params))}


OPERATIONS: Mapping[str, Handler] = {
    "CreateFunction": create_function,
    "DeleteFunction": delete_function,
    "GetFunction": get_function,
    "GetFunctionConfiguration": get_configuration,
    "ListFunctions": list_functions,
    "ListTags": list_tags,
    "ListVersionsByFunction": list_versions,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateFunctionCode": update_code,
    "UpdateFunctionConfiguration": update_configuration,
}
