"""The store's promises: what is put is there, whole, under any key; what goes leaves nothing behind."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from clary.objects.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InsufficientStorageCapacity,
    NoSuchBucket,
    NoSuchKey,
    StoreInUse,
)
from clary.objects.intake import INLINE
from clary.objects.model import Attributes
from clary.objects.store import ObjectStore

BIG = os.urandom(3_000_017)
KEYS = ["a", "/", "//", "/a", "../../etc/passwd", ".", "a//b", "ü/ß/漢字/😀", " ", "a\nb", "\x01", "k" * 1024, "%2F+ &"]


async def content(store: ObjectStore, key: str, bucket: str = "bucket") -> bytes:
    reader = await store.get(bucket, key)
    return b"".join([chunk async for chunk in reader.stream()])


@pytest.mark.parametrize("size", [0, 1, INLINE, INLINE + 1, len(BIG)])
def test_put_and_get_survive_reopening(run: Any, stream: Any, size: int) -> None:
    data = BIG[:size]

    async def put(store: ObjectStore) -> None:
        item = await store.put("bucket", "key", stream(data[:100], data[100:]), Attributes(metadata={"a": "b"}))
        assert item.etag == hashlib.md5(data).hexdigest()
        assert item.size == size

    async def get(store: ObjectStore) -> None:
        assert await content(store, "key") == data
        item = await store.head("bucket", "key")
        assert (item.size, item.attributes.metadata) == (size, {"a": "b"})
        reader = await store.get("bucket", "key")
        path = reader.file
        reader.close()
        assert (path.read_bytes() == data) if path else size <= INLINE

    run(put)
    run(get)


def test_any_key_is_a_key(run: Any, stream: Any, blob_files: Any, tmp_path: Path) -> None:
    async def scenario(store: ObjectStore) -> None:
        for number, key in enumerate(KEYS):
            await store.put("bucket", key, stream(str(number).encode(), BIG[: number * 10_000]), Attributes())
        for number, key in enumerate(KEYS):
            assert await content(store, key) == str(number).encode() + BIG[: number * 10_000]
        listed = [item.key for item in (await store.list("bucket")).objects]
        assert listed == sorted(KEYS, key=str.encode)

    run(scenario)
    names = {path.name for path in tmp_path.rglob("*")}
    assert not any("passwd" in name or "漢" in name for name in names)


def test_ranges_cross_the_chunks(run: Any, stream: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        await store.put("bucket", "key", stream(BIG), Attributes())
        for start, stop in [(0, 1), (1_048_575, 1_048_577), (5, 2_999_999), (3_000_016, 3_000_017), (7, 7)]:
            reader = await store.get("bucket", "key")
            assert b"".join([chunk async for chunk in reader.stream(start, stop)]) == BIG[start:stop]

    run(scenario)


def test_replaced_and_deleted_objects_leave_no_files(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        for data in (BIG, BIG[::-1], b"small"):
            await store.put("bucket", "key", stream(data), Attributes())
            assert await content(store, "key") == data
            assert len(blob_files()) == (1 if len(data) > INLINE else 0)
        await store.put("bucket", "key", stream(BIG), Attributes())
        with pytest.raises(BucketNotEmpty):
            await store.delete_bucket("bucket")
        assert (await store.delete("bucket", "key")).existed
        assert not (await store.delete("bucket", "key")).existed
        assert blob_files() == []
        with pytest.raises(NoSuchKey):
            await store.head("bucket", "key")
        await store.delete_bucket("bucket")
        with pytest.raises(NoSuchBucket):
            await store.get("bucket", "key")

    run(scenario)


def test_a_reader_keeps_what_it_reads(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        await store.put("bucket", "key", stream(BIG), Attributes())
        reader = await store.get("bucket", "key")
        untouched = await store.get("bucket", "key")
        await store.delete("bucket", "key")
        assert b"".join([chunk async for chunk in reader.stream()]) == BIG
        assert len(blob_files()) == 1
        del untouched
        assert blob_files() == []

    run(scenario)


def test_copies_share_bytes_until_the_last_goes(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        item = await store.put("bucket", "key", stream(BIG), Attributes(metadata={"a": "b"}))
        copy = await store.copy(("bucket", item), ("bucket", "copy"), lambda original: original.attributes)
        assert copy.attributes.metadata == {"a": "b"}
        assert len(blob_files()) == 1
        await store.copy(("bucket", copy), ("bucket", "copy"), lambda original: Attributes())
        await store.delete("bucket", "key")
        assert await content(store, "copy") == BIG
        await store.delete("bucket", "copy")
        assert blob_files() == []

    run(scenario)


def test_a_body_that_breaks_off_leaves_nothing(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        await store.put("bucket", "key", stream(b"old"), Attributes())
        with pytest.raises(ConnectionResetError):
            await store.put("bucket", "key", stream(BIG, then=ConnectionResetError()), Attributes())
        assert await content(store, "key") == b"old"
        assert blob_files() == []

    run(scenario)


def test_a_cancelled_upload_leaves_nothing(run: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        reached = asyncio.Event()

        async def endless() -> Any:
            yield BIG
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(store.put("bucket", "key", endless(), Attributes()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert blob_files() == []

    run(scenario)


def test_what_verification_refuses_is_not_published(run: Any, stream: Any, blob_files: Any) -> None:
    def refuse(_: object) -> None:
        raise ValueError("not what was claimed")

    async def scenario(store: ObjectStore) -> None:
        for data in (b"small", BIG):
            with pytest.raises(ValueError, match="claimed"):
                await store.put("bucket", "key", stream(data), Attributes(), verify=refuse)
            with pytest.raises(ValueError, match="claimed"):
                await store.put("bucket", "key", stream(data), Attributes(), precondition=refuse)
        assert (await store.list("bucket")).objects == []
        assert blob_files() == []

    run(scenario)


def test_a_full_disk_stores_nothing_and_breaks_nothing(
    run: Any, stream: Any, blob_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def scenario(store: ObjectStore) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "writev", full)
            with pytest.raises(InsufficientStorageCapacity):
                await store.put("bucket", "key", stream(BIG), Attributes())
        assert blob_files() == []
        assert await store.put("bucket", "key", stream(BIG), Attributes())

    run(scenario)


def test_a_full_index_refuses_the_whole_group(run: Any, stream: Any, blob_files: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        def limit(transaction: Any, pages: int) -> None:
            transaction.connection.execute(f"PRAGMA max_page_count = {pages}")

        await store.writer.run(lambda transaction: limit(transaction, 1))
        puts = [store.put("bucket", f"key-{n}", stream(BIG[:20_000]), Attributes()) for n in range(20)]
        puts.append(store.put("bucket", "big", stream(BIG), Attributes()))
        results = await asyncio.gather(*puts, return_exceptions=True)
        refused = [result for result in results if isinstance(result, InsufficientStorageCapacity)]
        assert refused
        stored = [result for result in results if not isinstance(result, BaseException)]
        assert len(stored) + len(refused) == len(results)
        await store.writer.run(lambda transaction: limit(transaction, 1 << 30))
        assert {item.key for item in (await store.list("bucket")).objects} == {item.key for item in stored}
        assert len(blob_files()) == sum(item.key == "big" for item in stored)
        await store.put("bucket", "key", stream(BIG), Attributes())

    run(scenario)


def test_preconditions_hold_among_many_at_once(run: Any, stream: Any) -> None:
    def absent(existing: object) -> None:
        if existing is not None:
            raise ValueError("it exists")

    async def scenario(store: ObjectStore) -> None:
        puts = [
            store.put("bucket", "key", stream(str(n).encode()), Attributes(), precondition=absent) for n in range(50)
        ]
        results = await asyncio.gather(*puts, return_exceptions=True)
        winners = [n for n, result in enumerate(results) if not isinstance(result, ValueError)]
        assert len(winners) == 1
        assert await content(store, "key") == str(winners[0]).encode()

    run(scenario)


def test_bucket_names_belong_to_one_account(run: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        with pytest.raises(BucketAlreadyOwnedByYou):
            await store.create_bucket("bucket", "123456789012", "us-east-1")
        with pytest.raises(BucketAlreadyExists):
            await store.create_bucket("bucket", "210987654321", "us-east-1")
        await store.set_document("bucket", "policy", b"{}")
        assert store.bucket("bucket").documents == {"policy": b"{}"}

    run(scenario)


def test_orphans_are_swept_at_the_start(run: Any, stream: Any, blob_files: Any) -> None:
    async def leave_orphan(store: ObjectStore) -> None:
        await store.put("bucket", "key", stream(BIG), Attributes())
        _, descriptor = store.files.create()
        os.close(descriptor)
        assert len(blob_files()) == 2

    async def look(store: ObjectStore) -> None:
        await asyncio.to_thread(store.wait_until_swept)
        assert len(blob_files()) == 1
        assert await content(store, "key") == BIG

    run(leave_orphan)
    run(look)


def test_only_one_process_has_the_store(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary.objects.store._LOCK_PATIENCE", 0.0)

    async def scenario(_: ObjectStore) -> None:
        with pytest.raises(StoreInUse):
            await ObjectStore(tmp_path / "store").open()

    run(scenario)


def test_files_are_private(run: Any, stream: Any, blob_files: Any, tmp_path: Path) -> None:
    async def scenario(store: ObjectStore) -> None:
        await store.put("bucket", "key", stream(BIG), Attributes())

    run(scenario)
    for path in (tmp_path / "store").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.name.startswith("index.db-"), path
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in blob_files())
