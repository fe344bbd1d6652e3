"""Multipart uploads: parts are blobs, and the object is the list of them; completing copies nothing.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from . import index, listing
from .digests import composite, full_object, multipart_etag
from .errors import EntityTooSmall, InvalidPart, NoSuchUpload
from .intake import Received
from .model import Attributes, Object, Part, Segment, Upload, UploadListing, now
from .sealing import Seal
from .transaction import Place, Transaction

if TYPE_CHECKING:
    from .removal import Precondition
    from .store import Notices, ObjectStore

MINIMUM_PART = 5 << 20
"""The smallest size in bytes of a part that is not the last."""


class Multipart:
    """The multipart uploads of a store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def create(self, bucket: str, key: str, attributes: Attributes) -> Upload:
        """Begins an upload whose object will have ``attributes``. Raises ``NoSuchBucket``."""
        item = Upload(secrets.token_urlsafe(48), key, now(), attributes)
        await self._store.writer.run(
            lambda transaction: transaction.add_upload(self._store.place(transaction, bucket).id, item)
        )
        return item

    async def find(self, bucket: str, key: str, upload_id: str) -> Upload:
        """An upload under way. Raises ``NoSuchBucket`` or ``NoSuchUpload``."""
        bucket_id = self._store.bucket(bucket).id
        found = await self._store.read(lambda connection: index.upload(connection, bucket_id, key, upload_id))
        if found is None:
            raise NoSuchUpload(upload_id)
        return found

    async def put_part(
        self,
        bucket: str,
        upload: Upload,
        number: int,
        body: AsyncIterator[bytes],
        *,
        algorithms: Iterable[str] = (),
        verify: Callable[[Received], None] | None = None,
        seal: Seal | None = None,
    ) -> Part:
        """Stores a part in place of the one of the same number. Raises as ``ObjectStore.put``, and ``NoSuchUpload``."""
        received = await self._store.receive(body, algorithms, verify, seal)
        modified = now()

        def change(transaction: Transaction) -> Part:
            self._upload(transaction, bucket, upload.key, upload.id)
            blob = self._store.publish(transaction, received)
            part = Part(number, blob, received.size, received.etag, modified, received.checksums)
            transaction.put_part(upload.id, part)
            return part

        return await self._store.writer.run(change, received.blob)

    async def complete(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        chosen: Sequence[tuple[int, str]],
        *,
        verify: Callable[[Object, list[Part]], None] | None = None,
        precondition: Precondition | None = None,
        notices: Notices | None = None,
    ) -> Object:
        """Makes an object of the ``chosen`` parts (number and bare ETag) and ends the upload.

        ``verify`` sees the object before it is published and raises to prevent it. Raises ``NoSuchUpload``,
        ``InvalidPart``, ``EntityTooSmall`` and what ``verify`` and ``precondition`` raise. Completing once more what
        has been completed, because the answer was lost, gives the object.
        """
        modified = now()

        def change(transaction: Transaction) -> Object:
            if (done := self._completed(transaction, bucket, key, upload_id, chosen)) is not None:
                return done
            place, upload = self._upload(transaction, bucket, key, upload_id)
            parts = _chosen(upload_id, chosen, index.parts(transaction.connection, upload_id))
            if precondition is not None:
                precondition(index.find(transaction.connection, place.id, key))
            attributes = upload.attributes
            algorithm = attributes.checksum_algorithm
            if algorithm and all(algorithm in part.checksums for part in parts):
                attributes.checksums = {algorithm: _checksum(algorithm, attributes.checksum_type, parts)}
            else:
                attributes.checksum_type = ""
            attributes.checksum_algorithm = ""
            sequence = self._store.numbers()
            item = Object(
                key, sequence, place.version(sequence), sum(part.size for part in parts),
                multipart_etag([part.etag for part in parts]), modified, None, len(parts), attributes,
            )  # fmt: skip
            if verify is not None:
                verify(item, parts)
            pieces = [
                Segment(part.number, part.blob, part.size, part.checksums.get(algorithm, ""))
                for part in parts
                if part.blob is not None
            ]
            transaction.remove_upload(place.id, key, upload_id, keep=[part.number for part in parts])
            transaction.put(place, item, pieces)
            for notice in notices(item) if notices is not None else ():
                transaction.notify(notice)
            return item

        return await self._store.writer.run(change)

    async def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Ends an upload and lets its parts go. Raises ``NoSuchBucket`` or ``NoSuchUpload``."""

        def change(transaction: Transaction) -> None:
            place, _ = self._upload(transaction, bucket, key, upload_id)
            transaction.remove_upload(place.id, key, upload_id)

        await self._store.writer.run(change)

    async def parts(self, upload_id: str, after: int, limit: int) -> tuple[list[Part], bool]:
        """Up to ``limit`` parts with a number above ``after``, and whether there are more."""
        found = await self._store.read(lambda connection: index.parts(connection, upload_id, after, limit + 1))
        return found[:limit], len(found) > limit

    async def list(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> UploadListing:
        """A page of the uploads under way above ``after``, a key and perhaps an upload id. Raises ``NoSuchBucket``."""
        bucket_id = self._store.bucket(bucket).id
        return await self._store.read(
            lambda connection: listing.uploads(connection, bucket_id, prefix, delimiter, after, limit)
        )

    def _completed(
        self, transaction: Transaction, bucket: str, key: str, upload_id: str, chosen: Sequence[tuple[int, str]]
    ) -> Object | None:
        """The object, where the upload is over and just these parts are what is stored under the key."""
        bucket_id = self._store.place(transaction, bucket).id
        if index.upload(transaction.connection, bucket_id, key, upload_id) is not None:
            return None
        item = index.find(transaction.connection, bucket_id, key)
        if item is None or item.parts != len(chosen):
            return None
        return item if item.etag == _joined_etag(chosen) else None

    def _upload(self, transaction: Transaction, bucket: str, key: str, upload_id: str) -> tuple[Place, Upload]:
        place = self._store.place(transaction, bucket)
        found = index.upload(transaction.connection, place.id, key, upload_id)
        if found is None:
            raise NoSuchUpload(upload_id)
        return place, found


def _joined_etag(chosen: Sequence[tuple[int, str]]) -> str:
    try:
        return multipart_etag([etag for _, etag in chosen])
    except ValueError:
        return ""  # the client made up an ETag that is no MD5


def _chosen(upload_id: str, chosen: Sequence[tuple[int, str]], present: Iterable[Part]) -> list[Part]:
    by_number = {part.number: part for part in present}
    parts = []
    for number, etag in chosen:
        part = by_number.get(number)
        if part is None or part.etag != etag:
            raise InvalidPart(upload_id, number, etag)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < MINIMUM_PART:
            raise EntityTooSmall(part.size, MINIMUM_PART, part.number, part.etag)
    return parts


def _checksum(algorithm: str, kind: str, parts: Sequence[Part]) -> str:
    if kind == "FULL_OBJECT":
        return full_object(algorithm, [(part.checksums[algorithm], part.size) for part in parts])
    return composite(algorithm, [part.checksums[algorithm] for part in parts])
