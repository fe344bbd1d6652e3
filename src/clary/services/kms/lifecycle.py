"""Keys from their making to their end: states, descriptions, deletion, and what happens when its time has come.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler, Reconciliation
from clary.services.iam.api import identities_of
from clary.services.kms import keys
from clary.services.kms.access import conditions, would_allow
from clary.services.kms.api import keys_of
from clary.services.kms.asked import caller_of, check_tokens, denied, is_foreign, managed_record, page
from clary.services.kms.errors import (
    LimitExceededException,
    MalformedPolicyDocumentException,
    NotFoundException,
    UnsupportedOperationException,
)
from clary.services.kms.keys import DISABLED, ENABLED, PENDING, Key
from clary.services.kms.managed import DAY, SERVICES, new_record
from clary.services.kms.policies import check_policy, default_policy
from clary.services.kms.rotation import overdue, rotate, rotation_due
from clary.services.kms.specs import ENCRYPT, SIGN, SPECS, SYMMETRIC, new_material, spec_for, usage_of
from clary.services.kms.tagging import checked_tags
from clary.state.records import Query, Record
from clary.state.transaction import Transaction

_MOST_KEYS = 100_000
_SHORTEST, _LONGEST = 7, 30


def describe(record: Record) -> dict[str, Any]:
    """The members of ``KeyMetadata``."""
    document, spec = record.document, record.document["KeySpec"]
    usage = document["KeyUsage"]
    algorithms = list(SPECS[spec].algorithms[usage])
    told = {
        "AWSAccountId": record.key.account,
        "KeyId": record.name,
        "Arn": record.arn,
        "CreationDate": record.created,
        "Enabled": record.status == ENABLED,
        "Description": document["Description"],
        "KeyUsage": usage,
        "KeyState": record.status,
        "Origin": "AWS_KMS",
        "KeyManager": document["KeyManager"],
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        "MultiRegion": False,
        {ENCRYPT: "EncryptionAlgorithms", SIGN: "SigningAlgorithms"}.get(usage, "MacAlgorithms"): algorithms,
    }
    if record.status == PENDING:
        told["DeletionDate"] = document["DeletionDate"]
    if spec == SYMMETRIC:
        told["CurrentKeyMaterialId"] = document["Materials"][-1]["id"]
    return told


def create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateKey``."""
    if params.get("MultiRegion"):
        raise UnsupportedOperationException("MultiRegion: replication between regions is not available in Clary.")
    if params.get("Origin", "AWS_KMS") != "AWS_KMS" or "CustomKeyStoreId" in params or "XksKeyId" in params:
        raise UnsupportedOperationException(
            "Origin: imported key material and custom key stores are not available in Clary."
        )
    older, newer = params.get("CustomerMasterKeySpec"), params.get("KeySpec")
    if older and newer and older != newer:
        raise ValidationException("You cannot specify KeySpec and CustomerMasterKeySpec in the same request.")
    name = newer or older or SYMMETRIC
    usage = usage_of(name, params.get("KeyUsage"))
    spec = spec_for(name, usage)
    tags = checked_tags(params.get("Tags", []), {})
    identities, caller = identities_of(context), caller_of(context)
    known = {
        **context.told,
        "kms:KeySpec": name,
        "kms:KeyUsage": usage,
        "kms:KeyOrigin": "AWS_KMS",
        "kms:MultiRegion": "false",
        "kms:CallerAccount": caller.account,
        "kms:BypassPolicyLockoutSafetyCheck": bool(params.get("BypassPolicyLockoutSafetyCheck")),
        "aws:TagKeys": tuple(tags) or None,
        **{f"aws:RequestTag/{tag}": value for tag, value in tags.items()},
    }
    for operation in ("CreateKey", "TagResource") if tags else ("CreateKey",):
        identities.authorize(caller, f"kms:{operation}", "*", known)
    policy = params.get("Policy")
    if policy is not None:
        check_policy(identities, policy)
    document = {
        "Description": params.get("Description", ""),
        "KeyUsage": usage,
        "KeySpec": name,
        "KeyManager": "CUSTOMER",
        "Policy": policy or default_policy(context.account),
        "Rotation": {"Enabled": False},
    }
    # A pair of keys takes up to a second: not while the database waits.
    secret = new_material(spec)
    now = context.platform.clock()
    record = new_record(identities.vault, context.account, context.region, now, document, secret)
    with context.platform.database.write() as transaction:
        if transaction.count(Query(context.account, context.region, keys.SERVICE, "Key")) >= _MOST_KEYS:
            raise LimitExceededException(f"The account has {_MOST_KEYS} keys, as many as it may have.")
        transaction.insert(record)
        transaction.set_tags(record.arn, tags)
        if policy is not None and not params.get("BypassPolicyLockoutSafetyCheck"):
            check_lockout(context, keys.load(transaction, record), policy)
        transaction.bump(keys.TOPIC)
    return {"KeyMetadata": describe(record)}


def check_lockout(context: Context, key: Key, policy: str) -> None:
    """Raise ``MalformedPolicyDocumentException`` if, under ``policy``, the caller could never change it again."""
    caller = caller_of(context)
    known = {**context.told, **conditions(key, caller)}
    if not would_allow(identities_of(context), caller, key, "PutKeyPolicy", keys.compiled(policy), known):
        raise MalformedPolicyDocumentException(
            "The new key policy will not allow you to update the key policy in the future."
        )


