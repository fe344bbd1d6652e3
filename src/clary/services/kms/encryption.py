"""Encrypt, Decrypt and ReEncrypt, under symmetric keys and under pairs of RSA keys.

Reference: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler
from clary.services.kms import envelope
from clary.services.kms.api import Keys, keys_of
from clary.services.kms.asked import (
    caller_of,
    check_algorithm,
    check_trial,
    check_usage,
    check_use,
    denied,
    is_foreign,
    refuse_recipient,
    used_key,
)
from clary.services.kms.errors import (
    IncorrectKeyException,
    InvalidCiphertextException,
    NotFoundException,
    UnsupportedOperationException,
)
from clary.services.kms.keys import Key
from clary.services.kms.specs import ENCRYPT, SYMMETRIC

_MATERIAL = "KeyMaterialId"


def _oaep(algorithm: str) -> padding.OAEP:
    # SHA-1 is what the algorithm of that name says; only its use in OAEP is meant, which is not broken.
    digest: SHA1 | SHA256 = SHA1() if algorithm == "RSAES_OAEP_SHA_1" else SHA256()
    return padding.OAEP(padding.MGF1(digest), digest, None)


def _pair(all_keys: Keys, key: Key) -> rsa.RSAPrivateKey:
    pair = all_keys.pair(key)
    assert isinstance(pair, rsa.RSAPrivateKey)
    return pair


def _check(key: Key, operation: str, algorithm: str, context: Mapping[str, str]) -> None:
    check_usage(key, ENCRYPT, operation)
    check_algorithm(key, algorithm)
    if context and key.spec != SYMMETRIC:
        raise ValidationException("An encryption context can only be used with a symmetric encryption key.")


def _encrypted(all_keys: Keys, key: Key, algorithm: str, plain: bytes, context: Mapping[str, str]) -> bytes:
    if key.spec == SYMMETRIC:
        return all_keys.encrypt(key, plain, context)
    pair = _pair(all_keys, key)
    digest = 20 if algorithm == "RSAES_OAEP_SHA_1" else 32
    most = pair.key_size // 8 - 2 * digest - 2
    if len(plain) > most:
        raise ValidationException(
            f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than {most} bytes."
        )
    return pair.public_key().encrypt(plain, _oaep(algorithm))


def encrypt(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Encrypt``."""
    given = params.get("EncryptionContext", {})
    algorithm = params.get("EncryptionAlgorithm", SYMMETRIC)
    all_keys, key = used_key(context, params, "Encrypt", "KeyId", given, EncryptionAlgorithm=algorithm)
    _check(key, "Encrypt", algorithm, given)
    check_trial(params)
    blob = _encrypted(all_keys, key, algorithm, params["Plaintext"], given)
    return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


def _opened(
    context: Context,
    all_keys: Keys,
    params: Mapping[str, Any],
    operation: str,
    name: str | None,
    algorithm: str,
    given: Mapping[str, str],
) -> tuple[Key, bytes, str]:
    """The key of the request's ciphertext, what was encrypted, and the id of the material."""
    if "CiphertextBlob" not in params:
        if params.get("DryRunModifiers"):
            raise UnsupportedOperationException("DryRunModifiers are not available in Clary.")
        raise ValidationException("CiphertextBlob is required.")
    named = _named(context, all_keys, name, operation)
    if algorithm != SYMMETRIC or (named is not None and named.spec != SYMMETRIC):
        if named is None:
            raise ValidationException("KeyId is required for ciphertexts of asymmetric keys.")
        check_use(context, all_keys, named, params, operation, name or "", given, EncryptionAlgorithm=algorithm)
        _check(named, operation, algorithm, given)
        check_trial(params)
        try:
            return named, _pair(all_keys, named).decrypt(params["CiphertextBlob"], _oaep(algorithm)), ""
        except ValueError:
            raise InvalidCiphertextException("") from None
    sealed = envelope.read(params["CiphertextBlob"])
    if named is not None and named.arn != sealed.arn:
        # Who may not use the key shall not learn from it whose ciphertext this is.
        all_keys.authorize(caller_of(context), named, operation, given, told=context.told)
        raise IncorrectKeyException(
            "The key ID in the request does not identify a CMK that can perform this operation."
        )
    key = named or all_keys.key_of(sealed, context.region)
    check_use(context, all_keys, key, params, operation, name or "", given, EncryptionAlgorithm=algorithm)
    _check(key, operation, algorithm, given)
    plain = all_keys.decrypt(key, sealed, given)
    check_trial(params)
    return key, plain, sealed.material


def _named(context: Context, all_keys: Keys, name: str | None, operation: str) -> Key | None:
    if name is None:
        return None
    try:
        return all_keys.resolve(context.account, context.region, name)
    except NotFoundException:
        if is_foreign(context, name):
            raise denied(context, name, operation) from None
        raise


def decrypt(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Decrypt``: a ciphertext of a symmetric key says itself which key that is."""
    refuse_recipient(params)
    algorithm = params.get("EncryptionAlgorithm", SYMMETRIC)
    given = params.get("EncryptionContext", {})
    key, plain, material = _opened(context, keys_of(context), params, "Decrypt", params.get("KeyId"), algorithm, given)
    told = {"KeyId": key.arn, "Plaintext": plain, "EncryptionAlgorithm": algorithm}
    return told | ({_MATERIAL: material} if material else {})


def re_encrypt(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ReEncrypt``: from one key or encryption context to another, the plaintext staying inside."""
    all_keys = keys_of(context)
    trial, params = params, {name: value for name, value in params.items() if name != "DryRun"}
    before = params.get("SourceEncryptionAlgorithm", SYMMETRIC)
    after = params.get("DestinationEncryptionAlgorithm", SYMMETRIC)
    source, plain, material = _opened(
        context,
        all_keys,
        params,
        "ReEncryptFrom",
        params.get("SourceKeyId"),
        before,
        params.get("SourceEncryptionContext", {}),
    )
    given = params.get("DestinationEncryptionContext", {})
    _, key = used_key(context, params, "ReEncryptTo", "DestinationKeyId", given, EncryptionAlgorithm=after)
    _check(key, "ReEncrypt", after, given)
    check_trial(trial)
    told = {
        "CiphertextBlob": _encrypted(all_keys, key, after, plain, given),
        "SourceKeyId": source.arn,
        "KeyId": key.arn,
        "SourceEncryptionAlgorithm": before,
        "DestinationEncryptionAlgorithm": after,
    }
    if material:
        told["SourceKeyMaterialId"] = material
    if key.spec == SYMMETRIC:
        told["DestinationKeyMaterialId"] = key.material.id
    return told


OPERATIONS: dict[str, Handler] = {"Encrypt": encrypt, "Decrypt": decrypt, "ReEncrypt": re_encrypt}
