"""Encryption and data keys: what comes back, and what does not."""

from __future__ import annotations

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

CONTEXT = {"tenant": "a", "für": "zwölf"}


@pytest.fixture
def key(kms: Any) -> str:
    return str(kms.create_key()["KeyMetadata"]["KeyId"])


def test_what_is_encrypted_comes_back(kms: Any, key: str) -> None:
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    for plain in (b"x", os.urandom(4096)):
        made = kms.encrypt(KeyId=key, Plaintext=plain, EncryptionContext=CONTEXT)
        assert (made["KeyId"], made["EncryptionAlgorithm"]) == (arn, "SYMMETRIC_DEFAULT")
        assert plain not in made["CiphertextBlob"] or len(plain) == 1
        read = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=dict(reversed(CONTEXT.items())))
        assert (read["Plaintext"], read["KeyId"]) == (plain, arn)
    again = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert again != kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]


def test_another_context_or_a_changed_ciphertext_opens_nothing(kms: Any, key: str, refused: Any) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    for context in ({}, {"tenant": "b"}, {**CONTEXT, "more": "1"}, {"tenant": "afür", "": "zwölf"}):
        assert refused(kms.decrypt, CiphertextBlob=blob, EncryptionContext=context) == "InvalidCiphertextException"
    for place in range(0, len(blob), 7):
        changed = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        code = refused(kms.decrypt, CiphertextBlob=changed, EncryptionContext=CONTEXT)
        # A changed name of a key leads to no key.
        assert code in ("InvalidCiphertextException", "AccessDeniedException"), place
    for name in (b"arn:aws:s3:::bucket", b"arn:aws:kms:us-east-1:123456789012:alias/none", b"none", b"arn:::::", b""):
        forged = b"\x01" + len(name).to_bytes(2, "big") + name + blob[-60 - 32 :]
        assert refused(kms.decrypt, CiphertextBlob=forged, EncryptionContext=CONTEXT) == "AccessDeniedException"
    for wrong in (blob[:-1], blob[:40], b"\x01", b"\x01\xff\xff", b"nothing", blob + b"\0"):
        code = refused(kms.decrypt, CiphertextBlob=wrong, EncryptionContext=CONTEXT)
        assert code == "InvalidCiphertextException"
    assert refused(kms.decrypt, CiphertextBlob=blob[:-1], KeyId=key) == "InvalidCiphertextException"


def test_the_key_that_is_named_must_be_the_one(kms: Any, key: str, refused: Any) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    other = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    for name in (key, "alias/mine", f"arn:aws:kms:us-east-1:123456789012:key/{key}"):
        assert kms.decrypt(CiphertextBlob=blob, KeyId=name)["Plaintext"] == b"secret"
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=other) == "IncorrectKeyException"


def test_a_ciphertext_of_another_region_is_refused(installation: Any, kms: Any, key: str, refused: Any) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    elsewhere = installation.client("kms", region="eu-west-1")
    assert refused(elsewhere.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    assert refused(elsewhere.encrypt, KeyId=arn, Plaintext=b"x") == "NotFoundException"
    assert refused(elsewhere.encrypt, KeyId=key, Plaintext=b"x") == "NotFoundException"


def test_data_keys(kms: Any, key: str, refused: Any) -> None:
    for asked, size in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024)):
        made = kms.generate_data_key(KeyId=key, EncryptionContext=CONTEXT, **asked)
        assert len(made["Plaintext"]) == size
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert (opened["Plaintext"], opened["KeyMaterialId"]) == (made["Plaintext"], made["KeyMaterialId"])
    nonce = os.urandom(12)
    assert AESGCM(kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]).encrypt(nonce, b"data", None)
    hidden = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    assert "Plaintext" not in hidden
    assert len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == 32
    assert refused(kms.generate_data_key, KeyId=key) == "ValidationException"
    both = {"KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 1}
    assert refused(kms.generate_data_key, **both) == "ValidationException"
    assert len(kms.generate_random(NumberOfBytes=33)["Plaintext"]) == 33
    assert refused(kms.generate_random) == "ValidationException"


def test_data_key_pairs(kms: Any, key: str, refused: Any) -> None:
    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    private: Any = load_der_private_key(made["PrivateKeyPlaintext"], None)
    assert private.public_key() == load_der_public_key(made["PublicKey"])
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert opened == made["PrivateKeyPlaintext"]
    hidden = kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="ECC_NIST_P384")
    assert "PrivateKeyPlaintext" not in hidden
    code = refused(kms.generate_data_key_pair, KeyId=key, KeyPairSpec="SM2")
    assert code == "UnsupportedOperationException"


