"""Pages of a listing: keys in order, and those behind a delimiter rolled up into common prefixes.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Generic, TypeVar

from . import index
from .model import Listing, Object, Upload, UploadListing

Item = TypeVar("Item", Object, Upload)
_BATCH = 1000
_ROLLED_BATCH = 100
"""Rows read at a time where a delimiter may make most of them one common prefix, which is then jumped over."""


class _Page(Generic[Item]):
    def __init__(self, prefix: str, delimiter: str, limit: int) -> None:
        self.prefix, self.delimiter, self.limit = prefix.encode(), delimiter.encode(), limit
        self.items: list[Item] = []
        self.prefixes: list[str] = []
        self.last = b""
        self.truncated = False

    def first(self, after: str) -> bytes | None:
        """Where to begin so that only entries above ``after`` come; ``None`` if there can be none."""
        if not after:
            return self.prefix
        marker = after.encode()
        rolled = self._rolled(marker) if marker.startswith(self.prefix) else None
        # A common prefix counts as an entry: if it is not above the marker, nothing behind it is listed either.
        position = marker + b"\0" if rolled is None else index.prefix_end(rolled)
        return None if position is None else max(self.prefix, position)

    def _rolled(self, key: bytes) -> bytes | None:
        if not self.delimiter:
            return None
        cut = key.find(self.delimiter, len(self.prefix))
        return None if cut < 0 else key[: cut + len(self.delimiter)]

    def fill(self, position: bytes, read: Callable[[bytes, int], list[Item]]) -> None:
        """Takes entries that ``read`` (from a position, so many) gives until the page is full or there are no more."""
        following: bytes | None = position
        while following is not None:
            wanted = min(
                self.limit - len(self.items) - len(self.prefixes) + 1, _ROLLED_BATCH if self.delimiter else _BATCH
            )
            batch = read(following, wanted)
            for item in batch:
                key = item.key.encode()
                if following is None or key < following:
                    continue
                if len(self.items) + len(self.prefixes) == self.limit:
                    self.truncated = True
                    return
                rolled = self._rolled(key)
                if rolled is None:
                    self.items.append(item)
                    self.last = key
                    # Several uploads may share one key; an object's key comes once.
                    following = key if isinstance(item, Upload) else key + b"\0"
                else:
                    self.prefixes.append(rolled.decode())
                    self.last = rolled
                    following = index.prefix_end(rolled)
            if len(batch) < wanted:
                return
            if batch and following is not None and isinstance(batch[-1], Upload):
                following = max(following, batch[-1].key.encode())


def objects(
    connection: sqlite3.Connection, bucket: int, prefix: str, delimiter: str, after: str, limit: int
) -> Listing:
    """Up to ``limit`` objects and common prefixes above ``after``."""
    page: _Page[Object] = _Page(prefix, delimiter, limit)
    start = page.first(after)
    if start is not None and limit > 0:
        end = index.prefix_end(page.prefix)
        page.fill(start, lambda position, count: index.scan(connection, bucket, position, end, count))
    return Listing(page.items, page.prefixes, page.last.decode(), page.truncated)


def uploads(
    connection: sqlite3.Connection, bucket: int, prefix: str, delimiter: str, after: tuple[str, str], limit: int
) -> UploadListing:
    """Up to ``limit`` uploads and common prefixes above ``after``, a key and (it may be empty) an upload id."""
    page: _Page[Upload] = _Page(prefix, delimiter, limit)
    key, upload_id = after
    start = key.encode() if upload_id else page.first(key)
    if start is not None and limit > 0:
        end = index.prefix_end(page.prefix)
        reached = (start, upload_id) if upload_id else (start, "")

        def read(position: bytes, count: int) -> list[Upload]:
            nonlocal reached
            reached = max(reached, (position, ""))
            batch = index.scan_uploads(connection, bucket, reached, end, count)
            if batch:
                reached = (batch[-1].key.encode(), batch[-1].id)
            return batch

        page.fill(start, read)
    last_id = page.items[-1].id if page.items and page.items[-1].key.encode() == page.last else ""
    return UploadListing(page.items, page.prefixes, page.truncated, page.last.decode(), last_id)
