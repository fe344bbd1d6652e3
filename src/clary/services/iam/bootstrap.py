"""What an installation has from the start: an account that manages an organization, an administrator, an execution
role, and what public test suites expect."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

import orjson

from clary.core import suites
from clary.core.files import write_private
from clary.core.ids import secret_key, unique_id
from clary.core.settings import Settings, SettingsError
from clary.services.iam.accounts import EXECUTION_ROLE, administrator, execution_role, found_organization, membership
from clary.services.iam.entities import (
    SERVICE,
    access_keys,
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
_COLLECTIONS = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["resource-groups:*", "tag:*"], "Resource": "*"},
}
"""https://docs.aws.amazon.com/sagemaker/latest/dg/modelcollections-permissions.html"""


def bootstrap(database: Database, settings: Settings, vault: Vault, now: float) -> None:
    """Make what is missing, once for each database: what somebody deleted later stays deleted."""
    file = settings.secrets / "administrator.json"
    with database.write() as transaction:
        if database.is_shared:
            _check_installation(transaction, settings, now)
        # One of an organization's accounts, which may be the installation's later, has an execution role already.
        is_joined = membership(transaction, settings.account) is not None
        if _first(transaction, settings.account, "installation", now):
            _administrator(transaction, settings, vault, file, now)
            if not is_joined:
                execution_role(transaction, settings.account, "/", EXECUTION_ROLE, now)
        if not is_joined:
            found_organization(transaction, settings.account, now)
        if settings.test_mode and _first(transaction, settings.account, "test-mode", now):
            _test_identities(transaction, settings, vault, now)
        keys = access_keys(transaction, settings.account, ADMINISTRATOR)
        active = next((record for record in keys if record.document["Status"] == "Active"), None)
    if active is not None and not file.exists():
        pair = {"AccessKeyId": active.name, "SecretAccessKey": secret_of(vault, active)}
        write_private(file, json.dumps(pair).encode())


def _check_installation(transaction: Transaction, settings: Settings, now: float) -> None:
    """See that the database is of this home folder: of another one neither the jobs nor the keys are here.

    Raises ``SettingsError``.
    """
    file = settings.home / "state" / "installation"
    if not file.exists():
        write_private(file, secrets.token_hex(16).encode())
    name = file.read_text("ascii").strip()
    key = Key(settings.account, "", SERVICE, "Bootstrap", "", "home")
    record = transaction.get(key)
    if record is None:
        document = {"Installation": name, "Home": f"{settings.home} on {socket.gethostname()}"}
        transaction.insert(Record(key, f"arn:aws:iam::{settings.account}:bootstrap/home", now, now, document))
    elif record.document["Installation"] != name:
        raise SettingsError(
            f"the database belongs to the installation of {record.document['Home']}; use another database, or bring"
            f" that home folder with its file {file.relative_to(settings.home)} here"
        )


def _first(transaction: Transaction, account: str, what: str, now: float) -> bool:
    key = Key(account, "", SERVICE, "Bootstrap", "", what)
    if transaction.get(key) is not None:
        return False
    transaction.insert(Record(key, f"arn:aws:iam::{account}:bootstrap/{what}", now, now, {}))
    return True


def _administrator(transaction: Transaction, settings: Settings, vault: Vault, file: Path, now: float) -> None:
    administrator(transaction, settings.account, ADMINISTRATOR, now)
    access_key, secret = unique_id("AKIA", 20), secret_key()
    if file.exists():
        # The database is new, but clients may know the key already.
        pair = orjson.loads(file.read_bytes())
        access_key, secret = pair["AccessKeyId"], pair["SecretAccessKey"]
    create_access_key(transaction, vault, settings.account, ADMINISTRATOR, access_key, secret, now)


def _test_identities(transaction: Transaction, settings: Settings, vault: Vault, now: float) -> None:
    administrator(transaction, settings.account, "test", now)
    for access_key, secret in suites.KEYS.items():
        create_access_key(transaction, vault, settings.account, "test", access_key, secret, now)
    for path, name in suites.ROLES:
        execution_role(transaction, settings.account, path, name, now)
        record = transaction.get(entity_key(settings.account, "Role", name))
        assert record is not None
        # What AWS tells those to attach who use the registry's collections.
        record.document["Inline"]["ModelCollections"] = json.dumps(_COLLECTIONS)
        transaction.update(record)
    for name, (account, access_key, secret) in suites.S3_ACCOUNTS.items():
        administrator(transaction, account, name, now)
        if find_access_key(transaction, access_key) is None:
            create_access_key(transaction, vault, account, name, access_key, secret, now)
