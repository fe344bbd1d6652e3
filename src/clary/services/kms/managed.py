"""Records of new keys, and AWS managed keys: those that a service has for itself in each account and region.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from clary.services.iam.vault import Vault
from clary.services.kms import keys
from clary.services.kms.errors import NotFoundException
from clary.services.kms.policies import managed_policy
from clary.services.kms.specs import ENCRYPT, SPECS, SYMMETRIC, new_material
from clary.state.records import AlreadyExists, Record
from clary.state.transaction import Transaction

DAY = 86_400.0
YEAR = 365
SERVICES: Mapping[str, str] = {
    "ebs": "ec2",
    "ecr": "ecr",
    "elasticfilesystem": "elasticfilesystem",
    "glue": "glue",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
}
"""The services that have a key of their own, by the alias's last part, as ``kms:ViaService`` names them."""


def new_record(
    vault: Vault,
    account: str,
    region: str,
    now: float,
    document: Mapping[str, Any],
    secret: bytes,
    key_id: str = "",
) -> Record:
    """A new key, not stored yet; ``document`` has what its maker chose. Its id is a new one unless it is given."""
    key_id = key_id or str(uuid.uuid4())
    arn = keys.key_arn(account, region, key_id)
    whole = {**document, "Materials": [keys.seal_material(vault, arn, secret, now)]}
    return Record(keys.record_key(account, region, key_id), arn, now, now, whole, keys.ENABLED)


def alias_record(account: str, region: str, name: str, target: str, now: float) -> Record:
    """A new alias, not stored yet."""
    return Record(
        keys.alias_key(account, region, name), keys.alias_arn(account, region, name), now, now, {"Target": target}
    )


def add_managed_key(
    transaction: Transaction, vault: Vault, account: str, region: str, service: str, now: float
) -> None:
    """Store the AWS managed key of ``service`` with its alias, unless it is there.

    Raises ``NotFoundException`` for a service that has none.
    """
    name = f"alias/aws/{service}"
    if service not in SERVICES:
        raise NotFoundException(f"Alias {keys.alias_arn(account, region, name)} is not found.")
    document = {
        "Description": f"Default key that protects my {service} resources when no other key is defined",
        "KeyUsage": ENCRYPT,
        "KeySpec": SYMMETRIC,
        "KeyManager": "AWS",
        "Policy": managed_policy(account, region, SERVICES[service]),
        "Rotation": {"Enabled": True, "Period": YEAR, "Next": now + YEAR * DAY},
    }
    record = new_record(vault, account, region, now, document, new_material(SPECS[SYMMETRIC]))
    record.wake_at = now + YEAR * DAY
    try:
        transaction.insert(alias_record(account, region, name, record.name, now))
    except AlreadyExists:
        return
    transaction.insert(record)
    transaction.bump(keys.TOPIC)
