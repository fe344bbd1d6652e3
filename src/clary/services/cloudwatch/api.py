"""Metrics as other parts of the platform use them: what they measured is put here in batches."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from clary.core.errors import ValidationException
from clary.resources.context import Platform
from clary.state.database import Database
from clary.state.series_points import Metric, Point, Summary

__all__ = ["Batch", "Metric", "Point", "Summary", "forget_metrics", "keep", "keep_batch", "thin_out"]

THIN_OUT_SECONDS = 60.0
"""How often points that are old enough are put together."""


class Batch(msgspec.Struct, array_like=True):
    """What a process has measured, told once: with the number after that of its batch before, from 1 on."""

    sender: str
    number: int
    values: list[tuple[str, str, list[Point]]]
    """By account and region."""


_read = msgspec.msgpack.Decoder(Batch).decode


def keep(
    database: Database, now: float, values: Iterable[tuple[str, str, list[Point]]], batch: Batch | None = None
) -> None:
    """Keep values by account and region, all or none; those of a ``batch`` that has been kept already are left out."""
    with database.write() as transaction:
        store = transaction.series
        if batch is not None and not store.is_new(batch.sender, batch.number):
            return
        for account, region, points in values:
            store.add(account, region, points, now)


def keep_batch(platform: Platform, body: bytes) -> None:
    """Keep a ``Batch`` in MessagePack. Raises ``ValidationException`` if it is none."""
    try:
        batch = _read(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValidationException(f"This is no batch of metrics: {error}") from error
    keep(platform.database, platform.clock(), batch.values, batch)


def thin_out(platform: Platform) -> float:
    """Put points together that are old enough for it; gives the seconds until it is to be done again."""
    with platform.database.write() as transaction:
        transaction.series.thin_out(platform.clock())
    return THIN_OUT_SECONDS


def forget_metrics(platform: Platform) -> None:
    """Forget the metrics of which nothing is left."""
    with platform.database.write() as transaction:
        transaction.series.forget_old(platform.clock())
