"""The records of an object, and the payloads that are made of them.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html for ``SplitType``,
https://mxnet.apache.org/versions/1.9.1/api/architecture/note_data_loading for RecordIO,
https://www.tensorflow.org/tutorials/load_data/tfrecord for TFRecord.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[int], bytes]
    """Gives the next bytes of an object, as many as are asked for unless it ends; none at its end."""

CHUNK = 1 << 18
LARGEST = 1 << 24
"""Bytes that are read in one piece."""
MAGIC = 0xCED7230A
TOO_LARGE = "Too much data for max payload size"
"""What SageMaker logs of an object that has a record larger than ``MaxPayloadInMB``."""
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


class RecordError(ValueError):
    """An object cannot be split into records, or a record is too large."""


class Plain:
    """The bytes of a file, from its start. ``close`` gives the descriptor back."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._place = 0

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer only at the end."""
        pieces = []
        while count and (data := os.pread(self._file, min(count, LARGEST), self._place)):
            pieces.append(data)
            self._place += len(data)
            count -= len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        os.close(self._file)


class Unzipped(Plain):
    """What a gzip file has in it: any number of members, one after the other. ``read`` raises ``RecordError``."""

    def __init__(self, file: int) -> None:
        super().__init__(file)
        import zlib

        self._zlib = zlib
        self._member = zlib.decompressobj(31)
        self._packed = b""
        self._begun = False

    def read(self, count: int) -> bytes:
        pieces = []
        while count and (data := self._some(count)):
            pieces.append(data)
            count -= len(data)
        return b"".join(pieces)

    def _some(self, most: int) -> bytes:
        try:
            while True:
                if not self._packed:
                    self._packed = super().read(CHUNK)
                if self._member.eof:
                    self._packed = self._packed.lstrip(b"\0")  # padding, as tapes have it
                    if not self._packed:
                        if not (rest := super().read(CHUNK)):
                            return b""
                        self._packed = rest
                        continue
                    self._member = self._zlib.decompressobj(31)
                if not self._packed:
                    if data := self._member.decompress(b"", most):
                        return data
                    if self._begun:
                        raise RecordError("The object cannot be decompressed: it ends early")
                    return b""
                self._begun = True
                data = self._member.decompress(self._packed, most)
                self._packed = self._member.unconsumed_tail or self._member.unused_data
                if data:
                    return data
        except self._zlib.error as error:
            raise RecordError(f"The object cannot be decompressed: {error}") from error


def payloads(read: Read, split: str, single: bool, most: int) -> Iterator[bytes]:
    """The payloads of one object: each record one (``single``), or as many records as fit into ``most`` bytes (0 for
    any number). Blank lines between payloads are none.

    ``split`` is a ``SplitType``. Raises ``RecordError``.
    """
    if split == "None":
        return _whole(read, most)
    if split == "Line":
        return _lines(read, most) if single else _batches_of_lines(read, most)
    frames = _recordio(read, most) if split == "RecordIO" else _tfrecords(read, most)
    return _alone(frames, most) if single else _together(frames, most)


def _whole(read: Read, most: int) -> Iterator[bytes]:
    data = read(most + 1) if most else b"".join(iter(lambda: read(CHUNK), b""))
    if most and len(data) > most:
        raise RecordError(TOO_LARGE)
    if data:
        yield data


def _batches_of_lines(read: Read, most: int) -> Iterator[bytes]:
    # Most batches are cut out of what was read in one piece: nothing is done for each line.
    if not most:
        yield from _whole(read, 0)
        return
    rest = b""
    while True:
        # One byte more than fits, which may be the line end that is not sent.
        more = read(most + 1 - len(rest))
        data = rest + more if rest else more
        if len(data) <= most:
            end = data.removesuffix(b"\n")
            if end and not end.isspace():
                yield end
            return
        cut = data.rfind(b"\n")
        if cut < 0:
            raise RecordError(TOO_LARGE)
        rest = data[cut + 1 :]
        data = data[:cut]
        if data and not data.isspace():
            yield data


def _lines(read: Read, most: int) -> Iterator[bytes]:
    rest: list[bytes] = []
    size = 0
    while data := read(CHUNK):
        first, *lines = data.split(b"\n")
        rest.append(first)
        size += len(first)
        if most and size > most + 1:  # the last byte may be half of a line end
            raise RecordError(TOO_LARGE)
        if lines:
            yield from _line(b"".join(rest), most)
            for line in lines[:-1]:
                yield from _line(line, most)
            rest, size = [lines[-1]], len(lines[-1])
    yield from _line(b"".join(rest), most)


def _line(line: bytes, most: int) -> Iterator[bytes]:
    line = line.removesuffix(b"\r")
    if most and len(line) > most:
        raise RecordError(TOO_LARGE)
    if line and not line.isspace():
        yield line


# -- records in frames: each a record with its frame, and where the record is in it


Frame = tuple[bytes, bytes]
"""A record as it stands in the object, and without what is around it."""


def _alone(frames: Iterator[Frame], most: int) -> Iterator[bytes]:
    for _, record in frames:
        if most and len(record) > most:
            raise RecordError(TOO_LARGE)
        yield record


def _together(frames: Iterator[Frame], most: int) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for frame, _ in frames:
        if most and len(frame) > most:
            raise RecordError(TOO_LARGE)
        if batch and most and size + len(frame) > most:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(frame)
        size += len(frame)
    if batch:
        yield b"".join(batch)


class _Ahead:
    """Reads an object in large pieces and gives it out in small ones."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._data = b""
        self._place = 0

    def take(self, count: int, what: str, *, may_end: bool = False) -> bytes:
        """The next ``count`` bytes; raises ``RecordError`` if the object ends before. With ``may_end`` it may end
        here."""
        data = self._data[self._place : self._place + count]
        if len(data) < count:
            more = self._read(max(CHUNK, count - len(data)))
            self._data, self._place = data + more, 0
            data = self._data[:count]
        self._place += len(data)
        if len(data) < count and not (may_end and not data):
            raise RecordError(f"The object is not {what} data: it ends in the middle of a record")
        return data


