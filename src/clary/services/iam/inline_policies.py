"""Policies that are part of a user, a group or a role, and managed policies attached to one."""

from __future__ import annotations

from functools import partial
from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.documents import check_document
from clary.services.iam.entities import Kind
from clary.services.iam.errors import LimitExceeded, NoSuchEntity
from clary.services.iam.subjects import managed_document
from clary.services.iam.view import encoded, page

_MOST_CHARACTERS: dict[Kind, int] = {"User": 2048, "Group": 5120, "Role": 10240}
_MOST_ATTACHED = 10


def _put(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    text = params["PolicyDocument"]
    check_document(text, "identity")
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
        inline = record.document["Inline"]
        inline[params["PolicyName"]] = text
        # White space does not count.
        if sum(len("".join(item.split())) for item in inline.values()) > _MOST_CHARACTERS[kind]:
            raise LimitExceeded(
                f"Maximum policy size of {_MOST_CHARACTERS[kind]} bytes exceeded for {kind.lower()} {record.name}"
            )
        entities.save(transaction, record, context.platform.clock())
    return {}


def _missing(kind: Kind, name: str) -> NoSuchEntity:
    return NoSuchEntity(f"The {kind.lower()} policy with name {name} cannot be found.")


def _get(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
    text = record.document["Inline"].get(params["PolicyName"])
    if text is None:
        raise _missing(kind, params["PolicyName"])
    return {f"{kind}Name": record.name, "PolicyName": params["PolicyName"], "PolicyDocument": encoded(text)}


def _delete(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
        if record.document["Inline"].pop(params["PolicyName"], None) is None:
            raise _missing(kind, params["PolicyName"])
        entities.save(transaction, record, context.platform.clock())
    return {}


def _list(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
    return page(sorted(record.document["Inline"]), params, "PolicyNames", lambda name: name, lambda name: name)


def _attach(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = params["PolicyArn"]
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
        if managed_document(transaction, arn) is None or arn.split(":")[4] not in ("aws", context.account):
            raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
        attached = record.document["Attached"]
        if arn not in attached:
            if len(attached) >= _MOST_ATTACHED:
                raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{kind}: {_MOST_ATTACHED}")
            attached.append(arn)
            entities.save(transaction, record, context.platform.clock())
    return {}


def _detach(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
        if params["PolicyArn"] not in record.document["Attached"]:
            raise NoSuchEntity(f"Policy {params['PolicyArn']} was not found.")
        record.document["Attached"].remove(params["PolicyArn"])
        entities.save(transaction, record, context.platform.clock())
    return {}


def _list_attached(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    prefix = params.get("PathPrefix", "/")
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
    found = [
        arn for arn in record.document["Attached"] if arn.split(":", 5)[5].removeprefix("policy").startswith(prefix)
    ]
    return page(
        sorted(found),
        params,
        "AttachedPolicies",
        lambda arn: arn,
        lambda arn: {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn},
    )


def _operations(kind: Kind) -> dict[str, Handler]:
    return {
        f"Put{kind}Policy": partial(_put, kind),
        f"Get{kind}Policy": partial(_get, kind),
        f"Delete{kind}Policy": partial(_delete, kind),
        f"List{kind}Policies": partial(_list, kind),
        f"Attach{kind}Policy": partial(_attach, kind),
        f"Detach{kind}Policy": partial(_detach, kind),
        f"ListAttached{kind}Policies": partial(_list_attached, kind),
    }


OPERATIONS: dict[str, Handler] = {**_operations("User"), **_operations("Group"), **_operations("Role")}
