"""Identifiers that the platform hands out."""

from __future__ import annotations

import random
import secrets

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


_random = random.Random()
"""For what must be unique and may be guessed. It is seeded by the system, in every process anew."""


def request_id() -> str:
    """A new id for one request, in the form of a UUID; the class of that name costs more than much of a request."""
    text = f"{_random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def token(characters: int = 12) -> str:
    """A random name part of lower-case hexadecimal digits."""
    return secrets.token_hex((characters + 1) // 2)[:characters]


def unique_id(prefix: str, length: int = 21) -> str:
    """An id such as IAM gives out: a ``prefix`` (AKIA, ASIA, AROA, AIDA) and base-32 characters, ``length`` in all.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    return prefix + "".join(secrets.choice(_BASE32) for _ in range(length - len(prefix)))


def secret_key() -> str:
    """A new secret access key: 40 characters with 240 bits of randomness."""
    return secrets.token_urlsafe(30)
