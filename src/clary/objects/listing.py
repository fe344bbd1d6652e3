"""Pages of a listing: keys in order, and those behind a delimiter rolled up into common prefixes.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Generic, TypeVar

from . import index
from .model import Listing, Object, Upload, UploadListing, VersionListing
from .versions import sequence_of

Item = TypeVar("Item", Object, Upload)
Tie = TypeVar("Tie", int, str)
"""What tells entries of one key apart: the sequence number of a version, the id of an upload."""
_BATCH = 1000
_ROLLED_BATCH = 100
"""Rows read at a time where a delimiter may make most of them one common prefix, which is then jumped over."""


class _Page(Generic[Item, Tie]):
    """A page that is being filled. A position is a key and the last entry of it that was seen, ``None`` for none."""

    def __init__(
        self, prefix: str, delimiter: str, limit: int, past: Callable[[Item], tuple[bytes, Tie | None]]
    ) -> None:
        """``past`` gives the position just after an entry."""
        self.prefix, self.delimiter, self.limit = prefix.encode(), delimiter.encode(), limit
        self.items: list[Item] = []
        self.prefixes: list[str] = []
        self.last = b""
        self.truncated = False
        self._past: Callable[[Item], tuple[bytes, Tie | None]] = past

    def first(self, after: str, tie: Tie | None = None) -> tuple[bytes, Tie | None] | None:
        """Where to begin so that only entries above the key ``after`` come, or of that key those past ``tie``; ``None``
        if there can be none."""
        if not after:
            return self.prefix, None
        marker = after.encode()
        within = marker.startswith(self.prefix)
        rolled = self._rolled(marker) if within else None
        if within and rolled is None and tie is not None:
            return marker, tie
        # A common prefix counts as an entry: if it is not above the marker, nothing behind it is listed either.
        position = marker + b"\0" if rolled is None else index.prefix_end(rolled)
        return None if position is None else (max(self.prefix, position), None)

    def _rolled(self, key: bytes) -> bytes | None:
        if not self.delimiter:
            return None
        cut = key.find(self.delimiter, len(self.prefix))
        return None if cut < 0 else key[: cut + len(self.delimiter)]

    def fill(
        self, position: tuple[bytes, Tie | None], read: Callable[[tuple[bytes, Tie | None], int], list[Item]]
    ) -> None:
        """Takes entries that ``read`` (from a position, so many) gives until the page is full or there are no more."""
        while True:
            wanted = min(
                self.limit - len(self.items) - len(self.prefixes) + 1, _ROLLED_BATCH if self.delimiter else _BATCH
            )
            batch = read(position, wanted)
            for item in batch:
                key = item.key.encode()
                if key < position[0]:
                    continue  # rolled up with one before it
                if len(self.items) + len(self.prefixes) == self.limit:
                    self.truncated = True
                    return
                rolled = self._rolled(key)
                if rolled is None:
                    self.items.append(item)
                    self.last = key
                    position = self._past(item)
                    continue
                self.prefixes.append(rolled.decode())
                self.last = rolled
                following = index.prefix_end(rolled)
                if following is None:
                    return
                position = (following, None)
            if len(batch) < wanted:
                return


def objects(
    connection: sqlite3.Connection, bucket: int, prefix: str, delimiter: str, after: str, limit: int
) -> Listing:
    """Up to ``limit`` objects and common prefixes above ``after``."""
    page: _Page[Object, int] = _Page(prefix, delimiter, limit, lambda item: (item.key.encode() + b"\0", None))
    start = page.first(after)
    if start is not None and limit > 0:
        end = index.prefix_end(page.prefix)
        page.fill(start, lambda position, count: index.scan(connection, bucket, position[0], end, count))
    return Listing(page.items, page.prefixes, page.last.decode(), page.truncated)


def versions(
    connection: sqlite3.Connection, bucket: int, prefix: str, delimiter: str, after: tuple[str, str], limit: int
) -> VersionListing:
    """Up to ``limit`` versions and common prefixes above ``after``, a key and (it may be empty) a version of it."""
    page: _Page[Object, int] = _Page(prefix, delimiter, limit, lambda item: (item.key.encode(), item.sequence))
    key, version = after
    marker = index.find_version(connection, bucket, key, version) if version else None
    # The version may have been removed since the page before; its number still says what of its key was to come.
    start = page.first(key, marker.sequence if marker is not None else sequence_of(version))
    if start is not None and limit > 0:
        end = index.prefix_end(page.prefix)
        page.fill(start, lambda position, count: index.scan_versions(connection, bucket, position, end, count))
    latest: set[int] = set()
    before = ""
    for item in page.items:
        if item.key != before and (before or index.is_newest(connection, bucket, item)):
            latest.add(item.sequence)
        before = item.key
    last_version = page.items[-1].version if page.items and page.items[-1].key.encode() == page.last else ""
    return VersionListing(page.items, latest, page.prefixes, page.truncated, page.last.decode(), last_version)


def uploads(
    connection: sqlite3.Connection, bucket: int, prefix: str, delimiter: str, after: tuple[str, str], limit: int
) -> UploadListing:
    """Up to ``limit`` uploads and common prefixes above ``after``, a key and (it may be empty) an upload id."""
    page: _Page[Upload, str] = _Page(prefix, delimiter, limit, lambda item: (item.key.encode(), item.id))
    key, upload_id = after
    start = page.first(key, upload_id or None)
    if start is not None and limit > 0:
        end = index.prefix_end(page.prefix)
        page.fill(start, lambda position, count: index.scan_uploads(connection, bucket, position, end, count))
    last_id = page.items[-1].id if page.items and page.items[-1].key.encode() == page.last else ""
    return UploadListing(page.items, page.prefixes, page.truncated, page.last.decode(), last_id)
