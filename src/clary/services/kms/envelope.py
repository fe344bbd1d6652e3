"""Ciphertexts that say which key and which of its materials they were made with.

One is the version (1), the length of the key's ARN (2 bytes), the ARN, the id of the material (32 bytes), a salt (16)
and a nonce (12), and then what AES-256-GCM gives. The cipher's key is derived from the material and the salt, so that
one material may encrypt without end; what stands before, and the encryption context, is authenticated.

Reference: https://docs.aws.amazon.com/kms/latest/cryptographic-details/kms-crypto-details.pdf
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from clary.services.kms.errors import InvalidCiphertextException

_VERSION = 1
_LENGTH = struct.Struct(">BH")
_MATERIAL, _SALT, _NONCE, _TAG = 32, 16, 12, 16


class Sealed(NamedTuple):
    """A ciphertext taken apart; ``head`` is all before the nonce."""

    arn: str
    material: str
    head: bytes
    salt: bytes
    nonce: bytes
    body: bytes


def read(blob: bytes) -> Sealed:
    """The parts of a ciphertext, none of them verified yet. Raises ``InvalidCiphertextException``."""
    try:
        version, length = _LENGTH.unpack_from(blob)
        start = _LENGTH.size + length
        arn = blob[_LENGTH.size : start].decode("ascii")
    except (struct.error, UnicodeDecodeError):
        raise InvalidCiphertextException("") from None
    end = start + _MATERIAL + _SALT
    if version != _VERSION or len(blob) < end + _NONCE + _TAG:
        raise InvalidCiphertextException("")
    material = blob[start : start + _MATERIAL].hex()
    return Sealed(
        arn, material, blob[:end], blob[start + _MATERIAL : end], blob[end : end + _NONCE], blob[end + _NONCE :]
    )


def seal(arn: str, material: str, secret: bytes, plain: bytes, context: Mapping[str, str]) -> bytes:
    """``plain`` encrypted under ``secret``, the material of that id (64 hexadecimal digits)."""
    name, salt, nonce = arn.encode("ascii"), os.urandom(_SALT), os.urandom(_NONCE)
    head = _LENGTH.pack(_VERSION, len(name)) + name + bytes.fromhex(material) + salt
    return head + nonce + AESGCM(_derived(secret, salt)).encrypt(nonce, plain, head + _told(context))


def unseal(sealed: Sealed, secret: bytes, context: Mapping[str, str]) -> bytes:
    """What was encrypted. Raises ``InvalidCiphertextException``."""
    try:
        cipher = AESGCM(_derived(secret, sealed.salt))
        return cipher.decrypt(sealed.nonce, sealed.body, sealed.head + _told(context))
    except InvalidTag:
        raise InvalidCiphertextException("") from None


def _derived(secret: bytes, salt: bytes) -> bytes:
    return HKDFExpand(SHA256(), 32, b"clary/kms/ciphertext" + salt).derive(secret)


def _told(context: Mapping[str, str]) -> bytes:
    """The encryption context as bytes, the same for any order of its pairs and different for different ones."""
    if not context:
        return b""
    parts = []
    for pair in sorted(context.items()):
        for text in pair:
            encoded = text.encode()
            parts += [struct.pack(">I", len(encoded)), encoded]
    return b"".join(parts)
