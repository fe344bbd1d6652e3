"""Where the tables lie in the channels: two channels, or sub-folders of one, and the list of categorical columns.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-LightGBM.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

CATEGORICAL_FILE = "categorical_index.json"
CATEGORICAL_KEY = "cat_index_list"
LARGEST_CATEGORY = 2**31 - 2
"""Categories are less than ``Int32.MaxValue``."""
KNOWN = {"train", "training", "validation", "model", "code"}
"""``model`` is where JumpStart's estimators put a model to begin with, which these algorithms have no use for."""


@dataclass(frozen=True)
class TableChannel(Channel):
    """A channel without the list of categorical columns, which lies beside the tables."""

    def files(self) -> list[Path]:
        """The tables, sorted."""
        return [file for file in super().files() if file.name != CATEGORICAL_FILE]


class Parts(NamedTuple):
    """The tables of a job. ``categorical`` are column numbers of the file, in which the label is number 0."""

    train: TableChannel
    validation: TableChannel | None
    categorical: tuple[int, ...]


def parts(job: TrainingInput) -> Parts:
    """The tables of ``job``.

    Raises ``UserError`` if there is none to train with, or for a content type or list of columns that cannot be used.
    """
    extraneous = set(job.channels) - KNOWN
    if extraneous:
        raise UserError(f"Extraneous channel found: {', '.join(sorted(extraneous))}")
    if {"train", "training"} <= set(job.channels):
        raise UserError("There are the channels train and training, which mean the same; give one of them")
    channel = job.channel("training" if "training" in job.channels else "train")
    assert channel is not None
    validation = job.channel("validation", required=False)
    sub_folder, beside = channel.path / "train", channel.path / "validation"
    train = _table(channel, sub_folder if sub_folder.is_dir() else channel.path)
    found = None
    if validation is not None:
        found = _table(validation, validation.path)
    elif sub_folder.is_dir() and beside.is_dir():
        found = replace(_table(channel, beside), name="validation")
    return Parts(train, found, _categorical(channel.path))


def check_categorical(categorical: tuple[int, ...], columns: int) -> None:
    """Raise ``UserError`` for a categorical column that a table with ``columns`` columns does not have."""
    wrong = [number for number in categorical if not 0 < number < columns]
    if wrong:
        raise UserError(
            f"{CATEGORICAL_FILE}: column {wrong[0]} is not one of the features: the table has {columns} columns, of "
            f"which 0 is the label, so the numbers go from 1 to {columns - 1}"
        )


def _table(channel: Channel, folder: Path) -> TableChannel:
    media = content_types.media_type(channel.content_type or content_types.CSV)
    if media != content_types.CSV:
        raise UserError(
            f"Content type {channel.content_type} is not supported for channel '{channel.name}': "
            f"use {content_types.CSV}"
        )
    return TableChannel(
        channel.name, folder, content_types.CSV, channel.input_mode, channel.distribution, channel.record_wrapper
    )


def _categorical(folder: Path) -> tuple[int, ...]:
    files = sorted(folder.rglob(CATEGORICAL_FILE)) if folder.is_dir() else []
    if not files:
        return ()
    if len(files) > 1:
        raise UserError(f"There are {len(files)} files {CATEGORICAL_FILE}; give one, beside the training data")
    try:
        document = json.loads(files[0].read_bytes())
    except ValueError as error:
        raise UserError(f"{CATEGORICAL_FILE} is not JSON: {error}") from error
    numbers = document.get(CATEGORICAL_KEY) if isinstance(document, dict) else None
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        raise UserError(f'{CATEGORICAL_FILE} must be {{"{CATEGORICAL_KEY}": [...]}} with a list of column numbers')
    if len(set(numbers)) != len(numbers):
        raise UserError(f"{CATEGORICAL_FILE}: a column number is there twice")
    return tuple(sorted(numbers))
