"""Reading an object as a stream, in chunks, ahead of who consumes it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

from .blobs import BlobFiles
from .model import Object, Segment
from .sealing import FRAME, SEALED_FRAME, Damaged, open_frames, sealed_size

CHUNK = 1 << 20
"""Bytes read at a time."""
FEW = 8
"""So many streams read whole chunks. More of them read less at a time, for each holds three chunks for as long as its
client takes."""
LEAST_CHUNK = 64 << 10


class ObjectReader:
    """An object held open: its bytes stay readable until ``close``, even if it is replaced or deleted meanwhile."""

    def __init__(
        self, item: Object, segments: Sequence[Segment], data: dict[int, bytes], files: BlobFiles, pool: Executor
    ) -> None:
        """``segments`` are pinned in ``files`` by the caller; ``data`` are the bytes of blobs that the index keeps."""
        self.object = item
        self.segments = segments
        self._data = data
        self._keys: dict[int, bytes] = {}
        self._files = files
        self._pool = pool
        self._open = True

    def unlock(self, key_in: Callable[[bytes], bytes]) -> None:
        """Makes an encrypted object readable; ``key_in`` takes a data key out of its envelope."""
        for segment in self.segments:
            if segment.envelope is not None:
                self._keys[segment.blob] = key_in(segment.envelope)
                if segment.blob in self._data:
                    self._data[segment.blob] = open_frames(self._keys[segment.blob], 0, self._data[segment.blob])

    @property
    def file(self) -> Path | None:
        """The file that holds exactly the object's bytes; ``None`` where there is no single such file."""
        if len(self.segments) != 1 or self._data or self.segments[0].envelope is not None:
            return None
        return self._files.path(self.segments[0].blob)

    def close(self) -> None:
        """Lets the object's files go."""
        if self._open:
            self._open = False
            self._files.unpin(segment.blob for segment in self.segments)

    def __del__(self) -> None:
        # An answer may be dropped before its first byte is asked for.
        self.close()

    @property
    def data(self) -> bytes | None:
        """All bytes of an object that is so small that they are here already."""
        if not self.segments:
            return b""
        return self._data.get(self.segments[0].blob) if len(self.segments) == 1 else None

    async def stream(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` up to, without, ``stop``; closes the object at the end."""
        stop = self.object.size if stop is None else min(stop, self.object.size)
        try:
            position = 0
            for segment in self.segments:
                first, last = max(start - position, 0), min(stop - position, segment.size)
                if first < last and segment.blob in self._data:
                    yield self._data[segment.blob][first:last]
                elif first < last:
                    async for chunk in self._segment(segment, first, last):
                        yield chunk
                position += segment.size
        finally:
            self.close()

    async def _segment(self, segment: Segment, start: int, stop: int) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        self._files.streams += 1
        try:
            file, chunk = await loop.run_in_executor(self._pool, self._begin, segment, start, stop)
            while True:
                start += len(chunk)
                if start >= stop:
                    yield chunk
                    return
                following = loop.run_in_executor(self._pool, file.read, start, min(self._chunk(), stop - start))
                yield chunk
                chunk = await following
        finally:
            self._files.streams -= 1

    def _chunk(self) -> int:
        return max(LEAST_CHUNK, CHUNK * FEW // max(FEW, self._files.streams))

    def _begin(self, segment: Segment, start: int, stop: int) -> tuple[_File, bytes]:
        path = self._files.path(segment.blob)
        if segment.envelope is None:
            file = _File(path)
        else:
            file = _SealedFile(path, self._keys[segment.blob], segment.size)
        return file, file.read(start, min(self._chunk(), stop - start))


class _File:
    """An open file that closes when nobody refers to it: neither the stream nor, once that is cancelled, a read
    under way."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read(self, start: int, size: int) -> bytes:
        data = os.pread(self._descriptor, size, start)
        while len(data) < size:
            piece = os.pread(self._descriptor, size - len(data), start + len(data))
            if not piece:
                raise Damaged("a blob is shorter than the index says")
            data += piece
        return data


class _SealedFile(_File):
    """A file of encrypted frames, read as its content."""

    def __init__(self, path: Path, key: bytes, size: int) -> None:
        super().__init__(path)
        self._key = key
        self._end = sealed_size(size)

    def read(self, start: int, size: int) -> bytes:
        first = start // FRAME
        position = first * SEALED_FRAME
        last = min(-(-(start + size) // FRAME) * SEALED_FRAME, self._end)
        content = open_frames(self._key, first, super().read(position, last - position))
        return content[start - first * FRAME :][:size]
