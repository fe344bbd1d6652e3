"""``clary doctor --deep``: one byte that has flipped is found, and the object that it belongs to is named."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clary.cli import deep
from clary.cli.doctor import Check
from clary.cli.installation import Installation
from clary.core.settings import load
from clary.objects.model import Attributes
from clary.objects.sealing import Seal, new_key
from clary.objects.store import ObjectStore

LARGE = os.urandom(3_000_000)
PART = os.urandom(5 << 20)


async def body(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installation with objects of every kind."""

    async def fill() -> None:
        store = ObjectStore(tmp_path / "objects")
        await store.open()
        try:
            await store.create_bucket("bucket", "123456789012", "us-east-1")
            await store.put("bucket", "small", body(b"a few bytes"), Attributes())
            await store.put("bucket", "plain", body(LARGE), Attributes())
            await store.put("bucket", "sealed", body(LARGE), Attributes(), seal=Seal(new_key(), b"envelope"))
            upload = await store.multipart.create("bucket", "parts", Attributes())
            parts = [await store.multipart.put_part("bucket", upload, n, body(PART)) for n in (1, 2)]
            await store.multipart.complete("bucket", "parts", upload.id, [(p.number, p.etag) for p in parts])
        finally:
            await store.close()

    asyncio.run(fill())
    return tmp_path


def objects(home: Path) -> Check:
    told: list[tuple[int, int]] = []
    checks = deep.examine(Installation(load(home, {}, port=0)), lambda done, total: told.append((done, total)))
    return next(check for check in checks if check.name == "objects")


def blobs(home: Path) -> list[Path]:
    return sorted(path for path in (home / "objects" / "blobs").rglob("*") if path.is_file())


def flip(path: Path, position: int) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 0x10]))


def test_what_is_whole_is_said_to_be(home: Path) -> None:
    found = objects(home)
    assert found.state == "ok", found.text
    assert found.text.startswith("5 pieces of objects, 16.5 MB")


@pytest.mark.parametrize(("number", "key"), [(0, "plain"), (1, "sealed"), (2, "parts"), (3, "parts")])
def test_a_flipped_bit_is_found(home: Path, number: int, key: str) -> None:
    flip(blobs(home)[number], 1_234_567)
    found = objects(home)
    assert (found.state, found.text) == ("fail", f"damaged: s3://bucket/{key}: its bytes have changed")


def test_files_that_are_cut_or_gone(home: Path) -> None:
    os.truncate(blobs(home)[1], 100)
    blobs(home)[0].unlink()
    found = objects(home)
    assert "s3://bucket/plain: its file is missing" in found.text
    assert "s3://bucket/sealed: it has 100 bytes instead of 3000736" in found.text


def test_a_small_object_in_the_index(home: Path) -> None:
    index = home / "objects" / "index.db"
    place = index.read_bytes().index(b"a few bytes")
    flip(index, place)
    assert objects(home).text == "damaged: s3://bucket/small: its bytes have changed"


def test_the_command(home: Path) -> None:
    command = [sys.executable, "-P", "-m", "clary.cli", "doctor", "--deep", "--json", "--home", str(home)]
    environment = {**os.environ, "CLARY_PORT": "0"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    checks = {check["name"]: check for check in json.loads(answer.stdout)["checks"]}
    assert checks["objects"]["state"] == "ok"
    assert checks["database"]["state"] == "ok"
    flip(blobs(home)[0], 0)
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 1
    assert "s3://bucket/plain" in answer.stdout


def test_nothing_is_there_yet(tmp_path: Path) -> None:
    assert objects(tmp_path).text == "there are none yet"
