"""Tables of numbers: read, checked, and split where there is no validation data.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-LightGBM.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.stream import rows
from clary_runtimes.algorithms.jumpstart.channels import (
    LARGEST_CATEGORY,
    Parts,
    TableChannel,
    check_categorical,
)
from clary_runtimes.algorithms.jumpstart.problem import Problem, encode, problem_of
from clary_runtimes.contract.errors import UserError

Array = Any

VALIDATION_SHARE = 0.2
"""The documented part of the training data that serves as validation data where there is none."""
SEED = 20221107


class Table(NamedTuple):
    """Features (rows, columns), float64 with NaN for what is missing, and labels (rows,), float64."""

    features: Array
    labels: Array


class Tables(NamedTuple):
    """What a job learns from; labels of classes are their numbers from 0 on.

    ``categorical`` are columns of the features, from 0.
    """

    problem: Problem
    train: Table
    validation: Table
    categorical: tuple[int, ...]


def read(parts: Parts, kind: str | None) -> Tables:
    """Read the tables of a job; ``kind`` is the kind of problem where the hyperparameters say it.

    Raises ``UserError`` naming channel, row and column of what cannot be used.
    """
    train = _read(parts.train, parts.categorical)
    problem = problem_of(train.labels, kind, parts.train.name)
    if parts.validation is None:
        labels = encode(train.labels, problem, parts.train.name)
        train, validation = split(Table(train.features, labels))
    else:
        validation = _read(parts.validation, parts.categorical)
        widths = train.features.shape[1], validation.features.shape[1]
        if widths[0] != widths[1]:
            raise UserError(
                f"The validation channel has {widths[1]} features where the {parts.train.name} channel has {widths[0]}"
            )
        train = train._replace(labels=encode(train.labels, problem, parts.train.name))
        validation = validation._replace(labels=encode(validation.labels, problem, parts.validation.name))
    return Tables(problem, train, validation, tuple(number - 1 for number in parts.categorical))


def split(table: Table) -> tuple[Table, Table]:
    """Training and validation data: a random fifth of the rows, at least one, is for validation.

    Raises ``UserError`` if there are fewer than two rows.
    """
    count = len(table.labels)
    if count < 2:
        raise UserError("Channel 'train' has one row, and a part of the rows is needed for validation; give more rows")
    order = np.random.default_rng(SEED).permutation(count)
    held = np.zeros(count, dtype=bool)
    held[order[: max(1, round(count * VALIDATION_SHARE))]] = True
    return Table(table.features[~held], table.labels[~held]), Table(table.features[held], table.labels[held])


def check_categories(features: Array, categorical: tuple[int, ...], where: str) -> None:
    """Raise ``UserError`` unless the columns hold whole numbers from 0 to 2147483646; NaN is a missing category."""
    for column in categorical:
        values = features[:, column]
        bad = ~np.isnan(values) & ((values < 0) | (values > LARGEST_CATEGORY) | (values != np.floor(values)))
        if bad.any():
            row = int(bad.argmax())
            raise UserError(
                f"{where}, row {row + 1}, column {column + 2}: {values[row]:.12g} is not a category; categories are "
                f"whole numbers from 0 to {LARGEST_CATEGORY}"
            )


def _read(channel: TableChannel, categorical: tuple[int, ...]) -> Table:
    batch = rows(channel, content_types.CSV, missing=True, dtype=np.float64).collect()
    assert batch.labels is not None
    check_categorical(categorical, batch.features.shape[1] + 1)
    check_categories(batch.features, tuple(number - 1 for number in categorical), f"Channel '{channel.name}'")
    return Table(batch.features, batch.labels)
