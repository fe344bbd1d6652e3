"""The index of the object store in one SQLite file: its tables, and what is read from them.

Keys are stored as UTF-8 bytes, whose order is S3's. A key may have several rows, one a version, newest first; the
current version is the first row. Without versioning there is one, and its version is ``null``. Blobs are counted: a
copy is another reference.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from clary.core.settings import SettingsError

from .errors import IsDeleteMarker, NoSuchKey, NoSuchVersion
from .model import Attributes, Bucket, Object, Part, Segment, Upload
from .versions import sequence_of

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE buckets (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, account TEXT NOT NULL, region TEXT NOT NULL,
    created INTEGER NOT NULL, versioning TEXT NOT NULL DEFAULT '');
CREATE TABLE bucket_documents (
    bucket INTEGER NOT NULL, kind TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (bucket, kind)) WITHOUT ROWID;
CREATE TABLE blobs (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, refs INTEGER NOT NULL, data BLOB, digest TEXT NOT
    NULL DEFAULT '', envelope BLOB);
CREATE TABLE objects (
    bucket INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL, version TEXT NOT NULL, deleted INTEGER
    NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL, blob INTEGER, parts INTEGER NOT
    NULL, attributes BLOB NOT NULL, PRIMARY KEY (bucket, key, sequence DESC)) WITHOUT ROWID;
CREATE TABLE segments (
    sequence INTEGER NOT NULL, number INTEGER NOT NULL, blob INTEGER NOT NULL, size INTEGER NOT NULL, checksum TEXT
    NOT NULL, PRIMARY KEY (sequence, number)) WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT NOT NULL, bucket INTEGER NOT NULL, key BLOB NOT NULL, created INTEGER NOT NULL, attributes BLOB NOT NULL,
    PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;
CREATE TABLE parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, blob INTEGER, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified INTEGER NOT NULL, checksums BLOB NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
CREATE TABLE notices (id INTEGER PRIMARY KEY AUTOINCREMENT, notice BLOB NOT NULL);
"""
_MIGRATIONS = {
    1: """
ALTER TABLE blobs ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE blobs ADD COLUMN envelope BLOB;
UPDATE blobs SET digest = 'md5:' || o.etag FROM objects AS o WHERE o.blob = blobs.id AND o.parts = 0;
CREATE TABLE notices (id INTEGER PRIMARY KEY AUTOINCREMENT, notice BLOB NOT NULL);
"""
}
"""What makes the next layout of the one with that number. What a blob's digest is the digest of: its bytes as they
lie on the disk."""

_OBJECT = "key, sequence, version, size, etag, modified, blob, parts, attributes, deleted"
_attributes = msgspec.json.Decoder(Attributes)
_checksums = msgspec.json.Decoder(dict[str, str])


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection to the index; the writer's makes the tables.

    Raises ``sqlite3.Error``, and ``SettingsError`` for an index that a newer program has written.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA cache_size = -16384")
    if not write:
        connection.execute("PRAGMA query_only = 1")
        return connection
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")
        version = SCHEMA_VERSION
    while version in _MIGRATIONS:
        connection.executescript(f"BEGIN; {_MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT")
        version += 1
    if version != SCHEMA_VERSION:
        connection.close()
        raise SettingsError(
            f"the objects' index {path} is of a newer version of Clary (it has layout {version}, and this one knows"
            f" {SCHEMA_VERSION}); start that version, or restore a backup from before it"
        )
    return connection


