"""Digests of a stream: the MD5 that becomes an ETag, and the checksums that S3 knows.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence

from .crc import CRC32, CRC32C, CRC64NVME, Crc

CRCS: dict[str, Crc] = {"CRC32": CRC32, "CRC32C": CRC32C, "CRC64NVME": CRC64NVME}
HASHES = {"SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512", "MD5": "md5"}
ALGORITHMS = (*CRCS, *HASHES)
"""The checksum algorithms known here, as ``ChecksumAlgorithm`` spells them."""


def digest_size(algorithm: str) -> int:
    """Bytes of a checksum of that algorithm."""
    return CRCS[algorithm].width // 8 if algorithm in CRCS else hashlib.new(HASHES[algorithm]).digest_size


class Digests:
    """The MD5 of a stream and those checksums of it that are asked for, computed as it passes."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._hashes = {name: hashlib.new(HASHES[name]) for name in algorithms if name in HASHES}
        self._crcs = {name: 0 for name in algorithms if name in CRCS}

    def update(self, chunk: bytes) -> None:
        """Takes the next bytes of the stream."""
        self.update_md5([chunk])
        self.update_checksums([chunk])

    # MD5 is the slowest of all, so that two threads may do the two halves of the work on the same bytes.

    def update_md5(self, pieces: Iterable[bytes]) -> None:
        """Takes the next bytes of the stream for the MD5 and the size."""
        for piece in pieces:
            self.size += len(piece)
            self._md5.update(piece)

    def update_checksums(self, pieces: Iterable[bytes]) -> None:
        """Takes the next bytes of the stream for the checksums."""
        for piece in pieces:
            for known in self._hashes.values():
                known.update(piece)
            for name, value in self._crcs.items():
                self._crcs[name] = CRCS[name].update(piece, value)

    @property
    def md5(self) -> bytes:
        return self._md5.digest()

    @property
    def checksums(self) -> dict[str, str]:
        """The checksums so far, in base64, by algorithm."""
        found = {name: known.digest() for name, known in self._hashes.items()}
        found |= {name: value.to_bytes(CRCS[name].width // 8, "big") for name, value in self._crcs.items()}
        return {name: base64.b64encode(value).decode("ascii") for name, value in found.items()}


def multipart_etag(etags: Sequence[str]) -> str:
    """The ETag of an object of parts with these ETags: the MD5 of their MD5s, and their number."""
    joined = hashlib.md5(b"".join(bytes.fromhex(etag) for etag in etags), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(etags)}"


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of checksums (base64) of the parts, and their number after a hyphen."""
    known = Digests([algorithm])
    for part in parts:
        known.update(base64.b64decode(part))
    return f"{known.checksums[algorithm]}-{len(parts)}"


def full_object(algorithm: str, parts: Sequence[tuple[str, int]]) -> str:
    """The checksum of the joined bytes, from each part's checksum (base64) and size; for CRCs only."""
    crc = CRCS[algorithm]
    value = 0
    for checksum, size in parts:
        value = crc.joined(value, int.from_bytes(base64.b64decode(checksum), "big"), size)
    return base64.b64encode(value.to_bytes(crc.width // 8, "big")).decode("ascii")