def _recordio(read: Read, most: int) -> Iterator[Frame]:
    source = _Ahead(read)
    frame: list[bytes] = []
    record: list[bytes] = []
    while head := source.take(8, "RecordIO", may_end=not frame):
        word = int.from_bytes(head[4:], "little")
        part, length = word >> 29, word & ((1 << 29) - 1)
        if int.from_bytes(head[:4], "little") != MAGIC or (part in (_WHOLE, _FIRST)) != (not frame) or part > _LAST:
            raise RecordError("The object is not RecordIO data: a record does not begin where one should")
        _check(length, most)
        body = source.take(length + -length % 4, "RecordIO")
        frame += (head, body)
        if record:
            record.append(MAGIC.to_bytes(4, "little"))  # where a writer has cut a record
        record.append(body[:length])
        if part in (_WHOLE, _LAST):
            yield b"".join(frame), b"".join(record)
            frame, record = [], []


def _tfrecords(read: Read, most: int) -> Iterator[Frame]:
    source = _Ahead(read)
    table = _crc32c_table()
    while head := source.take(12, "TFRecord", may_end=True):
        crc = 0xFFFFFFFF
        for byte in head[:8]:
            crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
        crc ^= 0xFFFFFFFF
        if ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF != int.from_bytes(head[8:], "little"):
            raise RecordError("The object is not TFRecord data: the length of a record does not match its checksum")
        length = int.from_bytes(head[:8], "little")
        _check(length, most)
        body = source.take(length + 4, "TFRecord")
        yield head + body, body[:-4]


def _check(length: int, most: int) -> None:
    """Refuse a record before it is read that cannot be sent."""
    if most and length > most:
        raise RecordError(TOO_LARGE)


def _crc32c_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table
