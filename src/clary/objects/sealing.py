"""Encryption of a blob: AES-256-GCM in frames, so that it streams and any range of it can be read.

A blob has a data key of its own, which encrypts nothing else; so the number of a frame is nonce enough, and a frame
that was changed, moved or taken from another blob does not open. The key itself lies beside the blob, sealed in an
*envelope*, about which this package knows nothing.

References: NIST SP 800-38D; https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingEncryption.html
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME = 64 * 1024
"""Bytes of content in a frame."""
_TAG = 16
SEALED_FRAME = FRAME + _TAG
KEY_BYTES = 32


class Damaged(OSError):
    """What lies on the disk is not what was written there."""


@dataclass(frozen=True)
class Seal:
    """What one new blob is encrypted with: its data ``key`` of 32 bytes, and the ``envelope`` that holds it."""

    key: bytes
    envelope: bytes
    hides_md5: bool = False
    """Whether the ETag must tell nothing about the content, as for keys of KMS and of customers."""

    def etag(self, md5: str) -> str:
        """The ETag of content with that MD5, both in hexadecimal."""
        return hmac.new(self.key, md5.encode(), hashlib.md5).hexdigest() if self.hides_md5 else md5


def new_key() -> bytes:
    """A data key."""
    return os.urandom(KEY_BYTES)


def _nonce(frame: int) -> bytes:
    return frame.to_bytes(12, "big")


class Sealer:
    """Encrypts a stream."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._frame = 0
        self._waiting = bytearray()

    def update(self, pieces: Iterable[bytes]) -> list[bytes]:
        """Takes the next bytes; the frames that are full now."""
        for piece in pieces:
            self._waiting += piece
        whole = len(self._waiting) // FRAME * FRAME
        view = memoryview(self._waiting)
        sealed = [self._seal(view[start : start + FRAME]) for start in range(0, whole, FRAME)]
        view.release()
        del self._waiting[:whole]
        return sealed

    def finish(self) -> bytes:
        """The last frame; empty if the content ended with a full one."""
        return self._seal(memoryview(self._waiting)) if self._waiting else b""

    def _seal(self, content: memoryview) -> bytes:
        frame, self._frame = self._frame, self._frame + 1
        return self._cipher.encrypt(_nonce(frame), content, None)


def seal(key: bytes, content: bytes) -> bytes:
    """All of ``content`` at once."""
    sealer = Sealer(key)
    return b"".join([*sealer.update([content]), sealer.finish()])


def open_frames(key: bytes, first: int, sealed: bytes) -> bytes:
    """The content of the frames from number ``first`` on, of which ``sealed`` has all bytes. Raises ``Damaged``."""
    cipher = AESGCM(key)
    view = memoryview(sealed)
    try:
        return b"".join(
            [
                cipher.decrypt(_nonce(first + number), view[start : start + SEALED_FRAME], None)
                for number, start in enumerate(range(0, len(sealed), SEALED_FRAME))
            ]
        )
    except (InvalidTag, ValueError) as error:
        raise Damaged("an encrypted blob is not as it was written") from error


def sealed_size(size: int) -> int:
    """Bytes that ``size`` bytes of content take once they are sealed."""
    return size + -(-size // FRAME) * _TAG
