"""Objects split into records, and records put together into payloads."""

from __future__ import annotations

import gzip
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.compute.agent import records
from clary.compute.agent.flow import frames
from clary.compute.agent.records import TOO_LARGE, Plain, RecordError, Unzipped, payloads


@pytest.fixture(params=[7, records.CHUNK])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that lie across the pieces in which an object is read, and such that do not."""
    monkeypatch.setattr(records, "CHUNK", request.param)


def split(data: bytes, kind: str, single: bool, most: int, folder: Path, zipped: bool = False) -> list[bytes]:
    path = folder / "object"
    path.write_bytes(data)
    file = os.open(path, os.O_RDONLY)
    source = Unzipped(file) if zipped else Plain(file)
    try:
        return list(payloads(source.read, kind, single, most))
    finally:
        source.close()


@pytest.mark.usefixtures("small")
class TestLines:
    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n \n"])
    def test_one_by_one(self, tmp_path: Path, end: bytes) -> None:
        data = b"first\nsecond record\r\n\nthird" + end
        assert split(data, "Line", True, 100, tmp_path) == [b"first", b"second record", b"third"]

    @pytest.mark.parametrize("end", [b"", b"\n"])
    def test_as_many_as_fit(self, tmp_path: Path, end: bytes) -> None:
        data = b"aaaa\nbbbb\ncccc\ndd" + end
        assert split(data, "Line", False, 9, tmp_path) == [b"aaaa\nbbbb", b"cccc\ndd"]
        assert split(data, "Line", False, 8, tmp_path) == [b"aaaa", b"bbbb", b"cccc\ndd"]
        assert split(data, "Line", False, 4, tmp_path) == [b"aaaa", b"bbbb", b"cccc", b"dd"]
        assert split(data, "Line", False, 0, tmp_path) == [data]
        whole = split(data, "Line", False, 1000, tmp_path)
        assert whole == [b"aaaa\nbbbb\ncccc\ndd"]

    @pytest.mark.parametrize("single", [True, False])
    def test_one_that_is_too_large(self, tmp_path: Path, single: bool) -> None:
        for data in (b"a\nbbbbb\nc", b"bbbbb", b"bbbbb\n", b"a\nb\n" + b"b" * 1000):
            with pytest.raises(RecordError, match=TOO_LARGE):
                split(data, "Line", single, 4, tmp_path)

    @pytest.mark.parametrize("single", [True, False])
    def test_blank_ones_are_none(self, tmp_path: Path, single: bool) -> None:
        for data in (b"", b"\n", b"\n\n  \n\n"):
            assert split(data, "Line", single, 100, tmp_path) == []

    def test_nothing_is_lost_whatever_the_sizes(self, tmp_path: Path) -> None:
        chance = random.Random(0)
        lines = [bytes(chance.choices(b"abc,", k=chance.randint(1, 40))) for _ in range(500)]
        data = b"\n".join(lines)
        assert split(data, "Line", True, 40, tmp_path) == lines
        for most in (40, 41, 57, 1000):
            batches = split(data, "Line", False, most, tmp_path)
            assert b"\n".join(batches) == data and max(map(len, batches)) <= most
            # No batch has room for the first record of the next one.
            following = [batch.partition(b"\n")[0] for batch in batches[1:]]
            full = [len(batch) + 1 + len(line) > most for batch, line in zip(batches, following, strict=False)]
            assert all(full)


@pytest.mark.usefixtures("small")
class TestFrames:
    RECORDS = (b"one", b"four", b"", b"a longer record")

    def test_recordio(self, tmp_path: Path) -> None:
        framed = [recordio(record) for record in self.RECORDS]
        data = b"".join(framed)
        assert split(data, "RecordIO", True, 100, tmp_path) == list(self.RECORDS)
        assert split(data, "RecordIO", False, 100, tmp_path) == [data]
        assert split(data, "RecordIO", False, 24, tmp_path) == [framed[0] + framed[1], framed[2], framed[3]]
        with pytest.raises(RecordError, match=TOO_LARGE):
            split(data, "RecordIO", True, 10, tmp_path)

    def test_recordio_of_several_parts(self, tmp_path: Path) -> None:
        magic = struct.pack("<I", records.MAGIC)
        parts = [(1, b"abcd"), (2, b"efgh"), (3, b"ij")]
        heads = [magic + struct.pack("<I", part << 29 | len(text)) for part, text in parts]
        data = b"".join(head + text + bytes(-len(text) % 4) for head, (_, text) in zip(heads, parts, strict=True))
        data += recordio(b"next")
        # Where a record holds the mark itself, writers cut it there.
        assert split(data, "RecordIO", True, 100, tmp_path) == [b"abcd" + magic + b"efgh" + magic + b"ij", b"next"]
        assert split(data, "RecordIO", False, 100, tmp_path) == [data]

    @pytest.mark.parametrize("data", [b"text\nof lines and more", b"\n#\xd7\xce", b"\n#\xd7\xce\x08\0\0\0abcd"])
    def test_what_is_no_recordio(self, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(RecordError, match="is not RecordIO data"):
            split(data, "RecordIO", True, 100, tmp_path)

    def test_tfrecord(self, tmp_path: Path) -> None:
        framed = [tfrecord(record) for record in self.RECORDS]
        data = b"".join(framed)
        assert split(data, "TFRecord", True, 100, tmp_path) == list(self.RECORDS)
        assert split(data, "TFRecord", False, 40, tmp_path) == [framed[0] + framed[1], framed[2], framed[3]]
        with pytest.raises(RecordError, match="it ends in the middle"):
            split(data[:-5], "TFRecord", True, 100, tmp_path)
        with pytest.raises(RecordError, match="does not match its checksum"):
            split(b"text\nof lines and more", "TFRecord", True, 100, tmp_path)


def test_a_checksum_that_tensorflow_wrote(tmp_path: Path) -> None:
    # The head of a record of 24 bytes, from TensorFlow 2.
    data = bytes.fromhex("1800000000000000a37f4b22") + b"x" * 24 + b"\0\0\0\0"
    assert split(data, "TFRecord", True, 100, tmp_path) == [b"x" * 24]


@pytest.mark.usefixtures("small")
class TestWhole:
    def test_an_object_is_one_payload(self, tmp_path: Path) -> None:
        assert split(b"any\nthing\n", "None", False, 100, tmp_path) == [b"any\nthing\n"]
        assert split(b"any\nthing\n", "None", False, 10, tmp_path) == [b"any\nthing\n"]
        assert split(b"any\nthing\n", "None", False, 0, tmp_path) == [b"any\nthing\n"]
        assert split(b"", "None", False, 10, tmp_path) == []
        with pytest.raises(RecordError, match=TOO_LARGE):
            split(b"any\nthing\n", "None", False, 9, tmp_path)

    def test_gzip_data_of_several_members(self, tmp_path: Path) -> None:
        text = b"\n".join(b"%d" % number for number in range(2000))
        packed = gzip.compress(text[:1000]) + gzip.compress(b"") + gzip.compress(text[1000:]) + b"\0\0\0"
        assert split(packed, "None", False, 1 << 20, tmp_path, zipped=True) == [text]
        assert split(packed, "Line", True, 100, tmp_path, zipped=True) == text.split(b"\n")
        assert split(gzip.compress(b""), "None", False, 10, tmp_path, zipped=True) == []
        with pytest.raises(RecordError, match="it ends early"):
            split(packed[:300], "None", False, 1 << 20, tmp_path, zipped=True)
        with pytest.raises(RecordError, match="cannot be decompressed"):
            split(b"text", "None", False, 10, tmp_path, zipped=True)


def test_objects_larger_than_memory_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            yield b"0123456789abcde\n" * 64

    source, rest = endless(), b""

    def read(count: int) -> bytes:
        nonlocal rest
        asked.append(count)
        while len(rest) < count:
            rest += next(source)
        data, rest = rest[:count], rest[count:]
        return data

    batches = payloads(read, "Line", False, 1600)
    assert [len(next(batches)) for _ in range(50)] == [1599] * 50
    assert max(asked) <= 1601 and len(asked) <= 51


def recordio(record: bytes) -> bytes:
    [(head, start, length)] = frames(len(record))
    return head + record[start : start + length] + bytes(-length % 4)


def tfrecord(record: bytes) -> bytes:
    def masked(data: bytes) -> bytes:
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        crc ^= 0xFFFFFFFF
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(record))
    return length + masked(length) + record + masked(record)
