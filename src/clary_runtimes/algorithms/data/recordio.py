"""RecordIO frames around ``aialgs.data.Record`` protocol buffers, read and written without a protobuf library.

The record holds two maps, ``features`` (field 1) and ``label`` (field 2), from a name to a tensor of 32-bit floats
(field 2), 64-bit floats (3) or 32-bit integers (7); a tensor has packed values (1), the keys of a sparse one (2) and
its shape (3).
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any

MAGIC = 0xCED7230A
_FRAME = struct.Struct("<II")
_TENSOR_TYPES = {2: "<f4", 3: "<f8", 7: "varint"}


class RecordIOError(ValueError):
    """Bytes that are not RecordIO, or a record that is not ``aialgs.data.Record``."""


class Tensor(NamedTuple):
    """One value of a record: dense, or sparse where ``keys`` says which columns the values are of."""

    values: Array
    keys: Array | None
    shape: tuple[int, ...]


class Record(NamedTuple):
    features: dict[str, Tensor]
    label: dict[str, Tensor]


def frames(buffer: bytes | memoryview) -> Iterator[memoryview]:
    """The payloads of the frames in ``buffer``; raises ``RecordIOError`` with the offset of what is wrong."""
    view, offset = memoryview(buffer), 0
    while offset < len(view):
        if offset + _FRAME.size > len(view):
            raise RecordIOError(f"Truncated RecordIO header at byte {offset}")
        magic, length = _FRAME.unpack_from(view, offset)
        if magic != MAGIC:
            raise RecordIOError(f"Invalid RecordIO magic number at byte {offset}")
        length &= (1 << 29) - 1  # the upper three bits mark parts of a split record
        offset += _FRAME.size
        if offset + length > len(view):
            raise RecordIOError(f"Truncated record at byte {offset}")
        yield view[offset : offset + length]
        offset += (length + 3) & ~3


def read_records(buffer: bytes | memoryview) -> Iterator[Record]:
    """The records in ``buffer``."""
    for payload in frames(buffer):
        yield parse_record(payload)


def parse_record(payload: memoryview) -> Record:
    """One ``aialgs.data.Record``."""
    features: dict[str, Tensor] = {}
    label: dict[str, Tensor] = {}
    for number, value in _fields(payload):
        if number in (1, 2) and isinstance(value, memoryview):
            name, tensor = _map_entry(value)
            if tensor is not None:
                (features if number == 1 else label)[name] = tensor
    return Record(features, label)


def read_table(buffer: bytes | memoryview) -> tuple[Array, Array | None]:
    """All records of ``buffer`` as one dense matrix (rows, columns) and their labels (rows,), None if they have none.

    Raises ``RecordIOError`` if a record lacks ``features["values"]`` or the widths differ.
    """
    table = read_uniform(buffer)
    return _general(buffer) if table is None else table


def read_uniform(buffer: bytes | memoryview) -> tuple[Array, Array | None] | None:
    """``read_table`` for the usual file: dense records, every one with the same layout, so that one look serves all;
    None for any other."""
    first = next(frames(buffer), None)
    if first is None:
        return None
    record = parse_record(first)
    if set(record.features) != {"values"} or not set(record.label) <= {"values"}:
        return None
    stride = _FRAME.size + ((len(first) + 3) & ~3)
    if len(buffer) % stride:
        return None
    rows = np.frombuffer(buffer, dtype=np.uint8).reshape(-1, stride)
    varying = np.zeros(stride, dtype=bool)
    blocks: list[Array | None] = []
    for tensor in (record.features["values"], record.label.get("values")):
        if tensor is None:
            blocks.append(None)
            continue
        if tensor.keys is not None or tensor.values.base is None or tensor.values.dtype.kind != "f":
            return None
        start = tensor.values.__array_interface__["data"][0] - rows.__array_interface__["data"][0]
        end = start + tensor.values.nbytes
        varying[start:end] = True
        blocks.append(np.ascontiguousarray(rows[:, start:end]).view(tensor.values.dtype))
    if (rows[:, ~varying] != rows[0, ~varying]).any():
        return None
    features, label = blocks
    return features, None if label is None else label[:, 0].astype(np.float64)


def _general(buffer: bytes | memoryview) -> tuple[Array, Array | None]:
    records = list(read_records(buffer))
    width, labels = 0, []
    for number, record in enumerate(records):
        tensor = record.features.get("values")
        if tensor is None:
            raise RecordIOError(f"Record {number} has no features under the name 'values'")
        if tensor.keys is None:
            width = max(width, len(tensor.values))
        else:
            width = max(width, *tensor.shape, int(tensor.keys.max(initial=-1)) + 1)
        if "values" in record.label:
            labels.append(float(record.label["values"].values[0]))
    table = np.zeros((len(records), width), dtype=np.float32)
    for number, record in enumerate(records):
        tensor = record.features["values"]
        if tensor.keys is not None:
            table[number, tensor.keys] = tensor.values
        elif len(tensor.values) != width:
            raise RecordIOError(f"Record {number} has {len(tensor.values)} features where others have {width}")
        else:
            table[number] = tensor.values
    if labels and len(labels) != len(records):
        raise RecordIOError(f"{len(records) - len(labels)} of {len(records)} records have no label")
    return table, np.array(labels, dtype=np.float64) if labels else None


def write_labels(rows: Sequence[Mapping[str, Sequence[float]]]) -> bytes:
    """RecordIO with one record a row, its values as 32-bit floats under ``label``: the form of inference responses."""
    out = bytearray()
    for row in rows:
        payload = bytearray()
        for name, values in row.items():
            packed = struct.pack(f"<{len(values)}f", *values)
            tensor = _length_delimited(1, packed)
            entry = _length_delimited(1, name.encode()) + _length_delimited(2, _length_delimited(2, tensor))
            payload += _length_delimited(2, entry)
        out += _FRAME.pack(MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)
    return bytes(out)


def _length_delimited(number: int, payload: bytes) -> bytes:
    return _write_varint(number << 3 | 2) + _write_varint(len(payload)) + payload


def _write_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(view: memoryview, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if offset >= len(view) or shift > 63:
            raise RecordIOError("A record is not an aialgs.data.Record protocol buffer")
        byte = view[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7


def _fields(view: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    offset = 0
    while offset < len(view):
        tag, offset = _varint(view, offset)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, offset = _varint(view, offset)
            yield number, value
            continue
        if wire == 2:
            length, offset = _varint(view, offset)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise RecordIOError("A record is not an aialgs.data.Record protocol buffer")
        if offset + length > len(view):
            raise RecordIOError("A record is not an aialgs.data.Record protocol buffer")
        yield number, view[offset : offset + length]
        offset += length


def _map_entry(view: memoryview) -> tuple[str, Tensor | None]:
    name, tensor = "", None
    for number, value in _fields(view):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            name = bytes(value).decode("utf-8", errors="replace")
        elif number == 2:
            for kind, content in _fields(value):
                if kind in _TENSOR_TYPES and isinstance(content, memoryview):
                    tensor = _tensor(content, _TENSOR_TYPES[kind])
    return name, tensor


def _tensor(view: memoryview, dtype: str) -> Tensor:
    parts: dict[int, list[Array]] = {1: [], 2: [], 3: []}
    for number, value in _fields(view):
        if number not in parts:
            continue
        if isinstance(value, int):  # a writer may leave a single integer unpacked
            parts[number].append(np.array([value], dtype=np.int64))
        elif number == 1 and dtype != "varint":
            if len(value) % np.dtype(dtype).itemsize:
                raise RecordIOError("A tensor's values are cut short")
            parts[number].append(np.frombuffer(value, dtype=dtype))
        else:
            parts[number].append(_packed_varints(value))
    values, keys, shape = (
        found[0] if len(found) == 1 else np.concatenate(found) if found else None for found in parts.values()
    )
    if values is None:
        values = np.zeros(0, dtype=np.float32)
    if dtype == "varint":
        values = values.astype(np.int32)
    sizes = () if shape is None else tuple(int(size) for size in shape)
    if keys is None and len(values) == 0 and sizes:
        keys = np.zeros(0, dtype=np.int64)  # a sparse row with nothing in it
    return Tensor(values, keys, sizes)


def _packed_varints(view: memoryview) -> Array:
    values, offset = [], 0
    while offset < len(view):
        value, offset = _varint(view, offset)
        values.append(value)
    return np.array(values, dtype=np.uint64).astype(np.int64)