def test_re_encryption(kms: Any, key: str, refused: Any) -> None:
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    asked = {"CiphertextBlob": blob, "DestinationKeyId": other, "SourceEncryptionContext": CONTEXT}
    made = kms.re_encrypt(**asked, DestinationEncryptionContext={"now": "b"})
    assert (made["KeyId"], made["SourceKeyId"].endswith(key)) == (other, True)
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"now": "b"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", other)
    assert refused(kms.re_encrypt, **asked, SourceKeyId=other) == "IncorrectKeyException"
    wrong = {**asked, "SourceEncryptionContext": {}}
    assert refused(kms.re_encrypt, **wrong) == "InvalidCiphertextException"
    assert refused(kms.re_encrypt, **asked, DryRun=True) == "DryRunOperationException"


def test_pairs_of_rsa_keys_encrypt(kms: Any, refused: Any) -> None:
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    for algorithm, most in (("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)):
        asked = {"KeyId": key, "EncryptionAlgorithm": algorithm}
        blob = kms.encrypt(**asked, Plaintext=b"x" * most)["CiphertextBlob"]
        assert kms.decrypt(**asked, CiphertextBlob=blob)["Plaintext"] == b"x" * most
        assert refused(kms.encrypt, **asked, Plaintext=b"x" * (most + 1)) == "ValidationException"
        changed = blob[:-1] + bytes([blob[-1] ^ 1])
        assert refused(kms.decrypt, **asked, CiphertextBlob=changed) == "InvalidCiphertextException"
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"
    assert refused(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == "InvalidKeyUsageException"
    asked = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    assert refused(kms.encrypt, **asked, Plaintext=b"x", EncryptionContext=CONTEXT) == "ValidationException"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"Plaintext": b"x" * 4097}, "ValidationException"),
        ({"Plaintext": b""}, "ValidationException"),
        ({"Plaintext": b"x", "EncryptionContext": {"k": "v" * 9000}}, "ValidationException"),
        ({"Plaintext": b"x", "KeyId": ""}, "ValidationException"),
        ({"Plaintext": b"x", "KeyId": "none"}, "NotFoundException"),
        ({"Plaintext": b"x", "KeyId": "alias/none"}, "NotFoundException"),
        ({"Plaintext": b"x", "KeyId": "arn:aws:kms:us-east-1:123456789012:key/none"}, "NotFoundException"),
        ({"Plaintext": b"x", "KeyId": "arn:aws:kms:us-east-1:999999999999:key/none"}, "AccessDeniedException"),
        ({"Plaintext": b"x", "KeyId": "arn:aws:s3:::bucket"}, "InvalidArnException"),
        ({"Plaintext": b"x", "KeyId": "arn:nothing"}, "InvalidArnException"),
        ({"Plaintext": b"x", "GrantTokens": ["none"]}, "InvalidGrantTokenException"),
        ({"Plaintext": b"x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, "InvalidKeyUsageException"),
        ({"Plaintext": b"x", "DryRun": True}, "DryRunOperationException"),
        ({"Plaintext": b"x", "KeyId": "none", "DryRun": True}, "NotFoundException"),
    ],
)
def test_what_encrypt_refuses(kms: Any, key: str, arguments: dict[str, Any], code: str, refused: Any) -> None:
    assert refused(kms.encrypt, **{"KeyId": key, **arguments}) == code
