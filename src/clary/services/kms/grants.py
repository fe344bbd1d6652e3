"""Grants: leave to use a key, given to one principal beside the key's policy, and taken back when it is done.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from clary.core.errors import AccessDenied, ValidationException
from clary.resources.context import Context, Handler
from clary.services.iam.api import identities_of
from clary.services.kms import keys
from clary.services.kms.access import CRYPTOGRAPHIC
from clary.services.kms.asked import (
    GRANT_TOKEN,
    caller_of,
    check_tokens,
    check_trial,
    denied,
    is_foreign,
    managed_record,
    page,
    read_token,
)
from clary.services.kms.errors import (
    InvalidArnException,
    InvalidGrantIdException,
    LimitExceededException,
    NotFoundException,
    UnsupportedOperationException,
)
from clary.services.kms.keys import Grant, Key, grants_query
from clary.services.kms.policies import is_there
from clary.services.kms.specs import ENCRYPT, SIGN, SYMMETRIC
from clary.state.records import Key as RecordKey
from clary.state.records import Record
from clary.state.transaction import Transaction

_MOST = 50_000
_ALWAYS = frozenset(("CreateGrant", "RetireGrant", "DescribeKey"))
_MEMBERS = ("GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints", "Name")


def _possible(key: Key) -> frozenset[str]:
    """What a grant for such a key can allow."""
    if key.spec == SYMMETRIC:
        return _ALWAYS | CRYPTOGRAPHIC
    if key.usage == ENCRYPT:
        return _ALWAYS | {"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"}
    return _ALWAYS | ({"Sign", "Verify", "GetPublicKey"} if key.usage == SIGN else {"GenerateMac", "VerifyMac"})


def create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateGrant``; one that names itself as another which says the same is that other."""
    check_tokens(context, params)
    if any(name in params for name in ("GranteeServicePrincipal", "RetiringServicePrincipal")):
        raise UnsupportedOperationException("Grants for service principals are not available in Clary.")
    if "GranteePrincipal" not in params:
        raise ValidationException("GranteePrincipal is required.")
    constraints = params.get("Constraints", {})
    if "SourceArn" in constraints:
        raise UnsupportedOperationException("SourceArn: grants for service principals are not available in Clary.")
    operations = frozenset(params["Operations"])
    given = {
        "kms:GrantOperations": tuple(operations),
        "kms:GranteePrincipal": params["GranteePrincipal"],
        "kms:RetiringPrincipal": params.get("RetiringPrincipal"),
        "kms:GrantConstraintType": tuple(constraints) or None,
        "kms:GrantIsForAWSResource": False,
    }

    def covered(grant: Grant) -> bool:
        return grant.covers(operations, constraints)

    with context.platform.database.write() as transaction:
        record, key = managed_record(
            context, transaction, params["KeyId"], "CreateGrant", covered, foreign=True, given=given
        )
        key.check_enabled()
        _check(context, key, params, operations)
        check_trial(params)
        made = _same(transaction, key, params) or _insert(context, transaction, record, key, params)
    token = identities_of(context).vault.seal(GRANT_TOKEN, f"{key.arn} {made.name}".encode())
    return {"GrantId": made.name, "GrantToken": token}


def _check(context: Context, key: Key, params: Mapping[str, Any], operations: frozenset[str]) -> None:
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        name = params.get(member)
        if name is not None and not (name.startswith("arn:") and is_there(identities_of(context), name)):
            raise InvalidArnException(f"ARN does not refer to a valid principal: {name}")
    impossible = sorted(operations - _possible(key))
    if impossible:
        raise ValidationException(f"Unsupported grant operations for {key.arn}: {', '.join(impossible)}")
    if params.get("Constraints") and key.spec != SYMMETRIC:
        raise ValidationException("Only grants for symmetric encryption keys can have encryption context constraints.")
    if not operations:
        raise ValidationException("Operations must not be empty.")


def _same(transaction: Transaction, key: Key, params: Mapping[str, Any]) -> Record | None:
    if "Name" not in params:
        return None
    wanted = {name: params[name] for name in _MEMBERS if name in params}
    for record in transaction.find(_of(key)):
        if {name: record.document[name] for name in _MEMBERS if name in record.document} == wanted:
            return record
    return None


def _of(key: Key) -> Any:
    return grants_query(key.account, key.region).within(key.id)


def _insert(context: Context, transaction: Transaction, record: Record, key: Key, params: Mapping[str, Any]) -> Record:
    if len(key.grants) >= _MOST:
        raise LimitExceededException(f"{key.arn} has {_MOST} grants, as many as it may have.")
    grant_id, now = secrets.token_hex(32), context.platform.clock()
    document = {name: params[name] for name in _MEMBERS if name in params}
    document |= {"Key": record.arn, "Issuer": f"arn:aws:iam::{context.account}:root"}
    where = RecordKey(key.account, key.region, keys.SERVICE, "Grant", key.id, grant_id)
    made = transaction.insert(Record(where, f"{record.arn}/grant/{grant_id}", now, now, document))
    transaction.bump(keys.TOPIC)
    return made


