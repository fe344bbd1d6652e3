"""kill -9 in the middle of many puts loses nothing that was acknowledged and leaves nothing half."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path

from clary.objects.store import ObjectStore

PROGRAM = Path(__file__).with_name("crash_writer.py")
_specification = importlib.util.spec_from_file_location("crash_writer", PROGRAM)
assert _specification is not None and _specification.loader is not None
crash_writer = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(crash_writer)


def test_acknowledged_puts_survive_a_kill(tmp_path: Path) -> None:
    root = tmp_path / "store"
    for acknowledgements in (40, 150):
        acknowledged = write_until_killed(root, acknowledgements)
        asyncio.run(check(root, acknowledged))


def write_until_killed(root: Path, acknowledgements: int) -> list[int]:
    process = subprocess.Popen([sys.executable, str(PROGRAM), str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    numbers = []
    for line in process.stdout:
        numbers.append(int(line))
        if len(numbers) == acknowledgements:
            process.kill()
        # What is still in the pipe was acknowledged too.
    process.wait()
    process.stdout.close()
    assert len(numbers) >= acknowledgements
    return numbers


async def check(root: Path, acknowledged: list[int]) -> None:
    store = ObjectStore(root)
    await store.open()
    try:
        await asyncio.to_thread(store.wait_until_swept)
        present = {item.key for item in (await store.list("bucket")).objects}
        deleted = {-number for number in acknowledged if number < 0}
        for number in acknowledged:
            if number > 0 and number % 7:
                assert f"key-{number}" in present
        assert not {f"key-{number}" for number in deleted} & present
        files = 0
        for key in present:
            reader = await store.get("bucket", key)
            files += reader.data is None
            whole = b"".join([chunk async for chunk in reader.stream()])
            assert whole == crash_writer.data_of(int(key.removeprefix("key-")))
        assert files == sum(path.is_file() for path in (root / "blobs").rglob("*"))
        for key in present:
            await store.delete("bucket", key)
        await store.delete_bucket("bucket")
    finally:
        await store.close()
