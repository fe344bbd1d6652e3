"""What an installation has from the start: an administrator, an execution role, and what public test suites expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson

from clary.core import suites
from clary.core.files import write_private
from clary.core.ids import secret_key, unique_id
from clary.core.settings import Settings
from clary.services.iam.entities import (
    SERVICE,
    access_keys,
    create,
    create_access_key,
    entity_key,
    find_access_key,
    secret_of,
)
from clary.services.iam.vault import Vault
from clary.state.database import Database
from clary.state.records import Key, Record
from clary.state.transaction import Transaction

ADMINISTRATOR = "administrator"
EXECUTION_ROLE = "ClaryExecutionRole"
_AWS_POLICIES = "arn:aws:iam::aws:policy/"
_COLLECTIONS = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["resource-groups:*", "tag:*"], "Resource": "*"},
}
"""https://docs.aws.amazon.com/sagemaker/latest/dg/modelcollections-permissions.html"""
_MLFLOW = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "sagemaker-mlflow:*", "Resource": "*"},
}
"""https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-create-tracking-server-iam.html"""


def bootstrap(database: Database, settings: Settings, vault: Vault, now: float) -> None:
    """Make what is missing, once for each database: what somebody deleted later stays deleted."""
    file = settings.secrets / "administrator.json"
    with database.write() as transaction:
        if _first(transaction, settings.account, "installation", now):
            _administrator(transaction, settings, vault, file, now)
            _execution_role(transaction, settings.account, "/", EXECUTION_ROLE, now)
        if settings.test_mode and _first(transaction, settings.account, "test-mode", now):
            _test_identities(transaction, settings, vault, now)
        keys = access_keys(transaction, settings.account, ADMINISTRATOR)
        active = next((record for record in keys if record.document["Status"] == "Active"), None)
    if active is not None and not file.exists():
        pair = {"AccessKeyId": active.name, "SecretAccessKey": secret_of(vault, active)}
        write_private(file, json.dumps(pair).encode())


def _first(transaction: Transaction, account: str, what: str, now: float) -> bool:
    key = Key(account, "", SERVICE, "Bootstrap", "", what)
    if transaction.get(key) is not None:
        return False
    transaction.insert(Record(key, f"arn:aws:iam::{account}:bootstrap/{what}", now, now, {}))
    return True


def _administrator(transaction: Transaction, settings: Settings, vault: Vault, file: Path, now: float) -> None:
    _user(transaction, settings.account, ADMINISTRATOR, now)
    access_key, secret = unique_id("AKIA", 20), secret_key()
    if file.exists():
        # The database is new, but clients may know the key already.
        pair = orjson.loads(file.read_bytes())
        access_key, secret = pair["AccessKeyId"], pair["SecretAccessKey"]
    create_access_key(transaction, vault, settings.account, ADMINISTRATOR, access_key, secret, now)


def _user(transaction: Transaction, account: str, name: str, now: float) -> None:
    attached = [_AWS_POLICIES + "AdministratorAccess"]
    create(transaction, account, "User", name, now, {"Inline": {}, "Attached": attached, "Groups": []})


def _execution_role(transaction: Transaction, account: str, path: str, name: str, now: float) -> None:
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


def _test_identities(transaction: Transaction, settings: Settings, vault: Vault, now: float) -> None:
    _user(transaction, settings.account, "test", now)
    for access_key, secret in suites.KEYS.items():
        create_access_key(transaction, vault, settings.account, "test", access_key, secret, now)
    for path, name in suites.ROLES:
        _execution_role(transaction, settings.account, path, name, now)
        record = transaction.get(entity_key(settings.account, "Role", name))
        assert record is not None
        # What AWS tells those to attach who use the registry's collections.
        record.document["Inline"]["ModelCollections"] = json.dumps(_COLLECTIONS)
        transaction.update(record)
    for name, (account, access_key, secret) in suites.S3_ACCOUNTS.items():
        _user(transaction, account, name, now)
        if find_access_key(transaction, access_key) is None:
            create_access_key(transaction, vault, account, name, access_key, secret, now)
