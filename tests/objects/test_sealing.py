"""Blobs that are encrypted: read back in any range, unreadable on the disk, and nothing that was changed opens."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.objects.model import Attributes
from clary.objects.sealing import FRAME, Damaged, Seal, Sealer, new_key, open_frames, seal, sealed_size
from clary.objects.store import ObjectStore

KEY = new_key()


@given(st.lists(st.binary(max_size=FRAME + 10), max_size=5))
def test_what_is_sealed_opens_again(pieces: list[bytes]) -> None:
    sealer = Sealer(KEY)
    sealed = b"".join([*(frame for piece in pieces for frame in sealer.update([piece])), sealer.finish()])
    content = b"".join(pieces)
    assert sealed == seal(KEY, content)
    assert len(sealed) == sealed_size(len(content))
    assert open_frames(KEY, 0, sealed) == content


def test_what_was_changed_does_not_open() -> None:
    sealed = bytearray(seal(KEY, os.urandom(2 * FRAME + 5)))
    sealed[FRAME + 100] ^= 1
    with pytest.raises(Damaged):
        open_frames(KEY, 0, bytes(sealed))
    frame = seal(KEY, bytes(FRAME))
    with pytest.raises(Damaged):
        open_frames(KEY, 1, frame)  # moved to another place
    with pytest.raises(Damaged):
        open_frames(KEY, 0, frame[:-1])
    with pytest.raises(Damaged):
        open_frames(new_key(), 0, frame)


@pytest.mark.parametrize("size", [0, 1, 1000, FRAME, 3 * FRAME, 3_000_017])
def test_encrypted_objects(run: Any, stream: Any, blob_files: Any, tmp_path: Path, size: int) -> None:
    marker = b"a secret that must not lie on the disk"
    data = (marker * (size // len(marker) + 1))[:size]

    async def scenario(store: ObjectStore) -> None:
        sealed = Seal(new_key(), b"the envelope")
        item = await store.put("bucket", "key", stream(data[:70_000], data[70_000:]), Attributes(), seal=sealed)
        assert item.etag == hashlib.md5(data).hexdigest()
        for start, stop in ((0, size), (1, size), (FRAME - 1, FRAME + 1), (size // 2, size // 2 + 1), (size - 1, size)):
            reader = await store.get("bucket", "key")
            assert reader.file is None
            reader.unlock(lambda envelope: {b"the envelope": sealed.key}[envelope])
            assert b"".join([chunk async for chunk in reader.stream(max(start, 0), stop)]) == data[max(start, 0) : stop]

    run(scenario)
    if size > len(marker):
        for path in (tmp_path / "store").rglob("*"):
            assert not path.is_file() or marker not in path.read_bytes()


def test_a_seal_may_hide_the_md5(run: Any, stream: Any) -> None:
    async def scenario(store: ObjectStore) -> None:
        sealed = Seal(new_key(), b"the envelope", hides_md5=True)
        item = await store.put("bucket", "key", stream(b"hello"), Attributes(), seal=sealed)
        assert len(item.etag) == 32
        assert item.etag != hashlib.md5(b"hello").hexdigest()

    run(scenario)
