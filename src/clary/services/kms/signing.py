"""Signatures of asymmetric keys, and message codes of HMAC keys.

Reference: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
"""

from __future__ import annotations

import hmac
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler
from clary.services.kms.api import Keys
from clary.services.kms.asked import check_algorithm, check_trial, check_usage, used_key
from clary.services.kms.errors import (
    KMSInvalidMacException,
    KMSInvalidSignatureException,
    UnsupportedOperationException,
)
from clary.services.kms.keys import Key
from clary.services.kms.specs import ENCRYPT, MAC, SIGN, SPECS, public_bytes

_DIGESTS: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def _asked(context: Context, params: dict[str, Any], operation: str) -> tuple[Keys, Key, Prehashed]:
    """The key, and the digest's algorithm; ``params["Message"]`` is the digest afterwards."""
    algorithm, kind = params["SigningAlgorithm"], params.get("MessageType", "RAW")
    all_keys, key = used_key(context, params, operation, SigningAlgorithm=algorithm, MessageType=kind)
    check_usage(key, SIGN, operation)
    check_algorithm(key, algorithm)
    if kind not in ("RAW", "DIGEST"):
        raise ValidationException(f"MessageType {kind} is not valid for the algorithm {algorithm}.")
    digest = _DIGESTS[algorithm.rsplit("_", 1)[-1]]
    if kind == "RAW":
        hashed = hashes.Hash(digest)
        hashed.update(params["Message"])
        params["Message"] = hashed.finalize()
    elif len(params["Message"]) != digest.digest_size:
        raise ValidationException(f"Digest is invalid length for algorithm {algorithm}.")
    check_trial(params)
    return all_keys, key, Prehashed(digest)


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if algorithm.startswith("RSASSA_PKCS1"):
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(_DIGESTS[algorithm.rsplit("_", 1)[-1]]), padding.PSS.DIGEST_LENGTH)


def sign(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Sign``: the message itself, up to 4096 bytes, or its digest."""
    all_keys, key, digest = _asked(context, params, "Sign")
    pair, algorithm = all_keys.pair(key), params["SigningAlgorithm"]
    if isinstance(pair, rsa.RSAPrivateKey):
        signature = pair.sign(params["Message"], _padding(algorithm), digest)
    else:
        signature = pair.sign(params["Message"], ec.ECDSA(digest))
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


def verify(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Verify``."""
    all_keys, key, digest = _asked(context, params, "Verify")
    public, algorithm = all_keys.pair(key).public_key(), params["SigningAlgorithm"]
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(params["Signature"], params["Message"], _padding(algorithm), digest)
        else:
            public.verify(params["Signature"], params["Message"], ec.ECDSA(digest))
    except InvalidSignature:
        raise KMSInvalidSignatureException("") from None
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def public_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetPublicKey``: in DER (X.509 SubjectPublicKeyInfo)."""
    all_keys, key = used_key(context, params, "GetPublicKey")
    spec = SPECS[key.spec]
    if not spec.is_asymmetric:
        raise UnsupportedOperationException(f"{key.arn} is not an asymmetric key: it has no public key.")
    return {
        "KeyId": key.arn,
        "PublicKey": public_bytes(all_keys.pair(key)),
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        {ENCRYPT: "EncryptionAlgorithms"}.get(key.usage, "SigningAlgorithms"): list(spec.algorithms[key.usage]),
    }


def _code(context: Context, params: dict[str, Any], operation: str) -> tuple[Key, bytes]:
    algorithm = params["MacAlgorithm"]
    all_keys, key = used_key(context, params, operation, MacAlgorithm=algorithm)
    check_usage(key, MAC, operation)
    check_algorithm(key, algorithm)
    check_trial(params)
    digest = f"sha{algorithm.rsplit('_', 1)[-1]}"
    return key, hmac.digest(all_keys.secret(key, key.material), params["Message"], digest)


def generate_mac(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GenerateMac``."""
    key, code = _code(context, params, "GenerateMac")
    return {"KeyId": key.arn, "Mac": code, "MacAlgorithm": params["MacAlgorithm"]}


def verify_mac(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``VerifyMac``."""
    key, code = _code(context, params, "VerifyMac")
    if not hmac.compare_digest(code, params["Mac"]):
        raise KMSInvalidMacException("")
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": params["MacAlgorithm"]}


OPERATIONS: dict[str, Handler] = {
    "Sign": sign,
    "Verify": verify,
    "GetPublicKey": public_key,
    "GenerateMac": generate_mac,
    "VerifyMac": verify_mac,
}
