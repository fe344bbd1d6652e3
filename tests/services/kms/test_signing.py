"""Signatures and message codes, checked with libraries of their own."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

MESSAGE = b"all well"
Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("spec", "algorithms"),
    [
        (
            "RSA_2048",
            [f"RSASSA_{kind}_SHA_{bits}" for kind in ("PSS", "PKCS1_V1_5") for bits in (256, 384, 512)],
        ),
        ("ECC_NIST_P256", ["ECDSA_SHA_256"]),
        ("ECC_NIST_P384", ["ECDSA_SHA_384"]),
        ("ECC_NIST_P521", ["ECDSA_SHA_512"]),
        ("ECC_SECG_P256K1", ["ECDSA_SHA_256"]),
    ],
)
def test_signatures(kms: Any, refused: Refused, spec: str, algorithms: list[str]) -> None:
    made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert sorted(made["SigningAlgorithms"]) == sorted(algorithms)
    key = made["KeyId"]
    for algorithm in algorithms:
        asked = {"KeyId": key, "SigningAlgorithm": algorithm}
        signature = kms.sign(**asked, Message=MESSAGE)["Signature"]
        digest = hashlib.new(f"sha{algorithm[-3:]}", MESSAGE).digest()
        for message in ({"Message": MESSAGE}, {"Message": digest, "MessageType": "DIGEST"}):
            assert kms.verify(**asked, **message, Signature=signature)["SignatureValid"] is True
            by_digest = kms.sign(**asked, **message)["Signature"]
            assert kms.verify(**asked, Message=MESSAGE, Signature=by_digest)["SignatureValid"] is True
        for wrong in ({"Message": MESSAGE + b"."}, {"Message": MESSAGE, "Signature": signature[:-1] + b"\0\0"}):
            assert refused(kms.verify, **{**asked, "Signature": signature, **wrong}) == "KMSInvalidSignatureException"
        assert refused(kms.sign, **asked, Message=digest[:-1], MessageType="DIGEST") == "ValidationException"
    assert refused(kms.sign, KeyId=key, SigningAlgorithm="SM2DSA", Message=b"x") == "InvalidKeyUsageException"
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"


def test_others_can_verify_with_the_public_key(kms: Any, key: str, refused: Refused) -> None:
    pair = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    told = kms.get_public_key(KeyId=pair)
    assert (told["KeySpec"], told["SigningAlgorithms"]) == ("ECC_NIST_P256", ["ECDSA_SHA_256"])
    public: Any = load_der_public_key(told["PublicKey"])
    signature = kms.sign(KeyId=pair, SigningAlgorithm="ECDSA_SHA_256", Message=MESSAGE)["Signature"]
    public.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    pair = kms.create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    public = load_der_public_key(kms.get_public_key(KeyId=pair)["PublicKey"])
    assert public.key_size == 3072
    signature = kms.sign(KeyId=pair, SigningAlgorithm="RSASSA_PSS_SHA_512", Message=MESSAGE)["Signature"]
    pss = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
    public.verify(signature, MESSAGE, pss, hashes.SHA512())
    assert refused(kms.get_public_key, KeyId=key) == "UnsupportedOperationException"


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_message_codes(installation: Any, kms: Any, refused: Refused, bits: int) -> None:
    key = kms.create_key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    asked = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{bits}", "Message": MESSAGE}
    code = kms.generate_mac(**asked)["Mac"]
    from clary.services.kms.keys import Material, open_material

    with installation.database.read() as transaction:
        material = Material(**transaction.by_arn(key).document["Materials"][0])
    secret = open_material(installation.identities.vault, key, material)
    assert code == hmac.digest(secret, MESSAGE, f"sha{bits}")
    assert kms.verify_mac(**asked, Mac=code)["MacValid"] is True
    assert refused(kms.verify_mac, **asked, Mac=code[:-1]) == "KMSInvalidMacException"
    assert refused(kms.verify_mac, **{**asked, "Message": b"other"}, Mac=code) == "KMSInvalidMacException"
    wrong = {**asked, "MacAlgorithm": "HMAC_SHA_512" if bits != 512 else "HMAC_SHA_256"}
    assert refused(kms.generate_mac, **wrong) == "InvalidKeyUsageException"
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"
