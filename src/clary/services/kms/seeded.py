"""The keys that ceph/s3-tests name, which are there in test mode."""

from __future__ import annotations

from clary.core import suites
from clary.services.iam.api import Identities
from clary.services.kms import keys
from clary.services.kms.managed import new_record
from clary.services.kms.policies import default_policy
from clary.services.kms.specs import ENCRYPT, SPECS, SYMMETRIC, new_material


def add_test_keys(identities: Identities) -> None:
    """Make those that are missing."""
    now = identities.clock()
    with identities.database.write() as transaction:
        for key_id in suites.S3_KEYS:
            record_key = keys.record_key(suites.S3_ACCOUNTS["main"][0], suites.S3_REGION, key_id)
            if transaction.get(record_key) is not None:
                continue
            document = {
                "Description": "For ceph/s3-tests",
                "KeyUsage": ENCRYPT,
                "KeySpec": SYMMETRIC,
                "KeyManager": "CUSTOMER",
                "Policy": default_policy(record_key.account),
                "Rotation": {"Enabled": False},
            }
            secret = new_material(SPECS[SYMMETRIC])
            transaction.insert(
                new_record(identities.vault, record_key.account, record_key.region, now, document, secret, key_id)
            )
            transaction.bump(keys.TOPIC)
