"""The object store: buckets and objects on this machine's disk.

What a call has answered is durable: the bytes are synced before the index row that publishes them, and the row
before the answer. All methods are for one event loop; disk work happens in small thread pools and in the index's
writer thread.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from clary.core.errors import ServiceError

from . import index, listing
from .blobs import BlobFiles, Numbers
from .errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    NoSuchBucket,
    SourceReplaced,
    StoreInUse,
)
from .intake import Received, receive
from .model import Attributes, Bucket, Deletion, Listing, Object, Segment, VersionListing, now
from .multipart import Multipart
from .reader import ObjectReader
from .removal import Precondition, Removal
from .sealing import Seal
from .transaction import Place, Transaction
from .writer import Writer

T = TypeVar("T")
Notices = Callable[[Object], Iterable[bytes]]
"""What is to be told of an object that was made; kept in the same transaction until it has been delivered."""
DeletionNotices = Callable[[str, Deletion], Iterable[bytes]]
"""The same of a key and what its delete did."""

_LOCK_PATIENCE = 5.0
"""Seconds to wait for a process that is just ending to let the store go."""


class ObjectStore:
    """The store in the folder ``root``; one process at a time may have it open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stop = threading.Event()
        self.multipart = Multipart(self)

    # -- life

    async def open(self) -> None:
        """Opens the store, making it if need be, and sweeps away what a crash left.

        Raises ``StoreInUse`` if another process has it open, ``OSError`` and ``sqlite3.Error`` if the disk fails.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        await asyncio.get_running_loop().run_in_executor(None, self._open)

    def _open(self) -> None:
        self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self._lock)
                    raise StoreInUse(f"another process has {self.root} open") from None
                time.sleep(0.02)
        blobs = self.root / "blobs"
        blobs.mkdir(mode=0o700, exist_ok=True)
        self._index = self.root / "index.db"
        # The files that SQLite makes beside it can be read by whoever can read this one when it makes them.
        self._index.touch(mode=0o600)
        self._index.chmod(0o600)
        connection = index.connect(self._index, write=True)
        self.numbers = Numbers(index.last_number(connection))
        self.files = BlobFiles(blobs, self.numbers)
        self._connections: list[sqlite3.Connection] = []
        self._local = threading.local()
        self.read_pool = ThreadPoolExecutor(4, "objects-read")
        self.write_pool = ThreadPoolExecutor(8, "objects-write")
        self._opened_at = self.numbers()
        self.writer = Writer(connection, self.files, self.numbers)
        self._sweeper = threading.Thread(target=self._sweep, name="objects-sweep", daemon=True)
        self._sweeper.start()

    def _sweep(self) -> None:
        connection = index.connect(self._index, write=False)
        try:
            self.files.sweep(self._opened_at, lambda some: index.known_blobs(connection, some), self._stop)
        finally:
            connection.close()

    def wait_until_swept(self) -> None:
        """Blocks until what a crash left has been swept away; the store is in full use meanwhile."""
        self._sweeper.join()

    async def close(self) -> None:
        """Finishes what is under way and lets the store go."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._stop.set()
        self._sweeper.join()
        self.write_pool.shutdown()
        self.writer.close()
        self.read_pool.shutdown()
        for connection in self._connections:
            connection.close()
        os.close(self._lock)

    async def compute(self, work: Callable[[bytes], None], data: bytes) -> None:
        """Runs ``work`` on ``data``, digests for instance, off the event loop."""
        await asyncio.get_running_loop().run_in_executor(self.write_pool, work, data)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Runs ``query`` on a reading connection in the read pool."""
        return await asyncio.get_running_loop().run_in_executor(self.read_pool, lambda: query(self._connection()))

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = index.connect(self._index, write=False)
            self._connections.append(connection)
        return connection

    # -- buckets

    def buckets(self) -> Iterable[Bucket]:
        """All buckets in the order of names; from memory."""
        return self.writer.buckets.values()

    def bucket(self, name: str) -> Bucket:
        """One bucket, from memory. Raises ``NoSuchBucket``."""
        found = self.writer.buckets.get(name)
        if found is None:
            raise NoSuchBucket(name)
        return found

    async def create_bucket(
        self, name: str, account: str, region: str, versioning: str = "", documents: Mapping[str, bytes] | None = None
    ) -> None:
        """Makes a bucket, perhaps with versioning and configurations from the start.

        Raises ``BucketAlreadyOwnedByYou`` or ``BucketAlreadyExists``.
        """
        created = now()

        def change(transaction: Transaction) -> None:
            owner = transaction.bucket_owner(name)
            if owner is not None:
                raise BucketAlreadyOwnedByYou(name) if owner == account else BucketAlreadyExists(name)
            transaction.add_bucket(name, account, region, created, versioning)
            for kind, document in (documents or {}).items():
                transaction.set_document(self.place(transaction, name).id, kind, document)

        await self.writer.run(change)

    async def delete_bucket(self, name: str) -> None:
        """Removes an empty bucket, with the uploads under way in it. Raises ``NoSuchBucket`` or ``BucketNotEmpty``."""

        def change(transaction: Transaction) -> None:
            if not transaction.remove_bucket(self.place(transaction, name).id):
                raise BucketNotEmpty(name)

        await self.writer.run(change)

    async def set_document(self, bucket: str, kind: str, document: bytes | None, notices: Iterable[bytes] = ()) -> None:
        """Keeps a configuration with a bucket (see ``Bucket.documents``), or removes it. Raises ``NoSuchBucket``."""

        def change(transaction: Transaction) -> None:
            transaction.set_document(self.place(transaction, bucket).id, kind, document)
            for notice in notices:
                transaction.notify(notice)

        await self.writer.run(change)

    async def set_versioning(self, bucket: str, status: str) -> None:
        """Switches a bucket's versioning to ``Enabled`` or ``Suspended``. Raises ``NoSuchBucket``."""
        await self.writer.run(
            lambda transaction: transaction.set_versioning(self.place(transaction, bucket).id, status)
        )

    @staticmethod
    def place(transaction: Transaction, name: str) -> Place:
        """A bucket as the transaction sees it. Raises ``NoSuchBucket``."""
        found = transaction.bucket(name)
        if found is None:
            raise NoSuchBucket(name)
        return found

    # -- objects

    async def put(
        self,
        bucket: str,
        key: str,
        body: AsyncIterator[bytes],
        attributes: Attributes,
        *,
        algorithms: Iterable[str] = (),
        verify: Callable[[Received], None] | None = None,
        precondition: Precondition | None = None,
        seal: Seal | None = None,
        notices: Notices | None = None,
    ) -> Object:
        """Stores an object under ``key``: in place of what was there, or as a further version of it.

        Checksums by ``algorithms`` are computed and kept in the object's attributes. ``verify`` sees the digests
        before the object is published and raises to prevent it. With a ``seal`` the content is encrypted. Raises
        ``NoSuchBucket``, ``EntityTooLarge``, ``InsufficientStorageCapacity`` and what ``body``, ``verify`` and
        ``precondition`` raise.
        """
        self.bucket(bucket)
        received = await self.receive(body, algorithms, verify, seal)
        if received.checksums:
            attributes.checksums = received.checksums
            attributes.checksum_type = "FULL_OBJECT"
        modified = now()

        def change(transaction: Transaction) -> Object:
            place = self.place(transaction, bucket)
            if precondition is not None:
                precondition(index.find(transaction.connection, place.id, key))
            blob = self.publish(transaction, received)
            sequence = self.numbers()
            item = Object(
                key, sequence, place.version(sequence), received.size, received.etag, modified, blob, parts=0,
                attributes=attributes,
            )  # fmt: skip
            transaction.put(place, item)
            tell(transaction, notices, item)
            return item

        return await self.writer.run(change, received.blob)

    async def receive(
        self,
        body: AsyncIterator[bytes],
        algorithms: Iterable[str],
        verify: Callable[[Received], None] | None,
        seal: Seal | None = None,
    ) -> Received:
        """Takes in a stream as a blob that is not published yet. Raises as ``put`` does."""
        received = await receive(body, algorithms, self.files, self.write_pool, seal)
        if verify is not None:
            try:
                verify(received)
            except BaseException:
                if received.blob is not None:
                    self.files.discard(received.blob)
                raise
        return received

    def publish(self, transaction: Transaction, received: Received) -> int | None:
        """Enters what was received in the index; the blob's number, or ``None`` for no bytes at all."""
        if received.size == 0:
            return None
        blob = received.blob if received.blob is not None else self.numbers()
        envelope = received.seal.envelope if received.seal is not None else None
        transaction.add_blob(blob, received.size, received.data, received.stored, envelope)
        return blob

    async def head(self, bucket: str, key: str, version: str | None = None) -> Object:
        """What is known about an object, or about one version of it.

        Raises ``NoSuchBucket``, ``NoSuchKey``, and for a version ``NoSuchVersion`` or ``IsDeleteMarker``.
        """
        bucket_id = self.bucket(bucket).id
        return await self.read(lambda connection: index.look_up(connection, bucket_id, key, version))

    async def segments(self, item: Object) -> list[Segment]:
        """The pieces of an object, in order."""
        return await self.read(lambda connection: index.content(connection, item)[0])

    async def get(self, bucket: str, key: str, version: str | None = None) -> ObjectReader:
        """Opens an object, or one version of it, for reading; the caller closes the reader. Raises as ``head``."""
        bucket_id = self.bucket(bucket).id

        def look_up(connection: sqlite3.Connection) -> ObjectReader:
            with self.files.lookup():
                item = index.look_up(connection, bucket_id, key, version)
                pieces, data = index.content(connection, item)
                self.files.pin(piece.blob for piece in pieces)
                return ObjectReader(item, pieces, data, self.files, self.read_pool)

        return await self.read(_in_one_snapshot(look_up))

    async def delete(
        self,
        bucket: str,
        key: str,
        version: str | None = None,
        *,
        precondition: Precondition | None = None,
        allowed: Callable[[Object], None] | None = None,
        notices: DeletionNotices | None = None,
    ) -> Deletion:
        """Removes an object, or hides it behind a delete marker, or removes one version of it for good.

        ``allowed`` sees the version before and raises to keep it. Raises ``NoSuchBucket`` and what ``precondition`` and
        ``allowed`` raise.
        """
        removal = Removal(key, version, precondition, allowed)
        (result,) = await self.delete_many(bucket, [removal], notices)
        if isinstance(result, ServiceError):
            raise result
        return result

    async def delete_many(
        self, bucket: str, removals: Sequence[Removal], notices: DeletionNotices | None = None
    ) -> list[Deletion | ServiceError]:
        """Removes objects in one transaction; for each what was done, or the error for which nothing was."""
        owner = self.bucket(bucket).account

        def change(transaction: Transaction) -> list[Deletion | ServiceError]:
            place = self.place(transaction, bucket)
            results: list[Deletion | ServiceError] = []
            for removal in removals:
                try:
                    done = removal.apply(transaction, place, self.numbers, owner)
                except ServiceError as error:
                    results.append(error)
                    continue
                results.append(done)
                for notice in notices(removal.key, done) if notices is not None and done.existed else ():
                    transaction.notify(notice)
            return results

        return await self.writer.run(change)

    async def copy(
        self,
        source: tuple[str, Object],
        target: tuple[str, str],
        attributes: Callable[[Object], Attributes],
        *,
        precondition: Precondition | None = None,
        notices: Notices | None = None,
    ) -> Object:
        """Makes ``target`` (bucket and key) an object of the same bytes as ``source`` (bucket and object), at once for
        any size: both share the blobs.

        ``attributes`` gives the copy's from the source. The ETag stays the source's, also of a multipart object.
        Raises ``NoSuchBucket``, ``SourceReplaced`` if the source is no longer there, and what ``precondition`` raises.
        """
        original = source[1]
        modified = now()

        def change(transaction: Transaction) -> Object:
            there = index.find_version(
                transaction.connection, self.place(transaction, source[0]).id, original.key, original.version
            )
            if there is None or there.sequence != original.sequence:
                raise SourceReplaced
            place = self.place(transaction, target[0])
            if precondition is not None:
                precondition(index.find(transaction.connection, place.id, target[1]))
            pieces = transaction.share_blobs(original)
            sequence = self.numbers()
            item = Object(
                target[1], sequence, place.version(sequence), original.size, original.etag, modified, original.blob,
                original.parts, attributes(original),
            )  # fmt: skip
            transaction.put(place, item, pieces)
            tell(transaction, notices, item)
            return item

        return await self.writer.run(change)

    async def change_attributes(
        self,
        bucket: str,
        key: str,
        edit: Callable[[Attributes], None],
        version: str | None = None,
        *,
        notices: Notices | None = None,
    ) -> Object:
        """Lets ``edit`` change an object's attributes in place. Raises as ``head`` does, and what ``edit`` raises."""

        def change(transaction: Transaction) -> Object:
            place = self.place(transaction, bucket)
            item = index.look_up(transaction.connection, place.id, key, version)
            edit(item.attributes)
            transaction.set_attributes(place, item, item.attributes)
            tell(transaction, notices, item)
            return item

        return await self.writer.run(change)

    async def list(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        """A page of the objects and common prefixes above ``after``, in the order of UTF-8. Raises ``NoSuchBucket``."""
        bucket_id = self.bucket(bucket).id
        return await self.read(
            _in_one_snapshot(lambda connection: listing.objects(connection, bucket_id, prefix, delimiter, after, limit))
        )

    async def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> VersionListing:
        """A page of the versions above ``after``, a key and perhaps a version of it. Raises ``NoSuchBucket``."""
        bucket_id = self.bucket(bucket).id
        return await self.read(
            _in_one_snapshot(
                lambda connection: listing.versions(connection, bucket_id, prefix, delimiter, after, limit)
            )
        )

    async def clear(self) -> None:
        """Removes every bucket with everything in it, locked or not."""
        for bucket in list(self.buckets()):
            while (page := await self.list_versions(bucket.name)).versions:
                await self.delete_many(bucket.name, [Removal(item.key, item.version) for item in page.versions])
            await self.delete_bucket(bucket.name)

    # -- notices

    async def notices(self, limit: int) -> Sequence[tuple[int, bytes]]:
        """The oldest notices that have not been delivered, with their ids."""
        return await self.read(lambda connection: index.notices(connection, limit))

    async def delivered(self, ids: Sequence[int]) -> None:
        """Forgets notices that have been delivered."""
        await self.writer.run(lambda transaction: transaction.delivered(ids))


def tell(transaction: Transaction, notices: Notices | None, item: Object) -> None:
    """Keeps what is to be told of ``item``."""
    for notice in notices(item) if notices is not None else ():
        transaction.notify(notice)


def _in_one_snapshot(query: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """``query`` with all its statements seeing the same state of the index."""

    def read(connection: sqlite3.Connection) -> T:
        with index.snapshot(connection):
            return query(connection)

    return read
