"""The index of the object store in one SQLite file: its tables and every statement on them.

Keys are stored as UTF-8 bytes, whose order is S3's. A key may have several rows, one a version, newest first; the
current version is the first row. Without versioning there is one, and its version is ``null``. Blobs are counted: a
copy is another reference.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .model import Attributes, Bucket, Object, Part, Segment, Upload

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE buckets (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, account TEXT NOT NULL, region TEXT NOT NULL,
    created INTEGER NOT NULL, versioning TEXT NOT NULL DEFAULT '');
CREATE TABLE bucket_documents (
    bucket INTEGER NOT NULL, kind TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (bucket, kind)) WITHOUT ROWID;
CREATE TABLE blobs (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, refs INTEGER NOT NULL, data BLOB);
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
"""

_OBJECT = "key, sequence, version, size, etag, modified, blob, parts, attributes"
_attributes = msgspec.json.Decoder(Attributes)
_checksums = msgspec.json.Decoder(dict[str, str])
_encode = msgspec.json.Encoder().encode


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection to the index; the writer's makes the tables. Raises ``sqlite3.Error``."""
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
    elif version != SCHEMA_VERSION:
        connection.close()
        raise RuntimeError(f"{path} has layout {version}; this program knows {SCHEMA_VERSION}")
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


def find(connection: sqlite3.Connection, bucket: int, key: str) -> Object | None:
    """The current version of ``key``; ``None`` if there is none or it is a delete marker."""
    row = connection.execute(
        f"SELECT {_OBJECT}, deleted FROM objects WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1",
        (bucket, key.encode()),
    ).fetchone()
    return None if row is None or row[-1] else _object(row)


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


def segments(connection: sqlite3.Connection, item: Object) -> list[Segment]:
    """The blobs that make up ``item``, in order."""
    if item.parts:
        rows = connection.execute(
            "SELECT number, blob, size, checksum FROM segments WHERE sequence = ? ORDER BY number", (item.sequence,)
        )
        return [Segment(*row) for row in rows]
    return [] if item.blob is None else [Segment(1, item.blob, item.size)]


