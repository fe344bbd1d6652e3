"""An open store in a fresh folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from clary.objects.store import ObjectStore

Scenario = Callable[[ObjectStore], Awaitable[Any]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Scenario], Any]:
    """Runs a scenario on the store of this test, with a bucket ``bucket``; the store is opened anew each time."""

    def start(scenario: Scenario) -> Any:
        async def main() -> Any:
            store = ObjectStore(tmp_path / "store")
            await store.open()
            try:
                if "bucket" not in {bucket.name for bucket in store.buckets()}:
                    await store.create_bucket("bucket", "123456789012", "us-east-1")
                return await scenario(store)
            finally:
                await store.close()

        return asyncio.run(main())

    return start


@pytest.fixture
def stream() -> Callable[..., AsyncIterator[bytes]]:
    async def chunks(*pieces: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if then is not None:
            raise then

    return chunks


@pytest.fixture
def blob_files(tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: [path for path in (tmp_path / "store" / "blobs").rglob("*") if path.is_file()]
