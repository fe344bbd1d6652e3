"""Taking in a stream of bytes of any length: digests on the way, constant memory, a durable blob at the end."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from .blobs import BlobFiles
from .digests import Digests
from .errors import EntityTooLarge, InsufficientStorageCapacity
from .sealing import Seal, Sealer
from .sealing import seal as sealed
from .writer import is_full

CHUNK = 1 << 20
"""Bytes digested and written at a time."""
_MOST_PIECES = 512
"""Pieces handed over at a time: what one system call takes."""
INLINE = 32 * 1024
"""The largest object kept in the index itself; it costs no file and no sync of its own.

Measured: at 16 and 64 KiB two to three times as many puts a second as with a file; at 256 KiB no more."""
MAXIMUM = 5 << 30
"""The largest object of one request, and the largest part, in bytes (5 GiB), as in S3."""


@dataclass(frozen=True)
class Received:
    """A stream that has been taken in: a synced blob file ``blob``, or ``data`` where it is small."""

    size: int
    md5: str
    checksums: dict[str, str]
    blob: int | None
    data: bytes | None
    stored: str = ""
    """The digest of the bytes as they lie on the disk, with its kind: ``md5:…``, ``crc32:…``."""
    seal: Seal | None = None
    """What they are encrypted with."""

    @property
    def etag(self) -> str:
        return self.seal.etag(self.md5) if self.seal is not None else self.md5


async def receive(
    body: AsyncIterator[bytes],
    algorithms: Iterable[str],
    files: BlobFiles,
    pool: Executor,
    seal: Seal | None = None,
) -> Received:
    """Reads ``body`` to its end and keeps it, encrypted where there is a ``seal``, which serves but once.

    Raises what ``body`` raises, ``EntityTooLarge``, and ``InsufficientStorageCapacity`` if the disk is full; then
    no file is left.
    """
    digests = Digests(algorithms)
    pending: list[bytes] = []
    size = waiting = 0
    blob_file: _BlobFile | None = None
    try:
        async for chunk in body:
            pending.append(chunk)
            size += len(chunk)
            waiting += len(chunk)
            if size > MAXIMUM:
                raise EntityTooLarge(size, MAXIMUM)
            if waiting >= CHUNK or len(pending) == _MOST_PIECES:
                blob_file = blob_file or _BlobFile(files, pool, digests, seal)
                await blob_file.write(pending)
                pending, waiting = [], 0
        if blob_file is None and size <= INLINE:
            data = b"".join(pending)
            digests.update(data)
            md5, stored = digests.md5.hex(), f"md5:{digests.md5.hex()}"
            if seal is not None:
                data = sealed(seal.key, data)
                stored = f"crc32:{zlib.crc32(data):08x}"
            return Received(size, md5, digests.checksums, None, data, stored, seal)
        blob_file = blob_file or _BlobFile(files, pool, digests, seal)
        blob = await blob_file.finish(pending)
    except BaseException as error:
        if blob_file is not None:
            await asyncio.shield(blob_file.abandon())
        if is_full(error):
            raise InsufficientStorageCapacity from error
        raise
    md5 = digests.md5.hex()
    return Received(digests.size, md5, digests.checksums, blob, None, blob_file.stored or f"md5:{md5}", seal)


class _BlobFile:
    """A blob that is being written in ``pool`` while the next bytes arrive.

    One batch is under way at a time, in two threads: one for the MD5, one for the checksums and the file.
    """

    def __init__(self, files: BlobFiles, pool: Executor, digests: Digests, seal: Seal | None) -> None:
        self.stored = ""
        """The digest of what was written, where that is not the content itself."""
        self._files = files
        self._pool = pool
        self._digests = digests
        self._sealer = Sealer(seal.key) if seal is not None else None
        self._crc = 0
        self._blob = 0
        self._descriptor = -1
        self._running: list[asyncio.Future[None]] = []

    async def write(self, pieces: list[bytes]) -> None:
        await self._settled()
        loop = asyncio.get_running_loop()
        self._running = [
            loop.run_in_executor(self._pool, self._digests.update_md5, pieces),
            loop.run_in_executor(self._pool, self._write, pieces),
        ]

    async def finish(self, pieces: list[bytes]) -> int:
        await self.write(pieces)
        await self._settled()
        self._running = [asyncio.get_running_loop().run_in_executor(self._pool, self._finish)]
        await self._settled()
        return self._blob

    async def abandon(self) -> None:
        """Removes the file once nothing writes to it any more."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._pool, self._remove)

    async def _settled(self) -> None:
        # Shielded: a cancelled upload must still know when its writes have ended, to remove the file after them.
        await asyncio.shield(asyncio.gather(*self._running))
        self._running = []

    def _write(self, pieces: list[bytes]) -> None:
        if self._descriptor < 0:
            self._blob, self._descriptor = self._files.create()
        self._digests.update_checksums(pieces)
        self._append(pieces if self._sealer is None else self._sealer.update(pieces))

    def _append(self, pieces: list[bytes]) -> None:
        if self._sealer is not None:
            for piece in pieces:
                self._crc = zlib.crc32(piece, self._crc)
        written = os.writev(self._descriptor, pieces) if pieces else 0
        if written < sum(map(len, pieces)):
            # Rare: a signal came, or the disk is nearly full; then the next attempt says so.
            rest = memoryview(b"".join(pieces))[written:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _finish(self) -> None:
        if self._sealer is not None:
            self._append([last] if (last := self._sealer.finish()) else [])
            self.stored = f"crc32:{self._crc:08x}"
        os.fsync(self._descriptor)
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _remove(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        if self._blob:
            self._files.discard(self._blob)
