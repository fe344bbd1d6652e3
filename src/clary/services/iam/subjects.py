"""Users and roles as the evaluation of a request needs them: with all their policies, compiled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from clary.core.names import parse_arn
from clary.services.iam.accounts import membership
from clary.services.iam.entities import entity_key
from clary.services.iam.managed import managed_policies
from clary.services.iam.policy import Policies, Statement, compile_policy, policies
from clary.state.records import Record
from clary.state.transaction import Transaction

SubjectKind = Literal["user", "role"]


@dataclass(frozen=True)
class Subject:
    """A user or a role. ``trust`` is who may assume the role; ``max_session`` the seconds that a session may last."""

    kind: SubjectKind
    account: str
    name: str
    arn: str
    id: str
    identity: Policies
    boundary: Policies | None
    tags: Mapping[str, str] = field(default_factory=dict)
    trust: Policies | None = None
    max_session: int = 3600
    signed_in_since: float = 0.0
    """When the user's password was changed: sessions of a browser that are older are over."""
    ended: Collection[str] = ()
    """The sessions of a browser that were ended."""
    organization: str = ""
    """The id of the organization that the account is in."""


def load_subject(transaction: Transaction, kind: SubjectKind, account: str, name: str) -> Subject | None:
    """The user or role of this name; in an account that is closed there is none."""
    record = transaction.get(entity_key(account, "User" if kind == "user" else "Role", name))
    joined = membership(transaction, account)
    if record is None or (joined is not None and joined.closed):
        return None
    return Subject(
        kind=kind,
        account=account,
        name=name,
        arn=record.arn,
        id=record.document["Id"],
        identity=Policies(statements_of(transaction, record)),
        boundary=boundary_of(transaction, record),
        tags=transaction.tags(record.arn),
        trust=policies([record.document["Trust"]]) if kind == "role" else None,
        max_session=record.document.get("MaxSessionDuration", 3600),
        signed_in_since=record.document.get("Login", {}).get("Changed", 0.0),
        ended=frozenset(record.document.get("SignIn", {}).get("Ended", ())),
        organization=joined.organization if joined is not None else "",
    )


def managed_document(transaction: Transaction, policy_arn: str) -> str | None:
    """The default version of a managed policy, of AWS's or of an account's own."""
    builtin = managed_policies().get(policy_arn)
    if builtin is not None:
        return builtin.document
    record = find_policy(transaction, policy_arn)
    if record is None:
        return None
    return str(record.document["Versions"][record.document["Default"]]["Document"])


def find_policy(transaction: Transaction, policy_arn: str) -> Record | None:
    """The record of an account's own managed policy."""
    try:
        parts = parse_arn(policy_arn)
    except ValueError:
        return None
    record = transaction.get(entity_key(parts.account, "Policy", parts.resource.rsplit("/", 1)[-1]))
    return record if record is not None and record.arn == policy_arn else None


def boundary_of(transaction: Transaction, record: Record) -> Policies | None:
    """The permissions boundary of a user or role."""
    arn = record.document.get("Boundary")
    if arn is None:
        return None
    # A boundary that is gone allows nothing.
    return Policies(compile_policy(managed_document(transaction, arn) or '{"Statement": []}', arn.rsplit("/", 1)[-1]))


def statements_of(transaction: Transaction, record: Record) -> Iterator[Statement]:
    """All that a user's, group's or role's own policies say, and those of the groups that a user is in."""
    yield from _own_statements(transaction, record)
    for group in record.document.get("Groups", ()):
        found = transaction.get(entity_key(record.key.account, "Group", group))
        if found is not None:
            yield from _own_statements(transaction, found)


def _own_statements(transaction: Transaction, record: Record) -> Iterator[Statement]:
    for name, text in record.document.get("Inline", {}).items():
        yield from compile_policy(text, f"{record.key.kind.lower()}_{record.name}_{name}")
    for arn in record.document.get("Attached", ()):
        text = managed_document(transaction, arn)
        if text is not None:
            yield from compile_policy(text, arn.rsplit("/", 1)[-1])
