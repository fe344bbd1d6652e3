"""Outputs that are uploaded while the job writes them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clary.compute.agent import staging as module
from clary.compute.agent.continuous import restored
from clary.compute.agent.s3 import FileChanged
from clary.compute.agent.staging import Staging
from clary.compute.spec import Input, Output

OUTPUT = Output("checkpoints", "s3://bucket/kept", continuous=True, when="always")
LONG_AGO = 1_000_000_000.0


class Puts:
    """A store that notes what is put into it."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.shrinks = ""

    def put(self, bucket: str, key: str, file: int, headers: dict[str, str]) -> None:
        assert not headers
        if key == self.shrinks:
            raise FileChanged
        self.keys.append(f"{bucket}/{key}")


@pytest.fixture
def puts(monkeypatch: pytest.MonkeyPatch) -> Puts:
    puts = Puts()
    monkeypatch.setattr(module, "connect", lambda folder, wanted: puts)
    return puts


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def staging(tmp_path: Path, puts: Puts, notes: list[str]) -> Staging:
    spec = SimpleNamespace(role_arn="role", region="us-east-1")
    folder = SimpleNamespace(spec=spec, mounts={"/opt/ml/checkpoints": str(tmp_path)})
    return Staging(cast(Any, folder), lambda: True, notes.append)


def old(file: Path, text: str = "x") -> None:
    file.write_text(text)
    os.utime(file, (LONG_AGO, LONG_AGO + len(text)))


def test_only_what_changed_is_uploaded_again(staging: Staging, puts: Puts, tmp_path: Path) -> None:
    known: dict[str, tuple[int, int]] = {}
    old(tmp_path / "a")
    old(tmp_path / "b")
    assert staging.upload(OUTPUT, known) == 2
    old(tmp_path / "b", "longer")
    assert staging.upload(OUTPUT, known) == 1
    assert puts.keys == ["bucket/kept/a", "bucket/kept/b", "bucket/kept/b"]
    assert staging.upload(OUTPUT) == 2


def test_a_file_written_just_now_is_uploaded_once_more(staging: Staging, tmp_path: Path) -> None:
    known: dict[str, tuple[int, int]] = {}
    (tmp_path / "a").write_text("x")
    now = time.time()
    os.utime(tmp_path / "a", (now, now))
    assert staging.upload(OUTPUT, known) == 1
    assert known == {}


def test_a_file_that_shrinks_is_left_for_the_next_time(staging: Staging, puts: Puts, tmp_path: Path) -> None:
    old(tmp_path / "a")
    old(tmp_path / "b")
    puts.shrinks = "kept/a"
    known: dict[str, tuple[int, int]] = {}
    assert staging.upload(OUTPUT, known) == 1
    assert puts.keys == ["bucket/kept/b"]
    puts.shrinks = ""
    assert staging.upload(OUTPUT, known) == 1
    with pytest.raises(FileChanged):
        puts.shrinks = "kept/a"
        staging.upload(OUTPUT)


def test_a_file_that_goes_away_is_no_news(
    staging: Staging, puts: Puts, notes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(tmp_path / "b")
    old(tmp_path / "a")
    put = puts.put

    def removing(*what: Any) -> None:
        put(*what)
        (tmp_path / "b").unlink(missing_ok=True)

    monkeypatch.setattr(puts, "put", removing)
    assert staging.upload(OUTPUT, {}) == 1
    assert notes == []


def test_what_was_brought_in_is_known(staging: Staging, puts: Puts, tmp_path: Path) -> None:
    old(tmp_path / "a")
    other = Output("other", "s3://bucket/other", continuous=True)
    spec = SimpleNamespace(
        inputs=[Input("checkpoints", OUTPUT.uri), Input("other", "s3://bucket/elsewhere")],
        outputs=[OUTPUT, other, Output("model", "s3://bucket/model")],
    )
    known = restored(cast(Any, SimpleNamespace(spec=spec, mounts={"/opt/ml/checkpoints": str(tmp_path)})))
    assert {path: len(files) for path, files in known.items()} == {"checkpoints": 1, "other": 0}
    assert staging.upload(OUTPUT, known["checkpoints"]) == 0
    old(tmp_path / "a", "changed")
    assert staging.upload(OUTPUT, known["checkpoints"]) == 1
