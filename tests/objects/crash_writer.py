"""A process that puts objects until it is killed, and says which of them were acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from clary.objects.model import Attributes
from clary.objects.store import ObjectStore

SIZES = (10, 1_000, 40_000, 300_000, 2_500_000)


def data_of(number: int) -> bytes:
    """The bytes of the object of that number: known to the writer and to whoever checks."""
    seed = hashlib.sha256(str(number).encode()).digest()
    size = SIZES[number % len(SIZES)]
    return (seed * (size // len(seed) + 1))[:size]


async def main(root: Path) -> None:
    store = ObjectStore(root)
    await store.open()
    await store.create_bucket("bucket", "123456789012", "us-east-1")

    async def put(worker: int) -> None:
        number = worker
        while True:
            data = data_of(number)

            async def chunks(data: bytes = data) -> AsyncIterator[bytes]:
                for start in range(0, len(data), 65_536):
                    yield data[start : start + 65_536]

            await store.put("bucket", f"key-{number}", chunks(), Attributes())
            print(number, flush=True)
            if number % 7 == 0:
                await store.delete("bucket", f"key-{number}")
                print(-number, flush=True)
            number += 16

    await asyncio.gather(*(put(worker) for worker in range(1, 17)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
