"""What every built-in algorithm must do alike, and how a case says what is its own.

Each file in ``cases`` has a ``CASE`` (or several ``CASES``); ``test_contract.py`` runs the same suite over all of them.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CSV, JSON, JSONLINES = "text/csv", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
UNLABELLED_CSV = "text/csv;label_size=0"

Numbers = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Data:
    """The content of one channel: one file ``<channel>.data``."""

    content: bytes | str
    content_type: str = CSV

    @property
    def bytes(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


@dataclass(frozen=True)
class Mistake:
    """A job that must end with exit code 2 and a ``ClientError`` that contains each of ``words``.

    ``hyperparameters`` and ``channels`` replace those of the good job; what is None there is left out.
    """

    name: str
    words: tuple[str, ...]
    hyperparameters: Mapping[str, str | None] = field(default_factory=dict)
    channels: Mapping[str, Data | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """A request that must be refused with ``status`` and words that contain ``words``."""

    body: bytes | str
    content_type: str
    status: int
    words: str
    accept: str | None = None


@dataclass(frozen=True)
class Case:
    """One algorithm in the contract suite."""

    name: str
    """As in ``registry.ALGORITHMS``."""
    image: str
    """The file in ``src/clary/images``."""
    hyperparameters: Mapping[str, str]
    """Of a good job, which takes a second or two."""
    channels: Mapping[str, Data]
    """Of a good job; ``train`` at least."""
    metrics: tuple[str, ...]
    """The documented metrics that the log of a good job must have."""
    requests: Mapping[str, bytes | str]
    """The same rows in every content type that is understood (see ``bodies``)."""
    outputs: tuple[str, ...]
    """The types of answers that are understood."""
    check: Callable[[Any], None]
    """Looks at the answer to the requests in JSON, parsed."""
    rows: int
    """How many predictions the requests ask for."""
    table: Numbers | None = None
    """At least six rows of ``train`` with their label first, if it has one: what the mistakes common to all
    algorithms of tables are made of. None for an algorithm that learns from something else."""
    table_type: str = CSV
    missing_allowed: bool = False
    """Whether features may be missing."""
    recordio: bool = True
    """Whether ``train`` may be RecordIO; ``labelled`` says whether its records have labels."""
    labelled: bool = True
    pipe: bool = True
    """Whether ``train`` can be streamed."""
    required: tuple[str, ...] = ()
    """The hyperparameters without which there is no job."""
    mistakes: tuple[Mistake, ...] = ()
    """The algorithm's own mistakes, besides the common ones."""
    refusals: tuple[Refusal, ...] = ()
    """The algorithm's own refused requests, besides the common ones."""

    def all_mistakes(self) -> list[Mistake]:
        """Its own mistakes, and the common ones that apply to it."""
        return [*_common(self), *(_of_table(self, self.table) if self.table else ()), *self.mistakes]

    def all_refusals(self) -> list[Refusal]:
        """Its own refused requests, and those that every server refuses."""
        content_type, body = next(iter(self.requests.items()))
        return [
            Refusal(body, "application/pdf", 415, "application/pdf"),
            Refusal(body, content_type, 406, "image/png", accept="image/png"),
            *self.refusals,
        ]


def csv(rows: Numbers) -> str:
    """Rows as CSV."""
    return "".join(",".join(f"{value:.9g}" for value in row) + "\n" for row in rows)


def recordio(rows: Numbers, labels: Sequence[float] | None = None) -> bytes:
    """Rows as RecordIO, 32-bit floats under ``values``."""
    out = bytearray()
    for number, row in enumerate(rows):
        record = _entry(1, row) + (b"" if labels is None else _entry(2, [labels[number]]))
        out += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    return bytes(out)


def sparse_recordio(rows: Sequence[Mapping[int, float]], width: int, labels: Sequence[float] | None = None) -> bytes:
    """Rows as sparse RecordIO: the values by their columns, of ``width``."""
    out = bytearray()
    for number, row in enumerate(rows):
        keys, shape = b"".join(map(_varint, row)), _varint(width)
        tensor = _field(1, struct.pack(f"<{len(row)}f", *row.values())) + _field(2, keys) + _field(3, shape)
        record = _field(1, _field(1, b"values") + _field(2, _field(2, tensor)))
        record += b"" if labels is None else _entry(2, [labels[number]])
        out += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    return bytes(out)