def last_number(connection: sqlite3.Connection) -> int:
    """The highest number that was in use when the last transaction committed."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'last_number'").fetchone()
    return int(row[0]) if row else 0


def buckets(connection: sqlite3.Connection) -> dict[str, Bucket]:
    """All buckets by name, in the order of names."""
    found: dict[int, Bucket] = {}
    rows = connection.execute("SELECT id, name, account, region, created, versioning FROM buckets ORDER BY name")
    for bucket, *values in rows:
        found[bucket] = Bucket(bucket, *values)
    for bucket, kind, document in connection.execute("SELECT bucket, kind, document FROM bucket_documents"):
        found[bucket].documents[kind] = document
    return {bucket.name: bucket for bucket in found.values()}


def newest(connection: sqlite3.Connection, bucket: int, key: str) -> Object | None:
    """The newest version of ``key``, which may be a delete marker."""
    row = connection.execute(
        f"SELECT {_OBJECT} FROM objects WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1",
        (bucket, key.encode()),
    ).fetchone()
    return _object(row) if row else None


def find(connection: sqlite3.Connection, bucket: int, key: str) -> Object | None:
    """The current version of ``key``; ``None`` if there is none or it is a delete marker."""
    item = newest(connection, bucket, key)
    return None if item is None or item.deleted else item


def find_version(connection: sqlite3.Connection, bucket: int, key: str, version: str) -> Object | None:
    """The version of ``key`` with that id, which may be a delete marker."""
    sequence = sequence_of(version)
    where, value = ("sequence = ?", sequence) if sequence is not None else ("version = ?", version)
    row = connection.execute(
        f"SELECT {_OBJECT} FROM objects WHERE bucket = ? AND key = ? AND {where}", (bucket, key.encode(), value)
    ).fetchone()
    # Where the sequence leads to a row, its version must still be the one that was asked for.
    return _object(row) if row and row[2] == version else None


def look_up(connection: sqlite3.Connection, bucket: int, key: str, version: str | None) -> Object:
    """The current object under ``key``, or one version of it.

    Raises ``NoSuchKey``, and for a version ``NoSuchVersion`` or ``IsDeleteMarker``.
    """
    if version is None:
        item = newest(connection, bucket, key)
        if item is None or item.deleted:
            raise NoSuchKey(key, item)
        return item
    item = find_version(connection, bucket, key, version)
    if item is None:
        raise NoSuchVersion(key, version)
    if item.deleted:
        raise IsDeleteMarker(item)
    return item


def scan(connection: sqlite3.Connection, bucket: int, start: bytes, end: bytes | None, limit: int) -> list[Object]:
    """Up to ``limit`` current objects with ``start <= key < end``, in the order of keys."""
    # A row is the current version if it is the first of its key; others of the same key are skipped by the comparison.
    rows = connection.execute(
        f"SELECT {_OBJECT} FROM objects AS o WHERE bucket = ? AND key >= ? AND key < coalesce(?, x'ffff') "
        "AND deleted = 0 AND NOT EXISTS (SELECT 1 FROM objects AS n WHERE n.bucket = o.bucket AND n.key = o.key "
        "AND n.sequence > o.sequence) ORDER BY key LIMIT ?",
        (bucket, start, end, limit),
    )
    return [_object(row) for row in rows]


def scan_versions(
    connection: sqlite3.Connection, bucket: int, start: tuple[bytes, int | None], end: bytes | None, limit: int
) -> list[Object]:
    """Up to ``limit`` versions after ``start`` with a key below ``end``, in the order of keys, the newest first.

    ``start`` is a key and the sequence number of the version of it that was last; ``None`` for none of them.
    """
    key, last = start
    found: list[Object] = []
    if last is not None:
        rows = connection.execute(
            f"SELECT {_OBJECT} FROM objects WHERE bucket = ? AND key = ? AND sequence < ? "
            "ORDER BY sequence DESC LIMIT ?",
            (bucket, key, last, limit),
        )
        found += map(_object, rows)
        key += b"\0"
    if len(found) < limit:
        rows = connection.execute(
            f"SELECT {_OBJECT} FROM objects WHERE bucket = ? AND key >= ? AND key < coalesce(?, x'ffff') "
            "ORDER BY key, sequence DESC LIMIT ?",
            (bucket, key, end, limit - len(found)),
        )
        found += map(_object, rows)
    return found


def is_newest(connection: sqlite3.Connection, bucket: int, item: Object) -> bool:
    """Whether no version of the same key is newer."""
    return not connection.execute(
        "SELECT 1 FROM objects WHERE bucket = ? AND key = ? AND sequence > ? LIMIT 1",
        (bucket, item.key.encode(), item.sequence),
    ).fetchone()


def content(connection: sqlite3.Connection, item: Object) -> tuple[list[Segment], dict[int, bytes]]:
    """The blobs that make up ``item``, in order, and the bytes of those that are kept in the index; the others are
    files."""
    if item.parts:
        rows = connection.execute(
            "SELECT s.number, s.blob, s.size, s.checksum, b.envelope, b.data FROM segments AS s "
            "JOIN blobs AS b ON b.id = s.blob WHERE s.sequence = ? ORDER BY s.number",
            (item.sequence,),
        ).fetchall()
    elif item.blob is not None:
        rows = connection.execute(
            "SELECT 1, id, size, '', envelope, data FROM blobs WHERE id = ?", (item.blob,)
        ).fetchall()
    else:
        rows = []
    return [Segment(*row[:5]) for row in rows], {row[1]: row[5] for row in rows if row[5] is not None}


def totals(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many objects there are, each version one, and how many bytes they hold together; goes through all of them."""
    rows = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM objects WHERE NOT deleted")
    count, size = rows.fetchone()
    return int(count), int(size)