def describe_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeKey``: of an alias of AWS's that has no key yet, one is made."""
    check_tokens(context, params)
    name, all_keys = params["KeyId"], keys_of(context)
    service = name.rsplit(":", 1)[-1].removeprefix("alias/aws/")
    foreign = is_foreign(context, name)
    try:
        if "alias/aws/" in name and service in SERVICES and not foreign:
            all_keys.managed_key(context.account, context.region, service)
        key = all_keys.resolve(context.account, context.region, name)
    except NotFoundException:
        if foreign:
            raise denied(context, name, "DescribeKey") from None
        raise
    values = {"RequestAlias": name.rsplit(":", 1)[-1]} if "alias/" in name else {}
    all_keys.authorize(caller_of(context), key, "DescribeKey", told=context.told, **values)
    with context.platform.database.read() as transaction:
        record = transaction.get(keys.record_key(key.account, key.region, key.id))
    if record is None:
        raise NotFoundException(f"Key '{key.arn}' does not exist")
    return {"KeyMetadata": describe(record)}


def list_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListKeys``."""
    identities_of(context).authorize(caller_of(context), "kms:ListKeys", "*", context.told)
    now = context.platform.clock()
    with context.platform.database.read() as transaction:
        found = transaction.find(Query(context.account, context.region, keys.SERVICE, "Key", sort_by="@name"))
    rows, more = page((each for each in found if not keys.is_over(each, now)), params, 100, lambda each: each.name)
    return {"Keys": [{"KeyId": each.name, "KeyArn": each.arn} for each in rows], **more}


def _save(context: Context, transaction: Transaction, record: Record) -> None:
    record.wake_at = wake_at(record)
    keys.save(transaction, record, context.platform.clock())


def _set_enabled(operation: str, state: str) -> Handler:
    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record, _ = managed_record(context, transaction, params["KeyId"], operation)
            keys.check_state(record.arn, record.status, ENABLED, DISABLED)
            record.status = state
            _save(context, transaction, record)
        return {}

    return handle


def update_description(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateKeyDescription``."""
    with context.platform.database.write() as transaction:
        record, _ = managed_record(context, transaction, params["KeyId"], "UpdateKeyDescription")
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        record.document["Description"] = params["Description"]
        _save(context, transaction, record)
    return {}


def schedule_deletion(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ScheduleKeyDeletion``: the key cannot be used from now on, and is gone after 7 to 30 days."""
    days = params.get("PendingWindowInDays", _LONGEST)
    if not _SHORTEST <= days <= _LONGEST:
        raise ValidationException(f"PendingWindowInDays must lie between {_SHORTEST} and {_LONGEST}, got {days}.")
    with context.platform.database.write() as transaction:
        given = {"kms:ScheduleKeyDeletionPendingWindowInDays": days}
        record, _ = managed_record(context, transaction, params["KeyId"], "ScheduleKeyDeletion", given=given)
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        record.status = PENDING
        record.document["DeletionDate"] = context.platform.clock() + days * DAY
        _save(context, transaction, record)
    return {
        "KeyId": record.arn,
        "DeletionDate": record.document["DeletionDate"],
        "KeyState": PENDING,
        "PendingWindowInDays": days,
    }


def cancel_deletion(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CancelKeyDeletion``: the key is disabled afterwards."""
    with context.platform.database.write() as transaction:
        record, _ = managed_record(context, transaction, params["KeyId"], "CancelKeyDeletion")
        if record.status != PENDING:
            keys.check_state(record.arn, "", PENDING)
        record.status = DISABLED
        del record.document["DeletionDate"]
        _save(context, transaction, record)
    return {"KeyId": record.arn}


def wake_at(record: Record) -> float | None:
    """When something happens to a key by itself: its end, or a new material."""
    if record.status == PENDING:
        return float(record.document["DeletionDate"])
    return rotation_due(record)


def reconcile(look: Reconciliation) -> float | None:
    """Delete a key whose time has come with its material, or give one a new material."""
    record, now = look.record, look.platform.clock()
    if keys.is_over(record, now):
        look.delete(also=lambda transaction: keys.forget_what_belongs_to(transaction, record))
        return None
    if overdue(record, now):
        identities: Any = look.platform.identity
        rotate(identities.vault, record, now, "AUTOMATIC")

    def sleep(transaction: Transaction) -> None:
        # Written in two steps, since the first one ends the lease: nobody shall hold it for a year.
        record.wake_at = wake_at(record)
        transaction.update(record)
        transaction.bump(keys.TOPIC)

    record.wake_at = None
    look.save(also=sleep)
    return None


OPERATIONS: dict[str, Handler] = {
    "CreateKey": create,
    "DescribeKey": describe_key,
    "ListKeys": list_keys,
    "EnableKey": _set_enabled("EnableKey", ENABLED),
    "DisableKey": _set_enabled("DisableKey", DISABLED),
    "UpdateKeyDescription": update_description,
    "ScheduleKeyDeletion": schedule_deletion,
    "CancelKeyDeletion": cancel_deletion,
}
