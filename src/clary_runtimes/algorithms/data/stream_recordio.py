"""RecordIO-protobuf, some megabytes at a time, without a Python loop over values.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data import block
from clary_runtimes.algorithms.data.block import Block, Layout
from clary_runtimes.algorithms.data.recordio import MAGIC, RecordIOError, read_uniform
from clary_runtimes.algorithms.data.source import Stream
from clary_runtimes.contract.errors import UserError

Array = Any

_FRAME = struct.Struct("<II")
_LENGTH = (1 << 29) - 1
_ITEM = {2: np.dtype("<f4"), 3: np.dtype("<f8")}
_INTEGERS = 7


class _Tensor(NamedTuple):
    """Where the parts of a tensor lie: values, the keys of a sparse one, its shape."""

    kind: int
    values: bytes
    keys: bytes
    shape: bytes


_NONE = _Tensor(0, b"", b"", b"")
_NO_RECORD = "it is not an aialgs.data.Record protocol buffer"


def recordio_blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The records of a RecordIO file: dense rows, or CSR where the records are sparse. Raises ``UserError`` naming the
    record, counted from 1."""
    rest, row, place = b"", 1, 0
    while True:
        data = stream.file.read(block.BYTES)
        buffer = rest + data if rest else data
        if not buffer:
            return
        try:
            end = _uniform_end(buffer)
            found = _dense(memoryview(buffer)[:end]) if end else None
            if found is not None:
                features, labels = found
            else:
                payloads, end = _frames(buffer, row)
                if not payloads and not data:
                    raise RecordIOError(f"the record is cut short at byte {place + len(buffer)}")
                features, labels = _ragged(payloads, row)
        except RecordIOError as error:
            number = getattr(error, "row", row)
            raise UserError(
                f"{stream.name}, row {number}: {error}; write the file with sagemaker.amazon.common, and upload all"
                " of it"
            ) from None
        if features.shape[0]:
            yield _block(features, labels, stream.name, row, layout)
        rest, row, place = buffer[end:], row + features.shape[0], place + end


def _dense(buffer: memoryview) -> tuple[Array, Array | None] | None:
    """The usual file at once; None for any other, and for one with a fault, which the other way names."""
    try:
        return read_uniform(buffer)
    except RecordIOError:
        return None


def _block(features: Array, labels: Array | None, name: str, row: int, layout: Layout) -> Block:
    if layout.label and labels is None:
        raise UserError(f"{name}, row {row}: the record has no label; write the labels beside the features")
    return Block(features.astype(layout.dtype, copy=False), labels if layout.label else None, None, None, name, row)


