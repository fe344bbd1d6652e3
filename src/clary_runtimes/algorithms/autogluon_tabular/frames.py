"""Tables of numbers and texts as data frames.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-AutoGluon-Tabular.html
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas

from clary_runtimes.algorithms.data.source import no_data, refuse_foreign
from clary_runtimes.algorithms.jumpstart.channels import TableChannel, check_categorical
from clary_runtimes.contract.errors import UserError

Frame = Any

LABEL = "target"


def read_frame(channel: TableChannel, categorical: tuple[int, ...]) -> Frame:
    """The rows of a channel: ``target``, then ``feature_0``, ``feature_1`` …; ``categorical`` are column numbers.

    Raises ``UserError`` naming file and row of what cannot be used.
    """
    frames: list[Frame] = []
    for path in channel.files():
        name = str(path.relative_to(channel.path)) if path != channel.path else path.name
        columns = _check_shape(path, name)
        if not columns:
            continue
        check_categorical(categorical, columns)
        names = [LABEL, *(f"feature_{number}" for number in range(columns - 1))]
        if frames and list(frames[0].columns) != names:
            raise UserError(f"{name}: it has {columns} columns where the files before have {frames[0].shape[1]}")
        texts = {f"feature_{number - 1}": str for number in categorical}
        frame = pandas.read_csv(path, header=None, names=names, dtype=texts, encoding="utf-8-sig")
        missing = frame[LABEL].isna()
        if missing.any():
            raise UserError(f"{name}, row {int(missing.to_numpy().argmax()) + 1}: the label is missing")
        frames.append(frame)
    if not frames:
        raise UserError(no_data(channel))
    joined = frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)
    for number in categorical:
        joined[f"feature_{number - 1}"] = joined[f"feature_{number - 1}"].astype("category")
    return joined


def _check_shape(path: Path, name: str) -> int:
    """The number of columns, the same in every row; 0 if there is no row. The parser would fill short rows."""
    with path.open("rb") as start:
        refuse_foreign(start.read(8), name)
    columns = number = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, cells in enumerate(csv.reader(file), start=1):
                columns = columns or len(cells)
                if cells and len(cells) != columns:
                    raise UserError(
                        f"{name}, row {number}: it has {len(cells)} columns where the rows before have {columns}; give "
                        "every row the same columns"
                    )
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{name}, row {number + 1} or after: it cannot be read as UTF-8 text: {error}") from error
    if columns == 1:
        raise UserError(f"{name}: it has 1 column; a label and at least one feature are needed")
    return columns
