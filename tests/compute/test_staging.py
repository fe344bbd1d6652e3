"""The agent's store client and its staging, against an endpoint that checks signatures."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from clary.compute.agent import s3
from clary.compute.agent.outgoing import encrypted
from clary.compute.agent.s3 import Credentials, Interrupted, Store, StoreError, StoreUnreachable, seconds
from clary.compute.agent.staging import DataError, extract, pack, relative


@pytest.fixture
def client(store: Any) -> Store:
    return Store(store.url, "us-east-1", Credentials(store.url, store.ticket), 5, lambda: True)


def test_listings_have_pages(client: Store, store: Any) -> None:
    for index in range(7):
        store.put("bucket", f"p/{index} ü+&<.csv", b"x" * index)
    assert list(client.list("bucket", "p/")) == [(f"p/{index} ü+&<.csv", index) for index in range(7)]
    assert list(client.list("bucket", "q/")) == []


def test_uploads_in_parts(client: Store, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART", 1000)
    data = os.urandom(3500)
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file:
        client.put("bucket", "a b/ü", file.fileno(), encrypted("alias/mine"))
    assert store.get("bucket", "a b/ü") == data
    assert store.keys_of == {("bucket", "a b/ü"): "alias/mine"}
    assert not store.uploads


def test_a_store_that_is_down_for_a_while(client: Store, store: Any, tmp_path: Path) -> None:
    store.put("bucket", "key", b"data")
    store.failures = 3
    client.get("bucket", "key", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"data"


def test_a_store_that_stays_down(store: Any, tmp_path: Path) -> None:
    client = Store(store.url, "us-east-1", Credentials(store.url, store.ticket), 0.1, lambda: True)
    store.failures = 1000
    with pytest.raises(StoreUnreachable):
        client.get("bucket", "key", str(tmp_path / "file"))
    nobody = Store("http://127.0.0.1:9", "us-east-1", Credentials("http://127.0.0.1:9", "x"), 0.1, lambda: True)
    with pytest.raises(StoreUnreachable):
        nobody.get("bucket", "key", str(tmp_path / "file"))


def test_expired_credentials_are_fetched_anew(client: Store, store: Any, tmp_path: Path) -> None:
    store.put("bucket", "key", b"data")
    client.get("bucket", "key", str(tmp_path / "file"))
    store.secret = "secret-1"
    client.get("bucket", "key", str(tmp_path / "file"))
    assert store.fetched == 2


def test_a_wrong_ticket_gives_no_credentials(store: Any, tmp_path: Path) -> None:
    client = Store(store.url, "us-east-1", Credentials(store.url, "wrong"), 5, lambda: True)
    with pytest.raises(StoreError, match="AccessDenied"):
        client.get("bucket", "key", str(tmp_path / "file"))


def test_a_wish_to_stop_ends_the_waiting(store: Any, tmp_path: Path) -> None:
    store.failures = 1000
    began = time.monotonic()
    client = Store(
        store.url, "us-east-1", Credentials(store.url, store.ticket), 600, lambda: time.monotonic() < began + 0.2
    )
    with pytest.raises(Interrupted):
        client.get("bucket", "key", str(tmp_path / "file"))


def test_files_of_this_machine_are_copied_not_linked(client: Store, store: Any, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"blob" * 1000)
    store.local["bucket", "key"] = blob
    client.get("bucket", "key", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == blob.read_bytes()
    assert (tmp_path / "file").stat().st_ino != blob.stat().st_ino
    blob.unlink()
    store.put("bucket", "key", b"newer")
    client.get("bucket", "key", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"newer"


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("data/train/a.csv", "data/train", "a.csv"),
        ("data/train/a.csv", "data/train/", "a.csv"),
        ("data/train/a.csv", "data", "train/a.csv"),
        ("data/train/a.csv", "", "data/train/a.csv"),
        ("data/train.csv", "data/train.csv", "train.csv"),
        ("data/train2/b.csv", "data/train", "train2/b.csv"),
        ("train.csv", "tr", "train.csv"),
    ],
)
def test_names_below_a_channel(key: str, prefix: str, name: str) -> None:
    assert relative(key, prefix) == name


def test_packing_is_deterministic(tmp_path: Path) -> None:
    first = tmp_path / "a"
    (first / "sub" / "empty").mkdir(parents=True)
    (first / "model.bin").write_bytes(b"model")
    (first / "sub" / "link").symlink_to("../model.bin")
    os.link(first / "model.bin", first / "twin")
    source = os.open(first, os.O_RDONLY)
    pack([source], str(tmp_path / "1.tar.gz"), lambda text: None)
    os.utime(first / "model.bin", (1, 1))
    pack([source], str(tmp_path / "2.tar.gz"), lambda text: None)
    os.close(source)
    assert (tmp_path / "1.tar.gz").read_bytes() == (tmp_path / "2.tar.gz").read_bytes()
    (tmp_path / "out").mkdir()
    extract(str(tmp_path / "1.tar.gz"), str(tmp_path / "out"), lambda: True)
    assert (tmp_path / "out" / "twin").read_bytes() == b"model"
    assert (tmp_path / "out" / "sub" / "link").read_bytes() == b"model"
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["model.bin", "sub", "twin"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_heads_that_fill_the_memory_are_refused(tmp_path: Path, kind: bytes) -> None:
    head = tarfile.TarInfo("head")
    head.type, head.size = kind, (8 << 30) - 512
    (tmp_path / "bomb").write_bytes(gzip.compress(head.tobuf() + bytes(100_000)))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="what describes a member is too long"):
        extract(str(tmp_path / "bomb"), str(tmp_path / "out"), lambda: True)


def test_sparse_maps_that_fill_the_memory_are_refused(tmp_path: Path) -> None:
    head = bytearray(tarfile.TarInfo("sparse").tobuf(tarfile.GNU_FORMAT))
    head[156:157], head[482:483] = b"S", b"\1"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    more = (b"0" * 11 + b"\0") * 42
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(head) + (more + b"\1" + bytes(7)) * 20_000))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="what describes a member is too long"):
        extract(str(tmp_path / "bomb"), str(tmp_path / "out"), lambda: True)


def test_an_archive_may_not_be_larger_than_the_volume(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w:gz") as tar:
        for name in ("a", "b"):
            member = tarfile.TarInfo(name)
            member.size = 600_000
            tar.addfile(member, io.BytesIO(bytes(600_000)))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="Insufficient disk space"):
        extract(str(tmp_path / "archive"), str(tmp_path / "out"), lambda: True, 1_000_000)
    extract(str(tmp_path / "archive"), str(tmp_path / "out"), lambda: True, 2_000_000)


@pytest.mark.parametrize("suffix", ["", "gz", "bz2", "xz"])
def test_archives_of_every_kind_are_unpacked(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "file").write_text("content")
    with tarfile.open(tmp_path / "archive", f"w:{suffix}") as tar:  # type: ignore[call-overload]
        tar.add(tmp_path / "file", "sub/one")
        tar.add(tmp_path / "file", "sub/two")
    (tmp_path / "out").mkdir()
    extract(str(tmp_path / "archive"), str(tmp_path / "out"), lambda: True)
    assert [(tmp_path / "out" / "sub" / name).read_text() for name in ("one", "two")] == ["content"] * 2


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary.compute.agent.staging.EXPANSION", 0)
    member = tarfile.TarInfo("large")
    member.size = 2 << 30
    # Its head alone is enough to refuse the archive, and its content would take long to make.
    (tmp_path / "bomb").write_bytes(gzip.compress(member.tobuf()))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="attack"):
        extract(str(tmp_path / "bomb"), str(tmp_path / "out"), lambda: True)


@pytest.mark.parametrize("data", [b"", b"no archive", gzip.compress(b"no archive", 9, mtime=0)])
def test_what_is_no_archive_is_said_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="cannot be unpacked"):
        extract(str(tmp_path / "file"), str(tmp_path / "out"), lambda: True)


def test_stamps_are_seconds() -> None:
    assert seconds("1970-01-01T00:00:00Z") == 0
    assert seconds("2024-02-29T23:59:59Z") == 1709251199
    assert seconds("2026-11-20T10:00:00Z") == 1795168800
