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
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from . import index, listing
from .blobs import BlobFiles, Numbers
from .errors import BucketAlreadyExists, BucketAlreadyOwnedByYou, BucketNotEmpty, NoSuchBucket, NoSuchKey, StoreInUse
from .index import Transaction
from .intake import Received, receive
from .model import Attributes, Bucket, Listing, Object, Segment, now
from .multipart import Multipart
from .reader import ObjectReader
from .writer import Writer

T = TypeVar("T")
Precondition = Callable[[Object | None], None]
"""Looks at the object as it is in the very transaction that would change it, and raises to prevent the change."""

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
        connection = index.connect(self._index, write=True)
        self._index.chmod(0o600)
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

    async def create_bucket(self, name: str, account: str, region: str) -> None:
        """Makes a bucket. Raises ``BucketAlreadyOwnedByYou`` or ``BucketAlreadyExists``."""
        created = now()

        def change(transaction: Transaction) -> None:
            owner = transaction.bucket_owner(name)
            if owner is not None:
                raise BucketAlreadyOwnedByYou(name) if owner == account else BucketAlreadyExists(name)
            transaction.add_bucket(name, account, region, created)

        await self.writer.run(change)

    async def delete_bucket(self, name: str) -> None:
        """Removes an empty bucket, with the uploads under way in it. Raises ``NoSuchBucket`` or ``BucketNotEmpty``."""

        def change(transaction: Transaction) -> None:
            if not transaction.remove_bucket(self.bucket_id(transaction, name)):
                raise BucketNotEmpty(name)

        await self.writer.run(change)

    async def set_document(self, bucket: str, kind: str, document: bytes | None) -> None:
        """Keeps a configuration with a bucket (see ``Bucket.documents``), or removes it. Raises ``NoSuchBucket``."""
        await self.writer.run(
            lambda transaction: transaction.set_document(self.bucket_id(transaction, bucket), kind, document)
        )

    @staticmethod
    def bucket_id(transaction: Transaction, name: str) -> int:
        """The id of a bucket as the transaction sees it. Raises ``NoSuchBucket``."""
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
    ) -> Object:
        """Stores an object under ``key``, in place of what was there.

        Checksums by ``algorithms`` are computed and kept in the object's attributes. ``verify`` sees the digests
        before the object is published and raises to prevent it. Raises ``NoSuchBucket``, ``EntityTooLarge``,
        ``InsufficientStorageCapacity`` and what ``body``, ``verify`` and ``precondition`` raise.
        """
        self.bucket(bucket)
        received = await self.receive(body, algorithms, verify)
        if received.checksums:
            attributes.checksums = received.checksums
            attributes.checksum_type = "FULL_OBJECT"
        modified = now()

        def change(transaction: Transaction) -> Object:
            bucket_id = self.bucket_id(transaction, bucket)
            if precondition is not None:
                precondition(index.find(transaction.connection, bucket_id, key))
            blob = self.publish(transaction, received)
            item = Object(
                key, self.numbers(), "null", received.size, received.md5, modified, blob, parts=0, attributes=attributes
            )
            transaction.put(bucket_id, item)
            return item

        return await self.writer.run(change, received.blob)

    async def receive(
        self, body: AsyncIterator[bytes], algorithms: Iterable[str], verify: Callable[[Received], None] | None
    ) -> Received:
        """Takes in a stream as a blob that is not published yet. Raises as ``put`` does."""
        received = await receive(body, algorithms, self.files, self.write_pool)
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
        transaction.add_blob(blob, received.size, received.data)
        return blob

    async def head(self, bucket: str, key: str) -> Object:
        """What is known about an object. Raises ``NoSuchBucket`` or ``NoSuchKey``."""
        bucket_id = self.bucket(bucket).id
        item = await self.read(lambda connection: index.find(connection, bucket_id, key))
        if item is None:
            raise NoSuchKey(key)
        return item

    async def segments(self, item: Object) -> list[Segment]:
        """The pieces of a multipart object, in order."""
        return await self.read(lambda connection: index.segments(connection, item))

    async def get(self, bucket: str, key: str) -> ObjectReader:
        """Opens an object for reading; the caller closes the reader. Raises ``NoSuchBucket`` or ``NoSuchKey``."""
        bucket_id = self.bucket(bucket).id

        def look_up(connection: sqlite3.Connection) -> ObjectReader:
            with self.files.lookup():
                item = index.find(connection, bucket_id, key)
                if item is None:
                    raise NoSuchKey(key)
                data = index.inline_data(connection, item)
                pieces = index.segments(connection, item)
                self.files.pin(piece.blob for piece in pieces)
                return ObjectReader(item, pieces, data, self.files, self.read_pool)

        return await self.read(_in_one_snapshot(look_up))

    async def local_path(self, bucket: str, key: str) -> Path | None:
        """The file that holds exactly the object's bytes; ``None`` where there is no single such file.

        The file is immutable, and goes when the object does. Raises ``NoSuchBucket`` or ``NoSuchKey``.
        """
        bucket_id = self.bucket(bucket).id

        def look_up(connection: sqlite3.Connection) -> Path | None:
            item = index.find(connection, bucket_id, key)
            if item is None:
                raise NoSuchKey(key)
            return self.file_of(connection, item)

        return await self.read(_in_one_snapshot(look_up))

    def file_of(self, connection: sqlite3.Connection, item: Object) -> Path | None:
        """The one blob file with all bytes of ``item``, if that is how it is kept."""
        pieces = index.segments(connection, item)
        if len(pieces) != 1 or index.inline_data(connection, item):
            return None
        return self.files.path(pieces[0].blob)

    async def delete(self, bucket: str, key: str, precondition: Precondition | None = None) -> bool:
        """Removes an object; ``False`` if there was none. Raises ``NoSuchBucket`` and what ``precondition`` raises."""
        return (await self.delete_many(bucket, [key], precondition))[0]

    async def delete_many(self, bucket: str, keys: list[str], precondition: Precondition | None = None) -> list[bool]:
        """Removes objects in one transaction; for each key whether there was one."""

        def change(transaction: Transaction) -> list[bool]:
            bucket_id = self.bucket_id(transaction, bucket)
            if precondition is not None:
                for key in keys:
                    precondition(index.find(transaction.connection, bucket_id, key))
            return [transaction.delete(bucket_id, key) for key in keys]

        return await self.writer.run(change)

    async def copy(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        attributes: Callable[[Object], Attributes],
        *,
        source_condition: Callable[[Object], None] | None = None,
        precondition: Precondition | None = None,
    ) -> Object:
        """Makes ``target`` (bucket and key) an object of the same bytes as ``source``, at once for any size: both
        share the blobs.

        ``attributes`` gives the copy's from the source. The ETag stays the source's, also of a multipart object.
        Raises ``NoSuchBucket``, ``NoSuchKey`` and what the conditions raise.
        """
        modified = now()

        def change(transaction: Transaction) -> Object:
            original = index.find(transaction.connection, self.bucket_id(transaction, source[0]), source[1])
            if original is None:
                raise NoSuchKey(source[1])
            if source_condition is not None:
                source_condition(original)
            target_id = self.bucket_id(transaction, target[0])
            if precondition is not None:
                precondition(index.find(transaction.connection, target_id, target[1]))
            pieces = index.segments(transaction.connection, original)
            transaction.share(piece.blob for piece in pieces)
            item = Object(
                target[1], self.numbers(), "null", original.size, original.etag, modified, original.blob,
                original.parts, attributes(original),
            )  # fmt: skip
            transaction.put(target_id, item, pieces if original.parts else ())
            return item

        return await self.writer.run(change)

    async def change_attributes(self, bucket: str, key: str, edit: Callable[[Attributes], None]) -> Object:
        """Lets ``edit`` change an object's attributes in place. Raises ``NoSuchBucket``, ``NoSuchKey`` and what
        ``edit`` raises."""

        def change(transaction: Transaction) -> Object:
            bucket_id = self.bucket_id(transaction, bucket)
            item = index.find(transaction.connection, bucket_id, key)
            if item is None:
                raise NoSuchKey(key)
            edit(item.attributes)
            transaction.set_attributes(bucket_id, item, item.attributes)
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


def _in_one_snapshot(query: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """``query`` with all its statements seeing the same state of the index."""

    def read(connection: sqlite3.Connection) -> T:
        with index.snapshot(connection):
            return query(connection)

    return read
