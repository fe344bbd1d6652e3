"""What a job has left goes, whatever permissions it gave to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clary.compute.placement.deleting import delete


def test_files_links_and_folders(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("file", "folder/deep/file"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "folder" / "link").symlink_to(outside)
    for name in ("file", "folder", "link", "missing"):
        delete(tmp_path / name)
    assert list(tmp_path.iterdir()) == [outside]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("mode", [0o000, 0o300, 0o500])
def test_folders_that_nobody_may_change(tmp_path: Path, mode: int) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o500)
    for folder in ("left/a/b", "left/c"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("x")
    (tmp_path / "left" / "a" / "link").symlink_to(outside)
    for folder in ("left/a/b", "left/a", "left/c", "left"):
        (tmp_path / folder).chmod(mode)
    delete(tmp_path / "left")
    assert list(tmp_path.iterdir()) == [outside]
    assert outside.stat().st_mode & 0o777 == 0o500


def test_folders_within_each_other_without_end(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    here = os.open(tmp_path / "left", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d" * 50, dir_fd=here)
        below = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.close(here)
    delete(tmp_path / "left")
    assert list(tmp_path.iterdir()) == []