def inline_data(connection: sqlite3.Connection, item: Object) -> dict[int, bytes]:
    """The bytes of those blobs of ``item`` that are kept in the index, by blob; the others are files."""
    which = "IN (SELECT blob FROM segments WHERE sequence = ?)" if item.parts else "= ?"
    number = item.sequence if item.parts else item.blob
    # All parts but the last have megabytes, so that this is one blob at most.
    rows = connection.execute(f"SELECT id, data FROM blobs WHERE data IS NOT NULL AND id {which}", (number,))
    return dict(rows.fetchall())


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
    connection: sqlite3.Connection, bucket: int, start: tuple[bytes, str], end: bytes | None, limit: int
) -> list[Upload]:
    """Up to ``limit`` uploads after ``start`` (key and id) with a key below ``end``, in the order of keys and ids."""
    rows = connection.execute(
        "SELECT id, key, created, attributes FROM uploads WHERE bucket = ? AND (key, id) > (?, ?) "
        "AND key < coalesce(?, x'ffff') ORDER BY key, id LIMIT ?",
        (bucket, *start, end, limit),
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
    key, sequence, version, size, etag, modified, blob, count, attributes = row[:9]
    return Object(key.decode(), sequence, version, size, etag, modified, blob, count, _attributes.decode(attributes))


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


class Transaction:
    """Changes to the index that are committed together; only the writer thread makes one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.freed: list[int] = []
        """Blob files that nothing refers to once this is committed."""
        self.buckets_changed = False

    # -- the transaction itself, as the writer thread drives it

    @staticmethod
    def begin(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")

    @staticmethod
    def commit(connection: sqlite3.Connection, last: int) -> None:
        connection.execute(
            "INSERT INTO meta VALUES ('last_number', ?) ON CONFLICT DO UPDATE SET value = excluded.value", (last,)
        )
        connection.execute("COMMIT")

    @staticmethod
    def rollback(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def __enter__(self) -> Transaction:
        self.connection.execute("SAVEPOINT job")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # A full disk may have rolled back everything already.
        if self.connection.in_transaction:
            if kind is not None:
                self.connection.execute("ROLLBACK TO job")
            self.connection.execute("RELEASE job")

    # -- buckets

    def bucket(self, name: str) -> int | None:
        """The id of a bucket."""
        row = self.connection.execute("SELECT id FROM buckets WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def bucket_owner(self, name: str) -> str | None:
        """The account that has a bucket."""
        row = self.connection.execute("SELECT account FROM buckets WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def add_bucket(self, name: str, account: str, region: str, created: int) -> None:
        self.buckets_changed = True
        self.connection.execute(
            "INSERT INTO buckets (name, account, region, created) VALUES (?, ?, ?, ?)", (name, account, region, created)
        )

    def remove_bucket(self, bucket: int) -> bool:
        """Removes a bucket and the uploads in it; ``False`` if it has objects."""
        if self.connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone():
            return False
        self.buckets_changed = True
        rows = self.connection.execute("SELECT key, id FROM uploads WHERE bucket = ?", (bucket,)).fetchall()
        for key, upload_id in rows:
            self.remove_upload(bucket, key.decode(), upload_id)
        self.connection.execute("DELETE FROM bucket_documents WHERE bucket = ?", (bucket,))
        self.connection.execute("DELETE FROM buckets WHERE id = ?", (bucket,))
        return True

    def set_document(self, bucket: int, kind: str, document: bytes | None) -> None:
        """Puts a configuration on a bucket, or takes it off."""
        self.buckets_changed = True
        self.connection.execute("DELETE FROM bucket_documents WHERE bucket = ? AND kind = ?", (bucket, kind))
        if document is not None:
            self.connection.execute("INSERT INTO bucket_documents VALUES (?, ?, ?)", (bucket, kind, document))

    # -- blobs

    def add_blob(self, blob: int, size: int, data: bytes | None) -> None:
        """A blob with one reference; ``data`` if it is kept in the index."""
        self.connection.execute("INSERT INTO blobs VALUES (?, ?, 1, ?)", (blob, size, data))

    def share(self, blobs: Iterable[int]) -> None:
        """One more reference to each."""
        self.connection.executemany("UPDATE blobs SET refs = refs + 1 WHERE id = ?", [(blob,) for blob in blobs])

    def release(self, blob: int) -> None:
        """One reference less; with the last one the blob goes."""
        (refs, is_file) = self.connection.execute(
            "SELECT refs, data IS NULL FROM blobs WHERE id = ?", (blob,)
        ).fetchone()
        if refs > 1:
            self.connection.execute("UPDATE blobs SET refs = refs - 1 WHERE id = ?", (blob,))
            return
        self.connection.execute("DELETE FROM blobs WHERE id = ?", (blob,))
        if is_file:
            self.freed.append(blob)

    # -- objects

    def put(self, bucket: int, item: Object, pieces: Iterable[Segment] = ()) -> None:
        """Makes ``item`` the only version of its key; the blobs' references are the caller's to have taken."""
        self.delete(bucket, item.key)
        self.connection.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)",
            (
                bucket, item.key.encode(), item.sequence, item.version, item.size, item.etag, item.modified, item.blob,
                item.parts, _encode(item.attributes),
            ),
        )  # fmt: skip
        self.connection.executemany(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?)",
            [(item.sequence, piece.number, piece.blob, piece.size, piece.checksum) for piece in pieces],
        )

    def delete(self, bucket: int, key: str) -> bool:
        """Removes the object and lets its blobs go; ``False`` if there was none."""
        rows = self.connection.execute(
            "DELETE FROM objects WHERE bucket = ? AND key = ? RETURNING sequence, blob, parts", (bucket, key.encode())
        ).fetchall()
        for sequence, blob, count in rows:
            if blob is not None:
                self.release(blob)
            if count:
                for (piece,) in self.connection.execute(
                    "DELETE FROM segments WHERE sequence = ? RETURNING blob", (sequence,)
                ).fetchall():
                    self.release(piece)
        return bool(rows)

    def set_attributes(self, bucket: int, item: Object, attributes: Attributes) -> None:
        self.connection.execute(
            "UPDATE objects SET attributes = ? WHERE bucket = ? AND key = ? AND sequence = ?",
            (_encode(attributes), bucket, item.key.encode(), item.sequence),
        )

    # -- uploads

    def add_upload(self, bucket: int, item: Upload) -> None:
        self.connection.execute(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)",
            (item.id, bucket, item.key.encode(), item.created, _encode(item.attributes)),
        )

    def remove_upload(self, bucket: int, key: str, upload_id: str, *, keep: Sequence[int] = ()) -> None:
        """Removes an upload and lets go the blobs of its parts, except those of the part numbers to ``keep``."""
        self.connection.execute(
            "DELETE FROM uploads WHERE bucket = ? AND key = ? AND id = ?", (bucket, key.encode(), upload_id)
        )
        kept = set(keep)
        rows = self.connection.execute(
            "DELETE FROM parts WHERE upload = ? RETURNING number, blob", (upload_id,)
        ).fetchall()
        for number, blob in rows:
            if blob is not None and number not in kept:
                self.release(blob)

    def put_part(self, upload_id: str, part: Part) -> None:
        """Adds a part, or replaces the one of its number."""
        for (blob,) in self.connection.execute(
            "DELETE FROM parts WHERE upload = ? AND number = ? RETURNING blob", (upload_id, part.number)
        ).fetchall():
            if blob is not None:
                self.release(blob)
        self.connection.execute(
            "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
            (upload_id, part.number, part.blob, part.size, part.etag, part.modified, _encode(part.checksums)),
        )


def prefix_end(prefix: bytes) -> bytes | None:
    """The smallest key above all keys that begin with ``prefix``; ``None`` if there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
