"""A program that kills a writer again and again, at a random point of puts, multipart uploads, copies, deletes and
attributes, and checks each time that what was acknowledged is there, byte for byte, and that nothing else is.

Every round is given by its seed: the operations, and after how many acknowledgements and how much time the process that
does them is killed. A round goes on with the store that the one before has left.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.objects.check import check
from clary.objects.model import Attributes
from clary.objects.multipart import MINIMUM_PART
from clary.objects.sealing import Seal
from clary.objects.store import ObjectStore
from clary.objects.versions import ENABLED

WORKERS = 6
KEYS = 5
BUCKETS = ("plain", "versioned")
SIZES = (0, 1, 900, 32_768, 32_769, 200_000, 1_500_000)
KEY = bytes(range(32))


def content_of(name: str, size: int) -> bytes:
    """Bytes that are known by a name, to whoever writes and to whoever checks."""
    seed = hashlib.sha256(name.encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


async def stream(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


# -- the process that is killed


def work(root: Path, seed: int, out: int) -> None:
    """Does what the seed says until it is killed, and tells of every operation before it and after it."""

    def tell(**line: Any) -> None:
        os.write(out, json.dumps(line).encode() + b"\n")

    async def main() -> None:
        store = ObjectStore(root)
        await store.open()
        for bucket in BUCKETS:
            if bucket not in {known.name for known in store.buckets()}:
                await store.create_bucket(bucket, "123456789012", "us-east-1")
        await store.set_versioning("versioned", ENABLED)
        await asyncio.gather(*(worker(store, number) for number in range(WORKERS)))

    async def worker(store: ObjectStore, number: int) -> None:
        chance = random.Random(seed * 100 + number)
        for step in range(10_000):
            # A worker has keys of its own, so that the order of its operations is known.
            bucket, key = chance.choice(BUCKETS), f"{number}/{chance.randrange(KEYS)}"
            kind = chance.choice(["put", "put", "sealed", "parts", "copy", "delete", "tags", "abort"])
            name, size = f"{seed}-{number}-{step}", chance.choice(SIZES)
            if kind == "parts":
                size += MINIMUM_PART
            tell(worker=number, kind=kind, bucket=bucket, key=key, name=name, size=size)
            version = await operation(store, chance, kind, (bucket, key), name, size)
            tell(worker=number, done=True, version=version)

    async def operation(
        store: ObjectStore, chance: random.Random, kind: str, place: tuple[str, str], name: str, size: int
    ) -> str:
        bucket, key = place
        attributes = Attributes(metadata={"name": name, "size": str(size)})
        content = content_of(name, size)
        if kind in ("put", "sealed"):
            seal = Seal(hashlib.sha256(KEY + name.encode()).digest(), name.encode()) if kind == "sealed" else None
            return (await store.put(bucket, key, stream(content), attributes, seal=seal)).version
        if kind in ("parts", "abort"):
            upload = await store.multipart.create(bucket, key, attributes)
            pieces = [content[:MINIMUM_PART], content[MINIMUM_PART:]]
            parts = [
                await store.multipart.put_part(bucket, upload, number, stream(piece))
                for number, piece in enumerate(pieces, 1)
            ]
            if kind == "abort":
                await store.multipart.abort(bucket, key, upload.id)
                return ""
            chosen = [(part.number, part.etag) for part in parts]
            return (await store.multipart.complete(bucket, key, upload.id, chosen)).version
        found = (await store.list(bucket, prefix=f"{key.partition('/')[0]}/")).objects
        if kind == "copy" and found:
            source = chance.choice(found)
            return (await store.copy((bucket, source), (bucket, key), lambda item: item.attributes)).version
        if kind == "tags" and found:
            item = chance.choice(found)

            def edit(attributes: Attributes) -> None:
                attributes.tags = [("changed", "yes")]

            await store.change_attributes(bucket, item.key, edit)
            return ""
        return (await store.delete(bucket, key)).version if kind == "delete" else ""

    asyncio.run(main())


def run_until_killed(root: Path, seed: int) -> list[dict[str, Any]]:
    """What the process of one round has told."""
    chance = random.Random(seed)
    acknowledgements, wait = chance.randrange(1, 60), chance.random() * 0.01
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            work(root, seed, writing)
        finally:
            os._exit(1)
    os.close(writing)
    lines: list[dict[str, Any]] = []
    done = 0
    killed = False
    with os.fdopen(reading, "rb") as told:
        for line in told:
            lines.append(json.loads(line))
            done += "done" in lines[-1]
            if done >= acknowledgements and not killed:
                until = time.monotonic() + wait
                while time.monotonic() < until:
                    pass  # a sleep would end at the scheduler's convenience, and always between two operations
                os.kill(child, signal.SIGKILL)
                killed = True
    os.waitpid(child, 0)
    assert killed, f"round {seed} ended by itself"
    return lines


# -- what must be there


@dataclass
class Expected:
    """By bucket and key what may be found: the names of contents, the newest last; ``None`` for nothing there."""

    current: dict[tuple[str, str], set[str | None]] = field(default_factory=dict)
    versions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Versions that were acknowledged, with the name of their content."""

    def take(self, lines: list[dict[str, Any]]) -> None:
        """Follows what one round has told."""
        running: dict[int, dict[str, Any]] = {}
        for line in lines:
            if "done" not in line:
                running[line["worker"]] = line
                continue
            begun = running.pop(line["worker"])
            place = (begun["bucket"], begun["key"])
            if begun["kind"] in ("put", "sealed", "parts"):
                self.current[place] = {begun["name"]}
                self.versions[(*place, line["version"])] = begun["name"]
            elif begun["kind"] == "delete":
                self.current[place] = {None}
            elif begun["kind"] == "copy" and line["version"]:
                self.current.pop(place, None)  # what it was a copy of is found out by reading it
        for begun in running.values():
            # Cut off in the midst of it: it may have happened or not.
            place = (begun["bucket"], begun["key"])
            if begun["kind"] == "copy":
                self.current.pop(place, None)
            elif begun["kind"] in ("put", "sealed", "parts", "delete") and place in self.current:
                self.current[place] |= {None if begun["kind"] == "delete" else begun["name"]}
            elif begun["kind"] in ("put", "sealed", "parts", "delete"):
                self.current.pop(place, None)


