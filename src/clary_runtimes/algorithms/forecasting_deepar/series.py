"""Time series as records of JSON Lines or Parquet.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html#deepar-inputoutput
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.source import no_data
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any

LINES, PACKED, PARQUET = "JSON Lines", "JSON Lines, gzip", "Parquet"
ENDINGS = {
    ".json": LINES, ".jsonl": LINES, ".json.gz": PACKED, ".jsonl.gz": PACKED, ".parquet": PARQUET,
}  # fmt: skip
TYPES = {
    content_types.JSON: LINES, content_types.JSONLINES: LINES, content_types.PARQUET: PARQUET, "json": LINES,
    "jsonl": LINES, "json.gz": PACKED, "auto": LINES,
}  # fmt: skip


class Series(NamedTuple):
    """One time series: ``target`` (points,) float64 with NaN where a value is missing, ``cat`` (groups,) int64,
    ``dynamic`` (features, points or more) float32."""

    start: datetime
    target: Array
    cat: Array
    dynamic: Array


def read_channel(channel: Channel, grouped: bool, featured: bool) -> list[Series]:
    """All series of ``channel``; ``cat`` is read if ``grouped``, ``dynamic_feat`` if ``featured``, and empty otherwise.

    Raises ``UserError``, with file and row, for what is not a time series, or unlike the ones before it.
    """
    if channel.input_mode == "Pipe":
        raise UserError(f"Channel '{channel.name}': DeepAR reads files; set its input mode to File")
    found: list[Series] = []
    for path in channel.files():
        for row, record in _records(channel, path):
            place = f"{path.name}: row {row}"
            try:
                series = parse(record, grouped, featured)
            except ValueError as error:
                raise UserError(f"{place}: {error}") from error
            if len(series.dynamic) and series.dynamic.shape[1] != len(series.target):
                raise UserError(
                    f"{place}: dynamic_feat has {series.dynamic.shape[1]} values where target has {len(series.target)}"
                )
            for name, mine, first in (
                ("cat", len(series.cat), len(found[0].cat if found else series.cat)),
                ("dynamic_feat", len(series.dynamic), len(found[0].dynamic if found else series.dynamic)),
            ):
                if mine != first:
                    raise UserError(f"{place}: {name} has {mine} entries where the series before have {first}")
            found.append(series)
    if not found:
        raise UserError(no_data(channel))
    return found


def parse(record: Any, grouped: bool = True, featured: bool = True) -> Series:
    """The series that a record means. Raises ``ValueError`` that says what is wrong with it."""
    if not isinstance(record, Mapping):
        raise ValueError('it is not an object such as {"start": "2009-11-01 00:00:00", "target": [4.0, "NaN", 5.1]}')
    for name in ("start", "target"):
        if record.get(name) is None:
            raise ValueError(f"it has no {name}")
    target = _numbers("target", record["target"], missing=True)
    cat = _groups(record.get("cat")) if grouped else []
    given = record.get("dynamic_feat") if featured else None
    if given is not None and not _is_list(given):
        raise ValueError("dynamic_feat is not a list of lists of numbers")
    dynamic = [_numbers("dynamic_feat", each, missing=False) for each in (given if given is not None else [])]
    lengths = {len(each) for each in dynamic}
    if len(lengths) > 1:
        raise ValueError(f"the lists of dynamic_feat have different lengths: {sorted(lengths)}")
    features = np.array(dynamic, np.float32).reshape(len(dynamic), *lengths or (0,))
    return Series(_start(record["start"]), target, np.array(cat, np.int64), features)


def _start(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise ValueError(f"start is {value!r}; it must be like 2009-11-01 00:00:00") from error
    if not isinstance(value, datetime):
        raise ValueError(f"start is {value!r}; it must be a text such as 2009-11-01 00:00:00")
    if value.tzinfo is not None:
        raise ValueError(f"start is {value}; it must not have a time zone")
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _numbers(name: str, values: Any, missing: bool) -> Array:
    if not _is_list(values):
        raise ValueError(f"{name} is not a list of numbers")
    gap = {None, "NaN"} if missing else set()
    found = np.empty(len(values))
    for place, value in enumerate(values):
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[place] = value
        elif isinstance(value, str | None) and value in gap:
            found[place] = math.nan
        else:
            raise ValueError(f"{name} has {value!r} as value {place + 1}; it must be a number" + _or_missing(missing))
        if math.isinf(found[place]) or abs(found[place]) > 1e30 or (math.isnan(found[place]) and not missing):
            raise ValueError(
                f"{name} has {value!r} as value {place + 1}, which is missing or too large" + _or_missing(missing)
            )
    return found


def _or_missing(missing: bool) -> str:
    return ', or null or "NaN" where it is missing' if missing else "; missing values are not supported in it"


def _groups(values: Any) -> list[int]:
    if values is None:
        return []
    if isinstance(values, int) and not isinstance(values, bool):
        values = [values]
    if not _is_list(values) or not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values):
        raise ValueError(f"cat is {values!r}; it must be a list of whole numbers of 0 or more")
    return list(values)


def _records(channel: Channel, path: Path) -> Iterator[tuple[int, Any]]:
    name = path.name.lower()
    form = next((form for ending, form in ENDINGS.items() if name.endswith(ending)), None)
    media = content_types.media_type(channel.content_type or "")
    form = form or TYPES.get(media)
    if form is None:
        said = f"its content type is {channel.content_type}" if channel.content_type else "no content type is given"
        raise UserError(
            f"{path.name}: the format is not known: the name ends with none of {', '.join(ENDINGS)}, and {said}; rename"
            " the file, or set the channel's content type to json, json.gz or parquet"
        )
    if form == PARQUET:
        yield from _of_parquet(path)
        return
    with path.open("rb") as raw:
        if form == LINES and raw.peek(2)[:2] == b"\x1f\x8b":
            form = PACKED
        file: Any = gzip.GzipFile(fileobj=raw) if form == PACKED else raw
        row = 0
        try:
            for row, line in enumerate(file, start=1):
                if line.strip():
                    yield row, json.loads(line.decode("utf-8-sig" if row == 1 else "utf-8"))
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path.name}: it is not gzip data, or cut short: {error}") from error
        except ValueError as error:
            raise UserError(f"{path.name}: row {row} is not JSON in UTF-8: {error}; each line is one object") from error


def _of_parquet(path: Path) -> Iterator[tuple[int, Any]]:
    from pyarrow import ArrowException, parquet  # type: ignore[import-not-found]

    row = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=64):
                for record in batch.to_pylist():
                    row += 1
                    yield row, record
    except (ArrowException, OSError) as error:
        raise UserError(f"{path.name}: it is not a Parquet file that can be read: {error}") from error
