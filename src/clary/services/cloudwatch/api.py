"""Metrics as other parts of the platform use them: what they measured is put here in batches."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

import msgspec

from clary.core.errors import ValidationException
from clary.resources.context import Platform
from clary.state.database import Database
from clary.state.series_points import Metric, Point, Summary

__all__ = ["Batch", "Metric", "Point", "Summary", "keep", "keep_batch"]

THIN_OUT_SECONDS = 60.0
_thinned: WeakKeyDictionary[Database, float] = WeakKeyDictionary()
_lock = threading.Lock()


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
    if _is_time(database, now):
        with database.write() as transaction:
            transaction.series.thin_out(now)


def keep_batch(platform: Platform, body: bytes) -> None:
    """Keep a ``Batch`` in MessagePack. Raises ``ValidationException`` if it is none."""
    try:
        batch = _read(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValidationException(f"This is no batch of metrics: {error}") from error
    keep(platform.database, platform.clock(), batch.values, batch)


def _is_time(database: Database, now: float) -> bool:
    """Whether points should be thinned out: the first time soon after the start, then every minute."""
    with _lock:
        if now - _thinned.get(database, 0.0) < THIN_OUT_SECONDS:
            return False
        _thinned[database] = now
        return True
