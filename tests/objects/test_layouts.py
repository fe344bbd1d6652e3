"""A store that an older program has written is opened as it is, and made into the layout of today."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clary.core.settings import SettingsError
from clary.objects import index
from clary.objects.check import check
from clary.objects.model import Attributes
from clary.objects.multipart import MINIMUM_PART
from clary.objects.store import ObjectStore

DATA = os.urandom(100_000)
PART = os.urandom(MINIMUM_PART)


def make_first_layout(path: Path) -> None:
    """The layout 1 had neither digests nor envelopes of blobs, and no notices."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "ALTER TABLE blobs DROP COLUMN digest; ALTER TABLE blobs DROP COLUMN envelope; DROP TABLE notices; "
            "PRAGMA user_version = 1"
        )


def test_layout_1_becomes_the_one_of_today(run: Any, stream: Any, tmp_path: Path) -> None:
    root = tmp_path / "store"

    async def write(store: ObjectStore) -> None:
        await store.put("bucket", "small", stream(b"small"), Attributes())
        await store.put("bucket", "file", stream(DATA), Attributes())
        upload = await store.multipart.create("bucket", "parts", Attributes())
        part = await store.multipart.put_part("bucket", upload, 1, stream(PART))
        await store.multipart.complete("bucket", "parts", upload.id, [(1, part.etag)])

    async def read(store: ObjectStore) -> None:
        for key, data in (("small", b"small"), ("file", DATA), ("parts", PART)):
            reader = await store.get("bucket", key)
            assert b"".join([chunk async for chunk in reader.stream()]) == data
        await store.put("bucket", "new", stream(DATA), Attributes())

    run(write)
    make_first_layout(root / "index.db")
    run(read)
    with closing(sqlite3.connect(root / "index.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (index.SCHEMA_VERSION,)
        digests = {row[0] for row in connection.execute("SELECT digest FROM blobs")}
    # What a part's digest was is not known any more; its size still is.
    assert digests == {"", f"md5:{hashlib.md5(b'small').hexdigest()}", f"md5:{hashlib.md5(DATA).hexdigest()}"}
    (*_, sums) = check(root)
    assert (sums["blobs"], sums["damaged"], sums["unknown"]) == (4, 0, 1)


def test_a_layout_of_tomorrow_is_left_alone(run: Any, stream: Any, tmp_path: Path) -> None:
    async def write(store: ObjectStore) -> None:
        await store.put("bucket", "key", stream(DATA), Attributes())

    run(write)
    path = tmp_path / "store" / "index.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {index.SCHEMA_VERSION + 1}")
    with pytest.raises(SettingsError, match="is of a newer version of Clary"):
        run(write)