def bodies(rows: Numbers) -> dict[str, bytes | str]:
    """The requests for rows in the formats that all first-party algorithms of tables understand."""
    dense = [{"features": list(row)} for row in rows]
    nested = [{"data": {"features": {"values": list(row)}}} for row in rows]
    return {
        CSV: csv(rows),
        JSON: json.dumps({"instances": dense}),
        JSONLINES: "\n".join(json.dumps(instance) for instance in nested),
        RECORDIO: recordio(rows),
    }


def frames(body: bytes) -> int:
    """The number of RecordIO frames in ``body``."""
    count = offset = 0
    while offset < len(body):
        magic, length = struct.unpack_from("<II", body, offset)
        assert magic == 0xCED7230A
        offset += 8 + (length + 3) // 4 * 4
        count += 1
    return count


def cases() -> list[Case]:
    """The cases of all algorithms."""
    return list(_cases())


def _cases() -> Iterator[Case]:
    for path in sorted(Path(__file__).with_name("cases").glob("[!_]*.py")):
        specification = importlib.util.spec_from_file_location(f"cases_{path.stem}", path)
        assert specification is not None and specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        yield from getattr(module, "CASES", None) or [module.CASE]


def _common(case: Case) -> Iterator[Mistake]:
    for name in case.required:
        yield Mistake(f"without-{name}", (name,), hyperparameters={name: None})
    yield Mistake("unknown-hyperparameter", ("no_such_thing",), hyperparameters={"no_such_thing": "1"})
    yield Mistake("missing-channel", ("train",), channels=dict.fromkeys(case.channels))
    kind = case.channels["train"].content_type
    yield Mistake("empty-channel", ("No data", "train"), channels={"train": Data("", kind)})
    good = case.channels["train"].bytes
    yield Mistake("unsupported-type", ("image/x-none",), channels={"train": Data(good, "image/x-none")})


def _of_table(case: Case, table: Numbers) -> Iterator[Mistake]:
    lines = csv(table).splitlines()

    def train(content: bytes | str) -> dict[str, Data]:
        return {"train": Data(content, case.table_type)}

    def with_cell(row: int, cell: str) -> str:
        changed = [*lines[: row - 1], lines[row - 1].rpartition(",")[0] + "," + cell, *lines[row:]]
        return "\n".join(changed) + "\n"

    place = ("train.data", "row 5")
    yield Mistake("text", (*place, "abc"), channels=train(with_cell(5, "abc")))
    if not case.missing_allowed:
        for cell in ("nan", "inf", ""):
            words = (*place, "missing or not a finite number")
            yield Mistake(f"cell-{cell or 'empty'}", words, channels=train(with_cell(5, cell)))
    yield Mistake("wrong-width", (*place, "columns"), channels=train(with_cell(5, "1,1")))
    yield Mistake("wrong-encoding", ("train.data",), channels=train("\n".join(lines).encode("utf-16")))
    yield Mistake("latin-1", place, channels=train(with_cell(5, "Zürich").encode("latin-1")))
    yield Mistake("gzip", ("train.data",), channels=train(b"\x1f\x8b\x08\x00" + b"\x00\xff" * 50))
    if case.recordio:
        records = recordio(
            [row[1:] if case.labelled else row for row in table], [row[0] for row in table] if case.labelled else None
        )
        for name, content in (("truncated-recordio", records[:-5]), ("csv-as-recordio", csv(table).encode())):
            yield Mistake(name, ("train.data",), channels={"train": Data(content, RECORDIO)})
    if case.hyperparameters.get("feature_dim", "auto") != "auto":
        more = str(int(case.hyperparameters["feature_dim"]) + 1)
        yield Mistake("other-feature-dim", ("feature_dim",), hyperparameters={"feature_dim": more})


def _entry(number: int, values: Sequence[float]) -> bytes:
    tensor = _field(1, struct.pack(f"<{len(values)}f", *values))
    return _field(number, _field(1, b"values") + _field(2, _field(2, tensor)))


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


__all__ = [
    "CSV", "JSON", "JSONLINES", "RECORDIO", "UNLABELLED_CSV",
    "Case", "Data", "Mistake", "Refusal",
    "bodies", "cases", "csv", "frames", "recordio", "sparse_recordio",
]  # fmt: skip
