"""Versions against a plain model: a list of what was written under each key, delete markers among them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.objects.errors import IsDeleteMarker, NoSuchKey, NoSuchVersion
from clary.objects.model import Attributes
from clary.objects.store import ObjectStore
from clary.objects.versions import ENABLED, NULL, SUSPENDED, new_version, sequence_of

KEYS = ("a", "b/1", "b/2", "c")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS)),
        st.tuples(st.just("delete"), st.sampled_from(KEYS)),
        st.tuples(st.just("remove"), st.integers(0, 50)),
        st.tuples(st.just("copy"), st.sampled_from(KEYS)),
        st.tuples(st.just("switch"), st.sampled_from([ENABLED, SUSPENDED])),
    ),
    max_size=25,
)


@dataclass
class Model:
    """What the store must hold: by key the versions, the newest first, each its id and its content."""

    status: str = ""
    versions: dict[str, list[tuple[str, bytes | None]]] = field(default_factory=dict)

    def write(self, key: str, version: str, content: bytes | None) -> None:
        kept = [entry for entry in self.versions.get(key, []) if version != NULL or entry[0] != NULL]
        self.versions[key] = [(version, content), *kept]

    def all(self) -> list[tuple[str, str, bytes | None]]:
        return [(key, *entry) for key in sorted(self.versions) for entry in self.versions[key]]


async def body(content: bytes) -> AsyncIterator[bytes]:
    yield content


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, limit=st.integers(1, 5))
def test_any_history_is_kept_as_it_was(steps: list[tuple[str, str | int]], limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(replay(Path(folder), steps, limit))


async def replay(root: Path, steps: list[tuple[str, str | int]], limit: int) -> None:
    store = ObjectStore(root)
    await store.open()
    try:
        await store.create_bucket("bucket", "123456789012", "us-east-1")
        model = Model()
        for number, (kind, what) in enumerate(steps):
            content = str(number).encode() * 20_000
            if kind == "switch":
                model.status = str(what)
                await store.set_versioning("bucket", str(what))
            elif kind == "put":
                item = await store.put("bucket", str(what), body(content), Attributes())
                assert (item.version == NULL) == (model.status != ENABLED)
                model.write(str(what), item.version, content)
            elif kind == "delete":
                done = await store.delete("bucket", str(what))
                if not model.status:
                    assert done.existed == bool(model.versions.pop(str(what), None))
                else:
                    assert done.marker
                    model.write(str(what), done.version, None)
            elif kind == "remove" and (known := model.all()):
                key, version, before = known[int(what) % len(known)]
                done = await store.delete("bucket", key, version)
                assert (done.version, done.marker) == (version, before is None)
                model.versions[key] = [entry for entry in model.versions[key] if entry[0] != version]
                if not model.versions[key]:
                    del model.versions[key]
            elif kind == "copy" and (known := [entry for entry in model.all() if entry[2] is not None]):
                key, version, before = known[number % len(known)]
                item = await store.copy(
                    ("bucket", await store.head("bucket", key, version)),
                    ("bucket", str(what)),
                    lambda it: it.attributes,
                )
                model.write(str(what), item.version, before)
        await compare(store, model, limit)
    finally:
        await store.close()


async def compare(store: ObjectStore, model: Model, limit: int) -> None:
    listed: list[tuple[str, str]] = []
    latest: list[tuple[str, str]] = []
    marker = ("", "")
    while True:
        page = await store.list_versions("bucket", after=marker, limit=limit)
        listed += [(item.key, item.version) for item in page.versions]
        latest += [(item.key, item.version) for item in page.versions if item.sequence in page.latest]
        if not page.truncated:
            break
        marker = (page.last_key, page.last_version)
    assert listed == [entry[:2] for entry in model.all()]
    assert latest == [(key, versions[0][0]) for key, versions in sorted(model.versions.items())]
    for key, version, content in model.all():
        if content is None:
            with pytest.raises(IsDeleteMarker):
                await store.get("bucket", key, version)
        else:
            assert await read(store, key, version) == content
    current = {key: versions[0][1] for key, versions in model.versions.items()}
    assert [item.key for item in (await store.list("bucket")).objects] == [
        key for key, content in sorted(current.items()) if content is not None
    ]
    for key in KEYS:
        if current.get(key) is None:
            with pytest.raises(NoSuchKey):
                await store.get("bucket", key)
        else:
            assert await read(store, key, None) == current[key]
    used = {content for *_, content in model.all() if content is not None and len(content) > 32_768}
    files = [path for path in (store.root / "blobs").rglob("*") if path.is_file()]
    assert len(files) == len(used)


async def read(store: ObjectStore, key: str, version: str | None) -> bytes:
    reader = await store.get("bucket", key, version)
    return b"".join([chunk async for chunk in reader.stream()])


def test_an_id_leads_to_its_sequence_and_to_no_other_version() -> None:
    assert sequence_of(new_version(12345)) == 12345
    assert new_version(1) != new_version(1)
    for odd in ("", NULL, "abc", "A" * 31, "_" * 32, "é" * 32, "A" * 400):
        assert sequence_of(odd) is None


def test_a_version_that_is_not_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = ObjectStore(tmp_path)
        await store.open()
        try:
            await store.create_bucket("bucket", "123456789012", "us-east-1")
            await store.set_versioning("bucket", ENABLED)
            item = await store.put("bucket", "key", body(b"x"), Attributes())
            for version in (new_version(item.sequence), new_version(1), NULL):
                with pytest.raises(NoSuchVersion):
                    await store.head("bucket", "key", version)
                assert not (await store.delete("bucket", "key", version)).existed
            assert await read(store, "key", item.version) == b"x"
        finally:
            await store.close()

    asyncio.run(scenario())
