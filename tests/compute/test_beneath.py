"""What is opened of a job's folders, and what is not."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clary.compute.agent import room
from clary.compute.agent.beneath import DEEPEST, TooMuchError, allocated, open_beneath, open_folder, open_regular, walk
from clary.compute.agent.room import Room


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """Of a job with two mounts."""
    for name in ("ml/model/sub", "data"):
        (tmp_path / "job" / name).mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    job = tmp_path / "job"
    (job / "ml" / "model" / "file").write_text("own")
    return SimpleNamespace(path=str(job), mounts={"/opt/ml": str(job / "ml"), "/srv/data": str(job / "data")})


def read(folder: Any, name: str) -> str:
    file = open_beneath(folder, name)
    try:
        return os.read(file, 100).decode()
    finally:
        os.close(file)


def opened() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(
    "target",
    [
        "file",
        "./file",
        "sub/../file",
        "../model/file",
        "/opt/ml/model/file",
        "/opt/ml/model/sub/../file",
        "/srv/data/again",
    ],
)
def test_links_within_the_jobs_folders_are_followed(folder: Any, target: str) -> None:
    here = Path(folder.mounts["/opt/ml"], "model")
    (here / "link").symlink_to(target)
    Path(folder.mounts["/srv/data"], "again").symlink_to("/opt/ml/model/file")
    before = opened()
    assert read(folder, "model/link") == "own"
    assert opened() == before


@pytest.mark.parametrize(
    "target", ["../../../secret", "{top}/secret", "/etc/passwd", "/proc/self/root/etc/passwd", "link", "/opt/ml/../ml"]
)
def test_links_out_of_them_are_not(folder: Any, tmp_path: Path, target: str) -> None:
    (Path(folder.mounts["/opt/ml"]) / "model" / "link").symlink_to(target.format(top=tmp_path))
    before = opened()
    with pytest.raises(OSError):
        open_beneath(folder, "model/link")
    assert opened() == before


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "/opt/mlx/file", "model/file/x", "model/missing"])
def test_names_that_lead_nowhere(folder: Any, name: str) -> None:
    with pytest.raises(OSError):
        open_beneath(folder, name)


def test_only_files_are_opened_as_files(folder: Any) -> None:
    top = open_folder(folder, "model")
    os.mkfifo("pipe", dir_fd=top)
    for name in ("pipe", "sub"):
        with pytest.raises(PermissionError):
            open_regular(name, top)
    os.symlink("file", "link", dir_fd=top)
    with pytest.raises(PermissionError):
        open_regular("link", top)
    with pytest.raises(NotADirectoryError):
        open_folder(folder, "model/file")
    os.close(top)


def test_everything_is_found_in_order(folder: Any) -> None:
    top = open_folder(folder, "/opt/ml")
    (Path(folder.mounts["/opt/ml"]) / "model" / "sub" / "b").write_text("x")
    (Path(folder.mounts["/opt/ml"]) / "model" / "link").symlink_to("sub")
    assert [name for name, _, _, _ in walk(top)] == ["model", "model/file", "model/link", "model/sub", "model/sub/b"]
    os.close(top)


def test_folders_are_not_looked_into_without_end(folder: Any) -> None:
    top = here = open_folder(folder, "model")
    for _ in range(DEEPEST + 1):
        os.mkdir("d", dir_fd=here)
        here = os.open("d", os.O_RDONLY, dir_fd=here)
    with pytest.raises(TooMuchError):
        allocated(top)


def test_files_without_a_name_count(folder: Any) -> None:
    watched = Room(folder, 1 << 20)
    name = Path(folder.mounts["/opt/ml"]) / "nameless"
    with name.open("wb", buffering=0) as file:
        file.write(os.urandom(2 << 20))
        os.fsync(file.fileno())
        name.unlink()
        assert watched.used([os.getpid()]) > 2 << 20
        assert watched.used([]) < 1 << 20


def test_what_the_platform_needs_is_left_to_it(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = os.statvfs(folder.path)
    monkeypatch.setattr(room, "LARGEST_RESERVE", 1 << 60)
    monkeypatch.setattr(room, "SHARE_OF_RESERVE", 1)
    watched = Room(folder, None)
    assert watched.passed([]) is None, "a disk that was full before is not this job's doing"
    watched._first += disk.f_blocks * disk.f_frsize
    assert watched.passed([]) == ("AlgorithmError", room.FULL)
