"""An object on its way into a pipe: unpacked, framed and ended as the channel asks.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html
"""

from __future__ import annotations

import os

from clary.compute.agent.channel import DataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from clary.compute.agent.s3 import Store
    from clary.compute.spec import Input

CHUNK = 1 << 18
PIPE = 1 << 20
"""Bytes that a pipe holds, where the system allows it: a reader that pauses does not stop the store at once."""
MAGIC = 0xCED7230A
LONGEST = (1 << 29) - 4
"""Bytes of a RecordIO frame; a longer record is several of them."""
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux


class Flow:
    """Writes the objects of one channel into the pipe that ``begin`` names. Every method may raise
    ``BrokenPipeError``."""

    def __init__(self, source: Input, store: Store, spool: str) -> None:
        """``spool`` is where a file may lie for a moment."""
        self._source = source
        self.framed = source.framed
        self._store = store
        self._spool = spool
        self._pipe = -1
        self._splices = hasattr(os, "splice")

    def begin(self, pipe: int) -> None:
        """Write into another pipe from here on."""
        import fcntl

        self._pipe = pipe
        try:
            fcntl.fcntl(pipe, _SET_PIPE_SIZE, PIPE)
        except OSError:
            pass  # as large as it is, then

    def text(self, data: bytes) -> None:
        """Write the value of an attribute."""
        if not self.framed:
            self.write(data)
            return
        for head, start, length in frames(len(data)):
            self.write(head + data[start : start + length] + bytes(-length % 4))

    def object(self, bucket: str, key: str) -> None:
        """Write an object. Raises ``StoreError``, ``StoreUnreachable``, ``Interrupted``, and ``DataError`` if it is not
        what the channel says."""
        source = self._source
        if source.unzip:
            sink: Sink = _Unzipped(self, f"s3://{bucket}/{key}", self._spool)
        elif self.framed:
            sink = _Spooled(self, self._spool)
        else:
            sink = _Straight(self)
        try:
            self._store.read(bucket, key, sink)
            sink.end()
        finally:
            sink.close()

    # -- for the sinks

    def frame_file(self, file: int) -> None:
        """Write a file as one record."""
        for head, start, length in frames(os.fstat(file).st_size):
            self.write(head)
            self.copy(file, start, length)
            self.write(bytes(-length % 4))

    def copy(self, file: int, start: int, length: int) -> None:
        """Write a part of a file."""
        while length and self._splices:
            try:
                done = os.splice(file, self._pipe, min(length, PIPE), offset_src=start)
            except BrokenPipeError:
                raise
            except OSError:
                self._splices = False  # not from this file system
                break
            if not done:
                break
            start, length = start + done, length - done
        while length and (data := os.pread(file, min(length, CHUNK), start)):
            self.write(data)
            start, length = start + len(data), length - len(data)
        if length:
            raise OSError("a file became shorter while it was streamed")

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._pipe, view) :]

    def end_line(self, last: bytes) -> None:
        """End the last line of an object whose last byte is ``last``, if the channel has lines."""
        if self._source.lines and last and last != b"\n":
            self.write(b"\n")


def frames(size: int) -> Iterator[tuple[bytes, int, int]]:
    """The frames that hold a record of ``size`` bytes: the head of each, and which bytes follow it (to which come
    zeros, up to a multiple of four)."""
    start = 0
    while True:
        length = min(LONGEST, size - start)
        first, last = start == 0, start + length == size
        part = _WHOLE if first and last else _FIRST if first else _LAST if last else _MIDDLE
        yield MAGIC.to_bytes(4, "little") + (part << 29 | length).to_bytes(4, "little"), start, length
        if last:
            return
        start += length


class Sink:
    """Takes one object: as a file of this machine or piece by piece, and then its end."""

    def file(self, file: int) -> None:
        """Take an object that is a file of this machine."""
        raise NotImplementedError

    def data(self, data: bytes) -> None:
        """Take a piece of an object."""
        raise NotImplementedError

    def end(self) -> None:
        """There is no more."""

    def close(self) -> None:
        """Give back what was needed for it, also after an error."""


class _Straight(Sink):
    """An object that needs nothing done to it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.last = b""

    def file(self, file: int) -> None:
        size = os.fstat(file).st_size
        self.flow.copy(file, 0, size)
        self.last = os.pread(file, 1, size - 1) if size else b""

    def data(self, data: bytes) -> None:
        self.flow.write(data)
        self.last = data[-1:]

    def end(self) -> None:
        self.flow.end_line(self.last)


class _Spooled(Sink):
    """An object that must be there as a whole before its first byte is written: a frame begins with its length."""

    def __init__(self, flow: Flow, path: str) -> None:
        self.flow = flow
        self._path = path
        self._own = -1
        self._whole = False

    def file(self, file: int) -> None:
        self.flow.frame_file(file)
        self._whole = True

    def data(self, data: bytes) -> None:
        if self._own < 0:
            self._own = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            os.unlink(self._path)
        view = memoryview(data)
        while view:
            view = view[os.write(self._own, view) :]

    def end(self) -> None:
        if self._whole:
            return
        if self._own < 0:
            self.flow.text(b"")
        else:
            self.flow.frame_file(self._own)

    def close(self) -> None:
        if self._own >= 0:
            os.close(self._own)


class _Unzipped(_Spooled):
    """A gzip object: any number of members, one after the other."""

    def __init__(self, flow: Flow, uri: str, path: str) -> None:
        super().__init__(flow, path)
        import zlib

        self._zlib = zlib
        self._uri = uri
        self._unpack = zlib.decompressobj(31)
        self._begun = False
        self._last = b""

    def file(self, file: int) -> None:
        place = 0
        while data := os.pread(file, CHUNK, place):
            self.data(data)
            place += len(data)

    def data(self, data: bytes) -> None:
        self._begun = True
        try:
            while data:
                if self._unpack.eof:
                    if not data.strip(b"\0"):
                        return  # padding, as tapes have it
                    self._unpack = self._zlib.decompressobj(31)
                self._plain(self._unpack.decompress(data, CHUNK))
                data = self._unpack.unconsumed_tail or self._unpack.unused_data
        except self._zlib.error as error:
            raise self._fault(str(error)) from error

    def _plain(self, data: bytes) -> None:
        if not data:
            return
        if self.flow.framed:
            super().data(data)
        else:
            self.flow.write(data)
            self._last = data[-1:]

    def end(self) -> None:
        if self._begun and not self._unpack.eof:
            self._plain(self._unpack.flush())
        if self._begun and not self._unpack.eof:
            raise self._fault("it ends early")
        if self.flow.framed:
            super().end()
        else:
            self.flow.end_line(self._last)

    def _fault(self, problem: str) -> DataError:
        return DataError(
            f'Data download failed: The object "{self._uri}" cannot be decompressed: {problem}. Upload it as gzip data,'
            " or set the CompressionType of the channel to None."
        )
