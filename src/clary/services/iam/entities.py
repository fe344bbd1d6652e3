"""How users, groups, roles, policies and access keys are kept."""

from __future__ import annotations

from typing import Any, Literal

from clary.core.ids import unique_id
from clary.core.names import arn
from clary.services.iam.errors import EntityAlreadyExists, NoSuchEntity
from clary.services.iam.vault import Vault
from clary.state.records import AlreadyExists, Key, Query, Record
from clary.state.transaction import Transaction

SERVICE = "iam"
TOPIC = "identity"
"""The revision that grows with every change, so that caches know when to forget."""

Kind = Literal["User", "Group", "Role", "Policy", "InstanceProfile"]

_ID_PREFIXES: dict[Kind, str] = {
    "User": "AIDA",
    "Group": "AGPA",
    "Role": "AROA",
    "Policy": "ANPA",
    "InstanceProfile": "AIPA",
}
_ARN_PARTS: dict[Kind, str] = {
    "User": "user",
    "Group": "group",
    "Role": "role",
    "Policy": "policy",
    "InstanceProfile": "instance-profile",
}


def entity_key(account: str, kind: Kind, name: str) -> Key:
    """Where the entity of this name is kept; IAM is global, so there is no region."""
    return Key(account, "", SERVICE, kind, "", name)


def entity_arn(account: str, kind: Kind, name: str, path: str = "/") -> str:
    """The ARN; ``path`` begins and ends with a slash."""
    return arn(SERVICE, "", account, f"{_ARN_PARTS[kind]}{path}{name}")


def find(transaction: Transaction, account: str, kind: Kind, name: str) -> Record:
    """The entity; raises ``NoSuchEntity``."""
    record = transaction.get(entity_key(account, kind, name))
    if record is None:
        if kind == "InstanceProfile":
            raise NoSuchEntity(f"Instance Profile {name} cannot be found.")
        raise NoSuchEntity(f"The {kind.lower()} with name {name} cannot be found.")
    return record


def create(
    transaction: Transaction,
    account: str,
    kind: Kind,
    name: str,
    now: float,
    document: dict[str, Any],
    path: str = "/",
) -> Record:
    """Store a new entity with a new unique id; raises ``EntityAlreadyExists``."""
    phrase = f"Instance Profile {name}" if kind == "InstanceProfile" else f"{kind} with name {name}"
    same = Query(account, "", SERVICE, kind).where("@name", name, "contains")
    # Names differ by more than their case.
    if any(record.name.lower() == name.lower() for record in transaction.find(same)):
        raise EntityAlreadyExists(f"{phrase} already exists.")
    whole = {"Id": unique_id(_ID_PREFIXES[kind]), "Path": path, **document}
    record = Record(entity_key(account, kind, name), entity_arn(account, kind, name, path), now, now, whole)
    try:
        transaction.insert(record)
    except AlreadyExists as error:
        raise EntityAlreadyExists(f"{phrase} already exists.") from error
    transaction.bump(TOPIC)
    return record


def save(transaction: Transaction, record: Record, now: float) -> None:
    """Store a changed entity; raises ``VersionConflict``."""
    record.modified = now
    transaction.update(record)
    transaction.bump(TOPIC)


def delete(transaction: Transaction, record: Record) -> None:
    """Remove an entity with its tags."""
    transaction.delete(record)
    transaction.bump(TOPIC)


def every(transaction: Transaction, account: str, kind: Kind) -> list[Record]:
    """All entities of one kind by name."""
    return transaction.find(Query(account, "", SERVICE, kind, sort_by="@name"))


# Access keys


def _access_key_arn(access_key: str) -> str:
    # Not an ARN of AWS's: it finds the key before anybody knows whose it is.
    return f"arn:aws:iam:::access-key/{access_key}"


def find_access_key(transaction: Transaction, access_key: str) -> Record | None:
    """The record of a permanent access key, in whichever account."""
    return transaction.by_arn(_access_key_arn(access_key))


def access_keys(transaction: Transaction, account: str, user: str) -> list[Record]:
    """The access keys of ``user``, the oldest first; an empty ``user`` is the account's root."""
    return transaction.find(Query(account, "", SERVICE, "AccessKey").within(user))


def create_access_key(
    transaction: Transaction, vault: Vault, account: str, user: str, access_key: str, secret: str, now: float
) -> Record:
    """Store an access key, its secret sealed."""
    sealed = vault.seal("access-key", secret.encode(), access_key)
    document = {"Secret": sealed, "Status": "Active"}
    key = Key(account, "", SERVICE, "AccessKey", user, access_key)
    record = transaction.insert(Record(key, _access_key_arn(access_key), now, now, document))
    transaction.bump(TOPIC)
    return record


def secret_of(vault: Vault, record: Record) -> str:
    """The secret of an access key's record."""
    return vault.open("access-key", record.document["Secret"], record.name).decode()