def _uniform_end(buffer: bytes) -> int:
    """Where the whole records end, if all of them have the length of the first; 0 if not."""
    if len(buffer) < _FRAME.size:
        return 0
    magic, word = _FRAME.unpack_from(buffer)
    if magic != MAGIC:
        raise RecordIOError("this is not RecordIO data")
    if word > _LENGTH:
        return 0
    stride = _FRAME.size + ((word + 3) & ~3)
    count = len(buffer) // stride
    if not count:
        return 0
    heads = np.frombuffer(buffer, dtype="<u4", count=count * stride // 4).reshape(count, -1)[:, :2]
    return count * stride if bool((heads == (magic, word)).all()) else 0


def _frames(buffer: bytes, first: int) -> tuple[list[bytes], int]:
    """The whole records at the beginning of ``buffer``, and where they end."""
    offset = end = 0
    payloads: list[bytes] = []
    parts: list[bytes] = []
    while offset + _FRAME.size <= len(buffer):
        magic, word = _FRAME.unpack_from(buffer, offset)
        if magic != MAGIC:
            raise _Fault(first + len(payloads), "there is no RecordIO header where one must be")
        start = offset + _FRAME.size
        stop = start + (word & _LENGTH)
        if stop > len(buffer):
            break
        part = word >> 29  # 0: a whole record; 1, 2, 3: the first, a middle, the last part of one
        parts.append(buffer[start:stop])
        offset = min(start + (((word & _LENGTH) + 3) & ~3), len(buffer))
        if part in (0, 3):
            payloads.append(b"".join(parts))
            parts, end = [], offset
    return payloads, end


class _Fault(RecordIOError):
    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def _ragged(payloads: list[bytes], first: int) -> tuple[Array, Array | None]:
    """Features and labels of records of any layout."""
    features, labels = [], []
    for number, payload in enumerate(payloads, start=first):
        try:
            feature, label = _tensors(payload)
        except RecordIOError as error:
            raise _Fault(number, str(error)) from None
        if feature is _NONE:
            raise _Fault(number, "the record has no features under the name 'values'")
        features.append(feature)
        labels.append(label)
    if not payloads:
        return np.zeros((0, 0), dtype=np.float32), None
    found = _label_values(labels, first)
    values, counts = _numbers(features)
    keys, key_counts = _varints([tensor.keys for tensor in features])
    shapes, _ = _varints([tensor.shape for tensor in features])
    sparse = (key_counts > 0) | (counts == 0)
    if not sparse.any():
        odd = np.flatnonzero(counts != counts[0])
        if len(odd):
            raise _Fault(
                first + int(odd[0]), f"it has {counts[odd[0]]} features where the first one here has {counts[0]}"
            )
        return values.reshape(len(counts), -1), found
    odd = np.flatnonzero(sparse & (counts != key_counts))
    if len(odd):
        raise _Fault(first + int(odd[0]), f"it has {counts[odd[0]]} values for {key_counts[odd[0]]} keys")
    if not sparse.all():
        keys = _with_dense_rows(keys, key_counts, counts, sparse)
    from scipy.sparse import csr_matrix

    width = max(int(shapes.max(initial=0)), int(keys.max(initial=-1)) + 1)
    pointers = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((values, keys, pointers), shape=(len(counts), width)), found


def _with_dense_rows(keys: Array, key_counts: Array, counts: Array, sparse: Array) -> Array:
    """The keys with those of the rows added that have a value in every column."""
    starts = np.cumsum(key_counts) - key_counts
    rows = [
        keys[start : start + count] if is_sparse else np.arange(count)
        for start, count, is_sparse in zip(starts, counts, sparse, strict=True)
    ]
    return np.concatenate(rows)


def _label_values(labels: list[_Tensor], first: int) -> Array | None:
    if all(label is _NONE for label in labels):
        return None
    values, counts = _numbers(labels)
    bad = np.flatnonzero(counts == 0)
    if len(bad):
        raise _Fault(first + int(bad[0]), "the record has no label, and others have one")
    return values[np.cumsum(counts) - counts].astype(np.float64)


def _numbers(tensors: list[_Tensor]) -> tuple[Array, Array]:
    """The values of all tensors one after the other, and how many each has."""
    kinds = {tensor.kind for tensor in tensors if len(tensor.values)}
    if len(kinds) > 1:
        parts = [_numbers([tensor])[0].astype(np.float64) for tensor in tensors]
        return np.concatenate(parts), np.array([len(part) for part in parts])
    kind = kinds.pop() if kinds else 2
    if kind == _INTEGERS:
        values, counts = _varints([tensor.values for tensor in tensors])
        return values.astype(np.int32).astype(np.float32), counts
    item = _ITEM[kind]
    lengths = np.array([len(tensor.values) for tensor in tensors])
    if (lengths % item.itemsize).any():
        raise RecordIOError("the values of a record are cut short")
    return np.frombuffer(b"".join([tensor.values for tensor in tensors]), dtype=item), lengths // item.itemsize


def _varints(parts: list[bytes]) -> tuple[Array, Array]:
    """The packed integers of all parts one after the other, and how many each has."""
    raw = np.frombuffer(b"".join(parts), dtype=np.uint8)
    last = raw < 0x80
    ends = np.concatenate([[0], np.cumsum(last)])
    borders = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    if len(raw) and not last[borders[1:][borders[1:] > 0] - 1].all():
        raise RecordIOError("the integers of a record are cut short")
    counts = np.diff(ends[borders])
    if not len(raw):
        return np.zeros(0, dtype=np.int64), counts
    starts = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1])
    within = np.arange(len(raw)) - np.repeat(starts, np.diff(np.append(starts, len(raw))))
    if within.max() > 9:
        raise RecordIOError("an integer of a record is too long")
    values = (raw & 0x7F).astype(np.uint64) << (7 * within).astype(np.uint64)
    return np.add.reduceat(values, starts).astype(np.int64), counts


def _tensors(payload: bytes) -> tuple[_Tensor, _Tensor]:
    """The features and the label under the name ``values``; ``_NONE`` for what is not there."""
    feature = label = _NONE
    for number, start, stop in _spans(payload, 0, len(payload)):
        if number not in (1, 2):
            continue
        name, content = b"", None
        for part, begin, end in _spans(payload, start, stop):
            if part == 1:
                name = payload[begin:end]
            elif part == 2:
                content = begin, end
        if name != b"values" or content is None:
            continue
        for kind, begin, end in _spans(payload, *content):
            if kind in _ITEM or kind == _INTEGERS:
                found = _parts(kind, payload, begin, end)
                feature, label = (found, label) if number == 1 else (feature, found)
    return feature, label


def _parts(kind: int, payload: bytes, start: int, stop: int) -> _Tensor:
    parts = {1: b"", 2: b"", 3: b""}
    for number, begin, end in _spans(payload, start, stop):
        if number in parts:
            # A writer may leave single integers unpacked, and may pack a long list in several pieces.
            parts[number] = parts[number] + payload[begin:end] if parts[number] else payload[begin:end]
    return _Tensor(kind, parts[1], parts[2], parts[3])


def _spans(payload: bytes, place: int, end: int) -> list[tuple[int, int, int]]:
    """The fields of the protocol buffer between ``place`` and ``end``: their numbers, and where their contents lie."""
    found = []
    try:
        while place < end:
            tag = payload[place]
            place += 1
            if tag > 127:
                tag, place = _varint(payload, place - 1)
            wire = tag & 7
            if wire == 2:
                length = payload[place]
                place += 1
                if length > 127:
                    length, place = _varint(payload, place - 1)
            elif wire == 0:
                length = _varint(payload, place)[1] - place
            elif wire in (1, 5):
                length = 8 if wire == 1 else 4
            else:
                raise RecordIOError(_NO_RECORD)
            found.append((tag >> 3, place, place + length))
            place += length
    except IndexError:
        raise RecordIOError(_NO_RECORD) from None
    if place != end:
        raise RecordIOError(_NO_RECORD)
    return found


def _varint(payload: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = payload[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise RecordIOError(_NO_RECORD)
