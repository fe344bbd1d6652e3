"""What keeps the store from removing files while somebody copies them: a lock, which its holder's death gives back."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .errors import StoreInUse
from .index import connect

NAME = "hold"
"""The file below the store's folder whose lock it is."""
_PATIENCE = 2.0


@contextmanager
def hold(root: Path) -> Iterator[None]:
    """Around copying blobs: those that the index lets go meanwhile stay on the disk until a later removal.

    One at a time may do so. Raises ``StoreInUse`` if somebody else does.
    """
    file = os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # The store itself, which looks whether it is held, has it for a moment too.
                if time.monotonic() > deadline:
                    raise StoreInUse(f"another backup of {root} is being made") from None
                time.sleep(0.001)
        yield
    finally:
        os.close(file)


@contextmanager
def unchanging(index: Path) -> Iterator[None]:
    """Nobody commits a change to the index for the body of the block, which must be short: writers wait.

    Raises ``sqlite3.Error``.
    """
    with closing(sqlite3.connect(index, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def files(connection: sqlite3.Connection) -> list[int]:
    """The numbers of all blobs that are files, in their order, as ``connection`` sees the index."""
    return [row[0] for row in connection.execute("SELECT id FROM blobs WHERE data IS NULL ORDER BY id")]


def layout_of(connection: sqlite3.Connection) -> int:
    """The layout of the index."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def bring_up_to_date(index: Path) -> None:
    """Make the index's layout the one of today. Raises ``SettingsError`` if it is one of tomorrow."""
    connect(index, write=True).close()
