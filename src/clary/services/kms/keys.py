"""How keys, aliases and grants are kept, and how requests name them.

The material of a key lies in its record sealed under the installation's master key, bound to the key and to the
material's id.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from clary.core.names import arn as make_arn
from clary.core.names import parse_arn
from clary.services.iam.policy import Policies, policies
from clary.services.iam.vault import Vault
from clary.services.kms.errors import (
    DisabledException,
    InvalidArnException,
    KMSInvalidStateException,
    NotFoundException,
)
from clary.state.records import Key as RecordKey
from clary.state.records import Query, Record
from clary.state.transaction import Transaction

SERVICE = "kms"
TOPIC = "kms"
"""The revision that grows with every change, so that caches know when to forget."""
ENABLED, DISABLED, PENDING = "Enabled", "Disabled", "PendingDeletion"
_PURPOSE = "kms-key"


@dataclass(frozen=True, slots=True)
class Material:
    """One material of a key, sealed; ``rotation`` is how it came to be, if it is not the first."""

    id: str
    sealed: str
    created: float
    rotation: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for somebody to do some operations with a key; the constraints are pairs of the encryption context."""

    id: str
    grantee: str
    retiring: str
    operations: frozenset[str]
    equals: Mapping[str, str] | None
    subset: Mapping[str, str] | None

    def fits(self, context: Mapping[str, str]) -> bool:
        """Whether the constraints take this encryption context."""
        if self.equals is not None and self.equals != context:
            return False
        return self.subset is None or self.subset.items() <= context.items()

    def covers(self, operations: frozenset[str], constraints: Mapping[str, Any]) -> bool:
        """Whether a grant of these operations and constraints allows no more than this one."""
        if not operations <= self.operations:
            return False
        equals = constraints.get("EncryptionContextEquals")
        if self.equals is not None:
            return bool(self.equals == equals)
        if self.subset is None:
            return True
        stricter = equals if equals is not None else constraints.get("EncryptionContextSubset", {})
        return bool(self.subset.items() <= stricter.items())


@dataclass(frozen=True, eq=False)
class Key:
    """A key with all that decides over its use. ``materials`` are sealed, the last one is the one that encrypts."""

    arn: str
    id: str
    account: str
    region: str
    spec: str
    usage: str
    manager: str
    state: str
    policy: Policies
    materials: tuple[Material, ...]
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    grants: tuple[Grant, ...]

    @property
    def material(self) -> Material:
        return self.materials[-1]

    def check_enabled(self) -> None:
        """Raise ``DisabledException`` or ``KMSInvalidStateException`` unless the key can be used."""
        check_state(self.arn, self.state, ENABLED)


def check_state(arn: str, state: str, *allowed: str) -> None:
    """Raise ``DisabledException`` or ``KMSInvalidStateException`` unless a key is in one of these states."""
    if state in allowed:
        return
    if state == DISABLED:
        raise DisabledException(f"{arn} is disabled.")
    if state == PENDING:
        raise KMSInvalidStateException(f"{arn} is pending deletion.")
    raise KMSInvalidStateException(f"{arn} is not pending deletion.")


# Names


def key_arn(account: str, region: str, key_id: str) -> str:
    """The ARN of a key."""
    return make_arn(SERVICE, region, account, f"key/{key_id}")


def alias_arn(account: str, region: str, name: str) -> str:
    """The ARN of an alias; ``name`` begins with ``alias/``."""
    return make_arn(SERVICE, region, account, name)


def record_key(account: str, region: str, key_id: str) -> RecordKey:
    return RecordKey(account, region, SERVICE, "Key", "", key_id)


def alias_key(account: str, region: str, name: str) -> RecordKey:
    return RecordKey(account, region, SERVICE, "Alias", "", name)


def grants_query(account: str, region: str) -> Query:
    """All grants of an account's keys, the oldest first."""
    return Query(account, region, SERVICE, "Grant")


def aliases_query(account: str, region: str) -> Query:
    """All aliases of an account."""
    return Query(account, region, SERVICE, "Alias", sort_by="@name")