def notices(connection: sqlite3.Connection, limit: int) -> list[tuple[int, bytes]]:
    """The oldest notices that have not been delivered, and their ids."""
    return connection.execute("SELECT id, notice FROM notices ORDER BY id LIMIT ?", (limit,)).fetchall()


def known_blobs(connection: sqlite3.Connection, blobs: Sequence[int]) -> set[int]:
    """Those of ``blobs`` (at most 500) that the index has."""
    marks = ",".join("?" * len(blobs))
    return {row[0] for row in connection.execute(f"SELECT id FROM blobs WHERE id IN ({marks})", blobs)}


def upload(connection: sqlite3.Connection, bucket: int, key: str, upload_id: str) -> Upload | None:
    row = connection.execute(
        "SELECT id, key, created, attributes FROM uploads WHERE bucket = ? AND key = ? AND id = ?",
        (bucket, key.encode(), upload_id),
    ).fetchone()
    return _upload(row) if row else None


def scan_uploads(
    connection: sqlite3.Connection, bucket: int, start: tuple[bytes, str | None], end: bytes | None, limit: int
) -> list[Upload]:
    """Up to ``limit`` uploads after ``start`` (key and id) with a key below ``end``, in the order of keys and ids."""
    rows = connection.execute(
        "SELECT id, key, created, attributes FROM uploads WHERE bucket = ? AND (key, id) > (?, ?) "
        "AND key < coalesce(?, x'ffff') ORDER BY key, id LIMIT ?",
        (bucket, start[0], start[1] or "", end, limit),
    )
    return [_upload(row) for row in rows]


def parts(connection: sqlite3.Connection, upload_id: str, after: int = 0, limit: int = -1) -> list[Part]:
    """The parts of an upload with a number above ``after``, in order."""
    rows = connection.execute(
        "SELECT number, blob, size, etag, modified, checksums FROM parts WHERE upload = ? AND number > ? "
        "ORDER BY number LIMIT ?",
        (upload_id, after, limit),
    )
    return [
        Part(number, blob, size, etag, modified, _checksums.decode(checksums))
        for number, blob, size, etag, modified, checksums in rows
    ]


def _object(row: Sequence[Any]) -> Object:
    key, sequence, version, size, etag, modified, blob, count, attributes, deleted = row
    decoded = _attributes.decode(attributes)
    return Object(key.decode(), sequence, version, size, etag, modified, blob, count, decoded, bool(deleted))


def _upload(row: Sequence[Any]) -> Upload:
    upload_id, key, created, attributes = row
    return Upload(upload_id, key.decode(), created, _attributes.decode(attributes))


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Around reads that must see one state of the index."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def prefix_end(prefix: bytes) -> bytes | None:
    """The smallest key above all keys that begin with ``prefix``; ``None`` if there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