async def compare(root: Path, expected: Expected, seed: int, *, all_bytes: bool) -> None:
    store = ObjectStore(root)
    await store.open()
    try:
        await asyncio.to_thread(store.wait_until_swept)
        files: set[int] = set()
        present: dict[tuple[str, str], str] = {}
        for bucket in BUCKETS:
            for item in (await store.list(bucket)).objects:
                present[bucket, item.key] = item.attributes.metadata["name"]
            for item in (await store.list_versions(bucket)).versions:
                wanted = expected.versions.get((bucket, item.key, item.version))
                if item.deleted:
                    continue
                name = item.attributes.metadata["name"]
                if bucket == "versioned":
                    assert wanted in (None, name), f"round {seed}"
                files.update(segment.blob for segment in await store.segments(item))
                if all_bytes or name.startswith(f"{seed}-"):
                    reader = await store.get(bucket, item.key, item.version)
                    reader.unlock(lambda envelope: hashlib.sha256(KEY + envelope).digest())
                    found = b"".join([chunk async for chunk in reader.stream()])
                    assert found == content_of(name, int(item.attributes.metadata["size"])), f"round {seed}"
            for upload in (await store.multipart.list(bucket)).uploads:
                parts, _ = await store.multipart.parts(upload.id, 0, 100)
                files.update(part.blob for part in parts if part.blob is not None)
                await store.multipart.abort(bucket, upload.key, upload.id)
                files.difference_update(part.blob for part in parts if part.blob is not None)
        for (bucket, key), names in expected.current.items():
            assert present.get((bucket, key)) in names, f"round {seed}: {bucket}/{key}"
        versions = {
            (bucket, item.key, item.version)
            for bucket in BUCKETS
            for item in (await store.list_versions(bucket)).versions
        }
        assert {place for place in expected.versions if place[0] == "versioned"} <= versions, f"round {seed}"
        on_disk = {int(path.name, 16) for path in (root / "blobs").rglob("*") if path.is_file()}
        assert on_disk <= files, f"round {seed}: files that belong to nothing"
    finally:
        await store.close()


async def thin_out(root: Path, expected: Expected) -> None:
    """Empties the buckets, so that five hundred rounds fit on any disk."""
    store = ObjectStore(root)
    await store.open()
    try:
        await store.clear()
    finally:
        await store.close()
    expected.current.clear()
    expected.versions.clear()


def campaign(root: Path, seeds: range) -> None:
    expected = Expected()
    for seed in seeds:
        expected.take(run_until_killed(root, seed))
        last_before_thinning = seed % 25 == 24 or seed == seeds[-1]
        asyncio.run(compare(root, expected, seed, all_bytes=last_before_thinning))
        if last_before_thinning:
            assert not [line for line in check(root) if "objects" in line], f"round {seed}"
            asyncio.run(thin_out(root, expected))


if __name__ == "__main__":
    # A process of its own, which has no other threads when it forks.
    campaign(Path(sys.argv[1]), range(int(sys.argv[2]), int(sys.argv[3])))
