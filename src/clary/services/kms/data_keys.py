"""Data keys, pairs of keys and random bytes for use outside of KMS.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/data-keys.html
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler
from clary.services.iam.api import identities_of
from clary.services.kms.api import check_symmetric
from clary.services.kms.asked import caller_of, check_trial, refuse_recipient, used_key
from clary.services.kms.errors import UnsupportedOperationException
from clary.services.kms.specs import SPECS, SYMMETRIC, new_private_key, private_bytes, public_bytes

_SIZES = {"AES_128": 16, "AES_256": 32}


def _generate(operation: str, shown: bool, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    refuse_recipient(params)
    if ("KeySpec" in params) == ("NumberOfBytes" in params):
        raise ValidationException("Please specify either number of bytes or key spec.")
    size = params.get("NumberOfBytes") or _SIZES[params["KeySpec"]]
    given = params.get("EncryptionContext", {})
    all_keys, key = used_key(context, params, operation, "KeyId", given, EncryptionAlgorithm=SYMMETRIC)
    check_symmetric(key, operation)
    check_trial(params)
    plain = os.urandom(size)
    told = {"CiphertextBlob": all_keys.encrypt(key, plain, given), "KeyId": key.arn, "KeyMaterialId": key.material.id}
    return told | ({"Plaintext": plain} if shown else {})


def _generate_pair(operation: str, shown: bool, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    refuse_recipient(params)
    name = params["KeyPairSpec"]
    if name not in SPECS:
        raise UnsupportedOperationException(f"Pairs of the spec {name} are not available in Clary yet.")
    given = params.get("EncryptionContext", {})
    all_keys, key = used_key(
        context, params, operation, "KeyId", given, EncryptionAlgorithm=SYMMETRIC, DataKeyPairSpec=name
    )
    check_symmetric(key, operation)
    check_trial(params)
    pair = new_private_key(SPECS[name])
    private = private_bytes(pair)
    told = {
        "PrivateKeyCiphertextBlob": all_keys.encrypt(key, private, given),
        "PublicKey": public_bytes(pair),
        "KeyId": key.arn,
        "KeyPairSpec": name,
        "KeyMaterialId": key.material.id,
    }
    return told | ({"PrivateKeyPlaintext": private} if shown else {})


def random(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GenerateRandom``."""
    refuse_recipient(params)
    if "CustomKeyStoreId" in params:
        raise UnsupportedOperationException("CustomKeyStoreId: custom key stores are not available in Clary.")
    identities_of(context).authorize(caller_of(context), "kms:GenerateRandom", "*", context.told)
    if "NumberOfBytes" not in params:
        raise ValidationException("NumberOfBytes is required.")
    return {"Plaintext": os.urandom(params["NumberOfBytes"])}


OPERATIONS: dict[str, Handler] = {
    "GenerateRandom": random,
    **{
        f"{name}{'' if shown else 'WithoutPlaintext'}": partial(
            make, f"{name}{'' if shown else 'WithoutPlaintext'}", shown
        )
        for name, make in (("GenerateDataKey", _generate), ("GenerateDataKeyPair", _generate_pair))
        for shown in (True, False)
    },
}
