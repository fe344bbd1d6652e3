"""New material for a key that stays the same to its users; the old ones still open what they encrypted.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam.api import identities_of
from clary.services.iam.vault import Vault
from clary.services.kms import keys
from clary.services.kms.asked import managed_record, page
from clary.services.kms.errors import LimitExceededException, UnsupportedOperationException
from clary.services.kms.keys import ENABLED
from clary.services.kms.managed import DAY, YEAR
from clary.services.kms.specs import SPECS, SYMMETRIC, new_material
from clary.state.records import Record

MOST_ON_DEMAND = 25


def rotate(vault: Vault, record: Record, now: float, kind: str) -> None:
    """Give a key's record a new material; ``kind`` is ``AUTOMATIC`` or ``ON_DEMAND``."""
    secret = new_material(SPECS[SYMMETRIC])
    record.document["Materials"].append(keys.seal_material(vault, record.arn, secret, now, kind))
    if kind == "AUTOMATIC":
        rotation = record.document["Rotation"]
        rotation["Next"] = now + rotation["Period"] * DAY


def rotation_due(record: Record) -> float | None:
    """When the key gets its next material by itself; one that is disabled waits."""
    rotation = record.document["Rotation"]
    return float(rotation["Next"]) if rotation["Enabled"] and record.status == ENABLED else None


def overdue(record: Record, now: float) -> bool:
    """Whether that time has come."""
    due = rotation_due(record)
    return due is not None and due <= now


def _check(record: Record) -> None:
    if record.document["KeySpec"] != SYMMETRIC:
        raise UnsupportedOperationException(f"{record.arn} is not a symmetric encryption key: it cannot be rotated.")
    keys.check_state(record.arn, record.status, ENABLED)


def enable(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``EnableKeyRotation``, or another period for it."""
    days = params.get("RotationPeriodInDays", YEAR)
    with context.platform.database.write() as transaction:
        given = {"kms:RotationPeriodInDays": days}
        record, _ = managed_record(context, transaction, params["KeyId"], "EnableKeyRotation", given=given)
        _check(record)
        now = context.platform.clock()
        record.document["Rotation"] = {"Enabled": True, "Period": days, "Next": now + days * DAY}
        record.wake_at = rotation_due(record)
        keys.save(transaction, record, now)
    return {}


def disable(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DisableKeyRotation``."""
    with context.platform.database.write() as transaction:
        record, _ = managed_record(context, transaction, params["KeyId"], "DisableKeyRotation")
        _check(record)
        record.document["Rotation"] = {"Enabled": False}
        record.wake_at = None
        keys.save(transaction, record, context.platform.clock())
    return {}


def status(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetKeyRotationStatus``."""
    with context.platform.database.read() as transaction:
        record, _ = managed_record(context, transaction, params["KeyId"], "GetKeyRotationStatus", foreign=True)
    if record.document["KeySpec"] != SYMMETRIC:
        raise UnsupportedOperationException(f"{record.arn} is not a symmetric encryption key: it cannot be rotated.")
    rotation = record.document["Rotation"]
    told: dict[str, Any] = {"KeyId": record.arn, "KeyRotationEnabled": rotation["Enabled"]}
    if rotation["Enabled"]:
        told["RotationPeriodInDays"] = rotation["Period"]
    if (due := rotation_due(record)) is not None:
        told["NextRotationDate"] = due
    return told


def on_demand(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RotateKeyOnDemand``: at once."""
    with context.platform.database.write() as transaction:
        record, key = managed_record(context, transaction, params["KeyId"], "RotateKeyOnDemand")
        _check(record)
        if sum(each.rotation == "ON_DEMAND" for each in key.materials) >= MOST_ON_DEMAND:
            raise LimitExceededException(f"{record.arn} was rotated on demand {MOST_ON_DEMAND} times, which is all.")
        now = context.platform.clock()
        rotate(identities_of(context).vault, record, now, "ON_DEMAND")
        keys.save(transaction, record, now)
    return {"KeyId": record.arn}


def list_rotations(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListKeyRotations``: the rotations that were, or with ``ALL_KEY_MATERIAL`` the first material too."""
    with context.platform.database.read() as transaction:
        record, key = managed_record(context, transaction, params["KeyId"], "ListKeyRotations")
    if record.document["KeySpec"] != SYMMETRIC:
        raise UnsupportedOperationException(f"{record.arn} is not a symmetric encryption key: it cannot be rotated.")
    everything = params.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    rows = []
    for number, material in enumerate(key.materials):
        if not material.rotation and not everything:
            continue
        row: dict[str, Any] = {"KeyId": record.arn, "KeyMaterialId": material.id}
        row["KeyMaterialState"] = "CURRENT" if material is key.material else "NON_CURRENT"
        if material.rotation:
            row |= {"RotationDate": material.created, "RotationType": material.rotation}
        rows.append((f"{number:06}", row))
    shown, more = page(rows, params, 100, lambda row: row[0])
    return {"Rotations": [row for _, row in shown], **more}


OPERATIONS: dict[str, Handler] = {
    "EnableKeyRotation": enable,
    "DisableKeyRotation": disable,
    "GetKeyRotationStatus": status,
    "RotateKeyOnDemand": on_demand,
    "ListKeyRotations": list_rotations,
}