def find(transaction: Transaction, account: str, region: str, name: str, now: float, *, aliases: bool = True) -> Record:
    """The record of the key that ``name`` means: its id, its ARN or, with ``aliases``, an alias or an alias's ARN.

    Raises ``NotFoundException`` or ``InvalidArnException``.
    """
    resource, place = name, (account, region)
    if name.startswith("arn:"):
        try:
            parts = parse_arn(name)
        except ValueError:
            raise InvalidArnException(f"Invalid arn {name}") from None
        if parts.service != SERVICE or not parts.account:
            raise InvalidArnException(f"Invalid arn {name}")
        if parts.region != region:
            raise NotFoundException(f"Invalid arn {parts.region}")
        resource, place = parts.resource, (parts.account, parts.region)
        if not resource.startswith(("key/", "alias/")):
            raise InvalidArnException(f"Invalid arn {name}")
    if resource.startswith("alias/"):
        if not aliases:
            raise NotFoundException(f"Invalid keyId '{name}'")
        alias = transaction.get(alias_key(*place, resource))
        if alias is None:
            raise NotFoundException(f"Alias {alias_arn(*place, resource)} is not found.")
        resource = alias.document["Target"]
    key_id = resource.removeprefix("key/") if name.startswith("arn:") else resource
    record = transaction.get(record_key(*place, key_id))
    if record is None or is_over(record, now):
        raise NotFoundException(f"Key '{key_arn(*place, key_id)}' does not exist")
    return record


def is_over(record: Record, now: float) -> bool:
    """Whether the time of a key that waits for its deletion has come, though nobody has deleted it yet."""
    return record.status == PENDING and bool(record.document["DeletionDate"] <= now)


def load(transaction: Transaction, record: Record) -> Key:
    """The key in a record."""
    document, where = record.document, record.key
    grants = transaction.find(grants_query(where.account, where.region).within(where.name))
    aliases = transaction.find(aliases_query(where.account, where.region).where("Target", where.name))
    return Key(
        arn=record.arn,
        id=where.name,
        account=where.account,
        region=where.region,
        spec=document["KeySpec"],
        usage=document["KeyUsage"],
        manager=document["KeyManager"],
        state=record.status,
        policy=compiled(document["Policy"]),
        materials=tuple(Material(**each) for each in document["Materials"]),
        aliases=tuple(alias.name for alias in aliases),
        tags=transaction.tags(record.arn),
        grants=tuple(map(grant_of, grants)),
    )


def grant_of(record: Record) -> Grant:
    """The grant in a record."""
    document = record.document
    constraints = document.get("Constraints", {})
    return Grant(
        record.name,
        document["GranteePrincipal"],
        document.get("RetiringPrincipal", ""),
        frozenset(document["Operations"]),
        constraints.get("EncryptionContextEquals"),
        constraints.get("EncryptionContextSubset"),
    )


@lru_cache(maxsize=256)
def compiled(text: str) -> Policies:
    """A key policy, compiled once for as long as it is the same."""
    return policies([text])


def save(transaction: Transaction, record: Record, now: float) -> None:
    """Store a changed key. Raises ``VersionConflict``."""
    record.modified = now
    transaction.update(record)
    transaction.bump(TOPIC)


def forget_what_belongs_to(transaction: Transaction, record: Record) -> None:
    """Remove the aliases and grants of a key that goes."""
    where = record.key
    for alias in transaction.find(aliases_query(where.account, where.region).where("Target", where.name)):
        transaction.delete(alias)
    for grant in transaction.find(grants_query(where.account, where.region).within(where.name)):
        transaction.delete(grant)
    transaction.bump(TOPIC)


# Material


def seal_material(vault: Vault, arn: str, secret: bytes, now: float, rotation: str = "") -> dict[str, Any]:
    """A new material as the key's record holds it."""
    material_id = os.urandom(32).hex()
    sealed = vault.seal(_PURPOSE, secret, f"{arn} {material_id}")
    return {"id": material_id, "sealed": sealed, "created": now, "rotation": rotation}


def open_material(vault: Vault, arn: str, material: Material) -> bytes:
    """The secret of a material. Raises ``SealBroken``."""
    return vault.open(_PURPOSE, material.sealed, f"{arn} {material.id}")
