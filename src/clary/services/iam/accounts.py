"""The accounts of an installation: what each begins with, which organization it is in, and whether it is closed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from clary.core.ids import token
from clary.services.iam.entities import SERVICE, TOPIC, create
from clary.state.records import Key, Record
from clary.state.transaction import Transaction

EXECUTION_ROLE = "ClaryExecutionRole"
_AWS_POLICIES = "arn:aws:iam::aws:policy/"
_ADMINISTRATION = _AWS_POLICIES + "AdministratorAccess"
_CLOSED = "SUSPENDED"
_MLFLOW = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "sagemaker-mlflow:*", "Resource": "*"},
}
"""https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-create-tracking-server-iam.html"""


@dataclass(frozen=True)
class Membership:
    """An account's place in an organization, whose id is ``o-…`` and which the account ``management`` manages."""

    organization: str
    management: str
    joined: float
    """Seconds since the epoch."""
    closed: bool = False


def membership(transaction: Transaction, account: str) -> Membership | None:
    """The place of an account in its organization; ``None`` for an account that is in none."""
    record = transaction.get(_key(account))
    if record is None:
        return None
    document = record.document
    return Membership(document["Organization"], document["Management"], record.created, record.status == _CLOSED)


def found_organization(transaction: Transaction, account: str, now: float) -> None:
    """Make an organization that ``account`` manages."""
    _join(transaction, account, f"o-{token(10)}", account, now)


def open_account(transaction: Transaction, account: str, management: Membership, role: str, now: float) -> None:
    """Give a new account what it begins with: its membership, an execution role, and ``role`` for its management.

    Raises ``EntityAlreadyExists`` if ``role`` is called like the execution role.
    Reference: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
    """
    _join(transaction, account, management.organization, management.management, now)
    execution_role(transaction, account, "/", EXECUTION_ROLE, now)
    root = {"AWS": f"arn:aws:iam::{management.management}:root"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}],
    }
    document = {"Inline": {}, "Attached": [_ADMINISTRATION], "Trust": json.dumps(trust), "MaxSessionDuration": 3600}
    create(transaction, account, "Role", role, now, document)


def close_account(transaction: Transaction, account: str, now: float) -> None:
    """From now on nobody acts in an account: none of its keys, sessions and roles is good any more."""
    record = transaction.get(_key(account))
    assert record is not None
    record.status, record.modified = _CLOSED, now
    transaction.update(record)
    transaction.bump(TOPIC)


def _key(account: str) -> Key:
    return Key(account, "", SERVICE, "Membership", "", "organization")


def _join(transaction: Transaction, account: str, organization: str, management: str, now: float) -> None:
    document = {"Organization": organization, "Management": management}
    # Not an ARN of AWS's: that of an account is kept by Organizations.
    transaction.insert(Record(_key(account), f"arn:aws:iam::{account}:organization", now, now, document, "ACTIVE"))
    transaction.bump(TOPIC)


def administrator(transaction: Transaction, account: str, name: str, now: float) -> None:
    """Make a user that may do everything in an account."""
    create(transaction, account, "User", name, now, {"Inline": {}, "Attached": [_ADMINISTRATION], "Groups": []})


def execution_role(transaction: Transaction, account: str, path: str, name: str, now: float) -> None:
    """Make a role for the jobs and endpoints of an account."""
    trust: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"},
        ],
    }
    # A role that SageMaker's console makes may use the buckets that its maker names; here those are all buckets.
    attached = [_AWS_POLICIES + "AmazonSageMakerFullAccess", _AWS_POLICIES + "AmazonS3FullAccess"]
    # It may hand itself on: pipelines and jobs that start jobs name their own role.
    own = f"arn:aws:iam::{account}:role{path}{name}"
    services = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    statements = [
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": own, "Condition": services},
        {"Effect": "Allow", "Action": ["iam:GetRole", "iam:SimulatePrincipalPolicy"], "Resource": own},
    ]
    document = {
        "Inline": {
            "OwnRole": json.dumps({"Version": "2012-10-17", "Statement": statements}),
            "Mlflow": json.dumps(_MLFLOW),
        },
        "Attached": attached,
        "Trust": json.dumps(trust),
        "Description": "Execution role of SageMaker jobs and endpoints.",
        "MaxSessionDuration": 43200,
    }
    create(transaction, account, "Role", name, now, document, path)
