"""Changes to the index: every statement that writes to it.

References: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from .index import content, find_version
from .model import Attributes, Deletion, Object, Part, Segment, Upload, now
from .versions import ENABLED, NULL, SUSPENDED, new_version

_encode = msgspec.json.Encoder().encode


class Place(NamedTuple):
    """A bucket as a transaction sees it."""

    id: int
    versioning: str

    def version(self, sequence: int) -> str:
        """The version of what is written to the bucket with that sequence number."""
        return new_version(sequence) if self.versioning == ENABLED else NULL


class Transaction:
    """Changes to the index that are committed together; only the writer thread makes one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.freed: list[int] = []
        """Blob files that nothing refers to once this is committed."""
        self.buckets_changed = False
        self.has_notices = False

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

    def bucket(self, name: str) -> Place | None:
        """A bucket by its name."""
        row = self.connection.execute("SELECT id, versioning FROM buckets WHERE name = ?", (name,)).fetchone()
        return Place(*row) if row else None

    def bucket_owner(self, name: str) -> str | None:
        """The account that has a bucket."""
        row = self.connection.execute("SELECT account FROM buckets WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def add_bucket(self, name: str, account: str, region: str, created: int, versioning: str) -> None:
        self.buckets_changed = True
        self.connection.execute(
            "INSERT INTO buckets (name, account, region, created, versioning) VALUES (?, ?, ?, ?, ?)",
            (name, account, region, created, versioning),
        )

    def remove_bucket(self, bucket: int) -> bool:
        """Removes a bucket and the uploads in it; ``False`` if it has objects, or versions of some."""
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

    def set_versioning(self, bucket: int, status: str) -> None:
        """Switches versioning on (``Enabled``) or off again (``Suspended``)."""
        self.buckets_changed = True
        self.connection.execute("UPDATE buckets SET versioning = ? WHERE id = ?", (status, bucket))

    # -- blobs

    def add_blob(self, blob: int, size: int, data: bytes | None, digest: str, envelope: bytes | None) -> None:
        """A blob with one reference; ``data`` if it is kept in the index."""
        self.connection.execute("INSERT INTO blobs VALUES (?, ?, 1, ?, ?, ?)", (blob, size, data, digest, envelope))

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

    def put(self, place: Place, item: Object, pieces: Iterable[Segment] = ()) -> None:
        """Makes ``item`` the current version of its key; the blobs' references are the caller's to have taken.

        It takes the place of the version of the same id, which without versioning is the one there is.
        """
        if item.version == NULL:
            self._remove(place, item.key, "version = ?", NULL)
        self._insert(place, item)
        self.connection.executemany(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?)",
            [(item.sequence, piece.number, piece.blob, piece.size, piece.checksum) for piece in pieces],
        )

    def _insert(self, place: Place, item: Object) -> None:
        self.connection.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                place.id, item.key.encode(), item.sequence, item.version, item.deleted, item.size, item.etag,
                item.modified, item.blob, item.parts, _encode(item.attributes),
            ),
        )  # fmt: skip

    def delete(self, place: Place, key: str, sequence: Callable[[], int], owner: str = "") -> Deletion:
        """Removes the object, or hides it behind a delete marker where the bucket has, or had, versioning."""
        if not place.versioning:
            return Deletion(self._remove(place, key, "version = ?", NULL))
        if place.versioning == SUSPENDED:
            self._remove(place, key, "version = ?", NULL)
        number = sequence()
        version = place.version(number)
        attributes = Attributes(owner=owner)
        self._insert(place, Object(key, number, version, 0, "", now(), None, 0, attributes, deleted=True))
        return Deletion(existed=True, version=version, marker=True)

    def delete_version(
        self, place: Place, key: str, version: str, allowed: Callable[[Object], None] | None = None
    ) -> Deletion:
        """Removes one version for good; ``allowed`` sees it before and raises to keep it."""
        item = find_version(self.connection, place.id, key, version)
        if item is None:
            return Deletion(existed=False, version=version)
        if allowed is not None:
            allowed(item)
        self._remove(place, key, "sequence = ?", item.sequence)
        return Deletion(existed=True, version=version, marker=item.deleted)

    def _remove(self, place: Place, key: str, where: str, value: str | int) -> bool:
        """Removes the rows of ``key`` that ``where`` says, and lets their blobs go; ``False`` if there was none."""
        rows = self.connection.execute(
            f"DELETE FROM objects WHERE bucket = ? AND key = ? AND {where} RETURNING sequence, blob, parts",
            (place.id, key.encode(), value),
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

    def share_blobs(self, item: Object) -> list[Segment]:
        """Takes a further reference to the blobs of ``item``; the pieces of an object of several parts."""
        pieces, _ = content(self.connection, item)
        self.share(piece.blob for piece in pieces)
        return pieces if item.parts else []

    def set_attributes(self, place: Place, item: Object, attributes: Attributes) -> None:
        self.connection.execute(
            "UPDATE objects SET attributes = ? WHERE bucket = ? AND key = ? AND sequence = ?",
            (_encode(attributes), place.id, item.key.encode(), item.sequence),
        )

    # -- notices

    def notify(self, notice: bytes) -> None:
        """Keeps a notice until it has been delivered."""
        self.has_notices = True
        self.connection.execute("INSERT INTO notices (notice) VALUES (?)", (notice,))

    def delivered(self, ids: Iterable[int]) -> None:
        self.connection.executemany("DELETE FROM notices WHERE id = ?", [(each,) for each in ids])

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
