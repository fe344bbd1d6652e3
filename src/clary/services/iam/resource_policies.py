"""Policies that belong to a resource: what they let services do, and the statements that ``AddPermission`` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from clary.services.iam.api import Identities
from clary.services.iam.policy import Policies, PolicyError, Principals, Request, policies
from clary.services.iam.subjects import Subject


@lru_cache(maxsize=1024)
def compiled(text: str) -> Policies:
    """The policy with this text, compiled once. Raises ``PolicyError``."""
    return policies([text])


def checked(text: str) -> str:
    """The text of a resource's policy as it is given. Raises ``PolicyError`` if it is none or names no principal."""
    for statement in compiled(text).statements:
        if statement.principals is None:
            raise PolicyError("Missing required field Principal")
    return text


def allows_service(
    identities: Identities,
    policy: str | None,
    action: str,
    arn: str,
    service: str,
    source_arn: str,
    source_account: str,
    source_owner: str = "",
) -> bool:
    """Whether the policy of the resource ``arn`` lets ``service`` (``s3.amazonaws.com``) do ``action`` on behalf of
    the resource ``source_arn`` of ``source_account``. ``source_owner`` is that account again, for the key of older
    services.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    if not policy:
        return False
    values = {
        "aws:SourceArn": source_arn or None,
        "aws:SourceAccount": source_account or None,
        "aws:SourceOwner": source_owner or None,
        "aws:PrincipalIsAWSService": True,
        "aws:PrincipalServiceName": service,
        "aws:SecureTransport": "true",
    }
    context = identities.context(None, values, arn)
    return compiled(policy).decide(Request(action, arn, context, Principals(service=service))).allowed


def allows_role(identities: Identities, role: Subject, policy: str | None, action: str, arn: str, session: str) -> bool:
    """Whether a service that works as ``role`` may do ``action`` on the resource ``arn`` with that policy."""
    # Imported here because most services never ask.
    from clary.services.iam.api import session_principal

    caller = session_principal(role, session)
    owner = arn.split(":")[4]
    return identities.decide(caller, action, arn, {}, compiled(policy) if policy else None, owner).allowed


def with_statement(
    policy: str | None, arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]
) -> str | None:
    """The policy with a statement more that lets these accounts do these actions; ``None`` if it has one of that
    label."""
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_all([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _one_or_all(actions),
        "Resource": arn,
    }
    return with_this_statement(policy, f"{arn}/ClaryDefaultPolicy", statement)


def with_this_statement(policy: str | None, name: str, statement: Mapping[str, Any]) -> str | None:
    """The policy with a statement more, ``None`` if it has one of that ``Sid``; ``name`` is that of a new policy."""
    document = _document(policy, name)
    if any(each.get("Sid") == statement["Sid"] for each in document["Statement"]):
        return None
    return json.dumps({**document, "Statement": [*document["Statement"], statement]})


def without_statement(policy: str | None, arn: str, label: str) -> str | None:
    """The policy without the statement of that label, empty if that was its only one; ``None`` if it has none."""
    document = _document(policy, arn)
    kept = [each for each in document["Statement"] if each.get("Sid") != label]
    if len(kept) == len(document["Statement"]):
        return None
    return json.dumps({**document, "Statement": kept}) if kept else ""


def _document(policy: str | None, name: str) -> dict[str, Any]:
    if not policy:
        return {"Version": "2012-10-17", "Id": name, "Statement": []}
    document: dict[str, Any] = json.loads(policy)
    statements = document["Statement"]
    return {**document, "Statement": [statements] if isinstance(statements, Mapping) else statements}


def _one_or_all(texts: Sequence[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)
