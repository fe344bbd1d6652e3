"""What kinds of key there are, what each can do, and how their material is made.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from clary.core.errors import ValidationException
from clary.services.kms.errors import UnsupportedOperationException

SYMMETRIC: Final = "SYMMETRIC_DEFAULT"
ENCRYPT: Final = "ENCRYPT_DECRYPT"
SIGN: Final = "SIGN_VERIFY"
MAC: Final = "GENERATE_VERIFY_MAC"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_RSA_SIGNING = tuple(f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512))
_OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")


@dataclass(frozen=True)
class Spec:
    """One key spec: its algorithms by usage, and its size: bytes of a secret, bits of an RSA modulus."""

    algorithms: Mapping[str, tuple[str, ...]]
    size: int = 0
    curve: ec.EllipticCurve | None = None

    @property
    def is_asymmetric(self) -> bool:
        return self.curve is not None or self.size >= 2048


SPECS: Mapping[str, Spec] = {
    SYMMETRIC: Spec({ENCRYPT: (SYMMETRIC,)}, 32),
    **{f"HMAC_{bits}": Spec({MAC: (f"HMAC_SHA_{bits}",)}, bits // 8) for bits in (224, 256, 384, 512)},
    **{f"RSA_{bits}": Spec({ENCRYPT: _OAEP, SIGN: _RSA_SIGNING}, bits) for bits in (2048, 3072, 4096)},
    "ECC_NIST_P256": Spec({SIGN: ("ECDSA_SHA_256",)}, curve=ec.SECP256R1()),
    "ECC_NIST_P384": Spec({SIGN: ("ECDSA_SHA_384",)}, curve=ec.SECP384R1()),
    "ECC_NIST_P521": Spec({SIGN: ("ECDSA_SHA_512",)}, curve=ec.SECP521R1()),
    "ECC_SECG_P256K1": Spec({SIGN: ("ECDSA_SHA_256",)}, curve=ec.SECP256K1()),
}


def spec_for(name: str, usage: str) -> Spec:
    """The spec for a new key. Raises ``UnsupportedOperationException`` or ``ValidationException``."""
    spec = SPECS.get(name)
    if spec is None:
        raise UnsupportedOperationException(f"Keys of the spec {name} are not available in Clary yet.")
    if usage not in spec.algorithms:
        raise ValidationException(f"KeyUsage {usage} is not compatible with KeySpec {name}")
    return spec


def usage_of(name: str, wanted: str | None) -> str:
    """What a new key is for. Raises ``ValidationException`` where an asymmetric key does not say it."""
    if wanted is not None:
        return wanted
    if name == SYMMETRIC:
        return ENCRYPT
    raise ValidationException(
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    )


def new_private_key(spec: Spec) -> PrivateKey:
    """A new pair of keys."""
    if spec.curve is not None:
        return ec.generate_private_key(spec.curve)
    return rsa.generate_private_key(65537, spec.size)


def new_material(spec: Spec) -> bytes:
    """New secret bytes, or a private key in DER (PKCS #8)."""
    return private_bytes(new_private_key(spec)) if spec.is_asymmetric else os.urandom(spec.size)


def private_bytes(key: PrivateKey) -> bytes:
    """A private key in DER (PKCS #8)."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_bytes(key: PrivateKey) -> bytes:
    """The public key of a pair in DER (X.509 SubjectPublicKeyInfo)."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
