"""Version ids: the place of a version among those of its key, and enough chance that nobody guesses one.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
"""

from __future__ import annotations

import base64
import binascii
import secrets

NULL = "null"
"""The version of what is written while a bucket has no versioning, or has suspended it."""
ENABLED = "Enabled"
SUSPENDED = "Suspended"
_SEQUENCE_BYTES = 8
_RANDOM_BYTES = 16
_HIGHEST = 2**63 - 1


def new_version(sequence: int) -> str:
    """An id of 32 letters for the version with that sequence number; it leads to its row without a search."""
    return base64.urlsafe_b64encode(
        sequence.to_bytes(_SEQUENCE_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
    ).decode()


def sequence_of(version: str) -> int | None:
    """The sequence number in a version id; ``None`` if it cannot be one of ours."""
    try:
        decoded = base64.b64decode(version, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    sequence = int.from_bytes(decoded[:_SEQUENCE_BYTES], "big")
    return sequence if len(decoded) == _SEQUENCE_BYTES + _RANDOM_BYTES and sequence <= _HIGHEST else None