def _view(record: Record) -> dict[str, Any]:
    document = record.document
    shown = {name: document[name] for name in _MEMBERS if name in document}
    return {
        **shown,
        "KeyId": document["Key"],
        "GrantId": record.name,
        "CreationDate": record.created,
        "IssuingAccount": document["Issuer"],
    }


def list_grants(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListGrants``: those of a key, of one grantee where one is named."""
    with context.platform.database.read() as transaction:
        _, key = managed_record(context, transaction, params["KeyId"], "ListGrants", foreign=True)
        found = transaction.find(_of(key))
    grantee = params.get("GranteePrincipal")
    if "GranteeServicePrincipal" in params:
        found = []
    if grantee is not None:
        found = [each for each in found if each.document["GranteePrincipal"] == grantee]
    if "GrantId" in params:
        found = [each for each in found if each.name == params["GrantId"]]
        if not found:
            raise InvalidGrantIdException(f"Grant {params['GrantId']} is not found.")
    rows, more = page(found, params, 50, lambda each: each.name)
    return {"Grants": [_view(each) for each in rows], **more}


def list_retirable(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListRetirableGrants``: those of the account's keys that a principal may retire."""
    identities_of(context).authorize(caller_of(context), "kms:ListRetirableGrants", "*", context.told)
    principal = params.get("RetiringPrincipal")
    if principal is None:
        raise ValidationException("RetiringPrincipal is required.")
    if principal.split(":")[4:5] != [context.account]:
        raise _denied(context, principal)
    with context.platform.database.read() as transaction:
        everything = transaction.find(
            grants_query(context.account, context.region).where("RetiringPrincipal", principal)
        )
    rows, more = page(everything, params, 50, lambda each: each.name)
    return {"Grants": [_view(each) for each in rows], **more}


def _denied(context: Context, principal: str) -> AccessDenied:
    return AccessDenied(
        f"User: {context.caller.arn} is not authorized to perform: kms:ListRetirableGrants for the principal "
        f"{principal}"
    )


def _remove(transaction: Transaction, key: Key, grant_id: str) -> None:
    transaction.delete(_grant(transaction, key, grant_id))
    transaction.bump(keys.TOPIC)


def _grant(transaction: Transaction, key: Key, grant_id: str) -> Record:
    record = transaction.get(RecordKey(key.account, key.region, keys.SERVICE, "Grant", key.id, grant_id))
    if record is None:
        raise InvalidGrantIdException(f"Grant {grant_id} is not found.")
    return record


def revoke(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RevokeGrant``: by who administers the key."""
    with context.platform.database.write() as transaction:
        _, key = managed_record(context, transaction, params["KeyId"], "RevokeGrant", foreign=True)
        _grant(transaction, key, params["GrantId"])
        check_trial(params)
        _remove(transaction, key, params["GrantId"])
    return {}


def retire(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RetireGrant``: by the retiring principal, by a grantee that may, or by whom the key's policy lets."""
    if "GrantToken" in params:
        if "KeyId" in params or "GrantId" in params:
            raise ValidationException("You must specify either a grant token, or a key ARN and a grant ID.")
        name, grant_id = read_token(context, params["GrantToken"])
    elif "KeyId" in params and "GrantId" in params:
        name, grant_id = params["KeyId"], params["GrantId"]
        if not name.startswith("arn:"):
            raise InvalidArnException("KeyId must be a key ARN")
    else:
        raise ValidationException("You must specify either a grant token, or a key ARN and a grant ID.")
    identities = identities_of(context)
    with context.platform.database.write() as transaction:
        try:
            found = keys.find(
                transaction, context.account, context.region, name, context.platform.clock(), aliases=False
            )
        except NotFoundException:
            raise (denied(context, name, "RetireGrant") if is_foreign(context, name) else _gone(name)) from None
        key = keys.load(transaction, found)
        grant = next((each for each in key.grants if each.id == grant_id), None)
        own = identities.principals(caller_of(context)).own
        named = grant is not None and (
            grant.retiring in own or (grant.grantee in own and "RetireGrant" in grant.operations)
        )
        if not named:
            managed_record(context, transaction, name, "RetireGrant", lambda _: False, foreign=True)
        _grant(transaction, key, grant_id)
        check_trial(params)
        _remove(transaction, key, grant_id)
    return {}


def _gone(name: str) -> NotFoundException:
    return NotFoundException(f"Key '{name}' does not exist")


OPERATIONS: dict[str, Handler] = {
    "CreateGrant": create,
    "ListGrants": list_grants,
    "ListRetirableGrants": list_retirable,
    "RevokeGrant": revoke,
    "RetireGrant": retire,
}
