"""Multipart objects: lists of parts, whose ETag and checksums follow from the parts."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from typing import Any

import pytest

from clary.objects.crc import CRC64NVME
from clary.objects.errors import EntityTooSmall, InvalidPart, NoSuchUpload
from clary.objects.model import Attributes
from clary.objects.multipart import MINIMUM_PART
from clary.objects.store import ObjectStore

PARTS = [os.urandom(MINIMUM_PART), os.urandom(MINIMUM_PART + 7), b"the last one"]


async def upload(store: ObjectStore, stream: Any, attributes: Attributes, parts: list[bytes]) -> Any:
    begun = await store.multipart.create("bucket", "key", attributes)
    algorithms = [attributes.checksum_algorithm] if attributes.checksum_algorithm else []
    etags = []
    for number, data in enumerate(parts, start=1):
        part = await store.multipart.put_part("bucket", begun, number * 10, stream(data), algorithms=algorithms)
        etags.append((number * 10, part.etag))
    return begun, etags


def test_complete_joins_the_parts_and_leaves_the_rest(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        begun, etags = await upload(store, stream, Attributes(metadata={"a": "b"}), [*PARTS, b"unused" * 10_000])
        item = await store.multipart.complete("bucket", "key", begun.id, etags[:3])
        digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in PARTS)).hexdigest()
        assert item.etag == f"{digest}-3"
        reader = await store.get("bucket", "key")
        assert b"".join([chunk async for chunk in reader.stream()]) == b"".join(PARTS)
        size = MINIMUM_PART
        reader = await store.get("bucket", "key")
        joined = b"".join([chunk async for chunk in reader.stream(size - 3, 2 * size + 10)])
        assert joined == b"".join(PARTS)[size - 3 : 2 * size + 10]
        assert item.attributes.metadata == {"a": "b"}
        assert reader.file is None
        assert len(blob_files()) == 2
        assert await store.multipart.complete("bucket", "key", begun.id, etags[:3]) == item
        with pytest.raises(NoSuchUpload):
            await store.multipart.complete("bucket", "key", begun.id, etags[:2])
        await store.delete("bucket", "key")
        assert blob_files() == []

    run(scenario)


def test_a_refused_completion_can_be_tried_again(run: Any, stream: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        begun, etags = await upload(store, stream, Attributes(), [PARTS[2], PARTS[0]])
        with pytest.raises(EntityTooSmall):
            await store.multipart.complete("bucket", "key", begun.id, etags)
        with pytest.raises(InvalidPart):
            await store.multipart.complete("bucket", "key", begun.id, [(10, "0" * 32)])
        with pytest.raises(InvalidPart):
            await store.multipart.complete("bucket", "key", begun.id, [(11, etags[0][1])])
        item = await store.multipart.complete("bucket", "key", begun.id, etags[1:])
        assert item.size == MINIMUM_PART

    run(scenario)


def test_parts_are_replaced_and_aborted_without_a_trace(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        begun, _ = await upload(store, stream, Attributes(), PARTS)
        await store.multipart.put_part("bucket", begun, 10, stream(PARTS[1]))
        assert len(blob_files()) == 2
        parts, more = await store.multipart.parts(begun.id, 10, 1)
        assert ([part.number for part in parts], more) == ([20], True)
        await store.multipart.abort("bucket", "key", begun.id)
        assert blob_files() == []
        with pytest.raises(NoSuchUpload):
            await store.multipart.put_part("bucket", begun, 10, stream(PARTS[0]))
        assert blob_files() == []
        await upload(store, stream, Attributes(), PARTS)
        await store.delete_bucket("bucket")
        assert blob_files() == []

    run(scenario)


@pytest.mark.parametrize(
    ("algorithm", "kind", "expected"),
    [
        ("CRC32", "FULL_OBJECT", zlib.crc32(b"".join(PARTS)).to_bytes(4, "big")),
        ("CRC64NVME", "FULL_OBJECT", CRC64NVME.update(b"".join(PARTS)).to_bytes(8, "big")),
        ("SHA256", "COMPOSITE", hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in PARTS)).digest()),
    ],
    ids=["CRC32", "CRC64NVME", "SHA256"],
)
def test_checksums_follow_from_the_parts(run: Any, stream: Any, algorithm: str, kind: str, expected: bytes) -> None:
    async def scenario(store: ObjectStore) -> None:
        attributes = Attributes(checksum_algorithm=algorithm, checksum_type=kind)
        begun, etags = await upload(store, stream, attributes, PARTS)
        item = await store.multipart.complete("bucket", "key", begun.id, etags)
        suffix = "-3" if kind == "COMPOSITE" else ""
        assert item.attributes.checksums == {algorithm: base64.b64encode(expected).decode() + suffix}
        assert item.attributes.checksum_type == kind

    run(scenario)
