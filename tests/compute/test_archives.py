"""Members of archives from strangers, with Python's own filter and on Pythons that have none."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.compute.agent.archives import OutsideError, extract_member


@pytest.fixture(params=["with filter", "without filter"])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    if request.param == "without filter":
        monkeypatch.delattr(tarfile, "data_filter")
    (tmp_path / "inside").mkdir()
    yield tmp_path / "inside"


def unpack(folder: Path, *members: tuple[str, bytes, str]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.uid = kind, 0o4777, 4711
            if kind == tarfile.REGTYPE:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))
            else:
                member.linkname = content
                tar.addfile(member)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        for member in tar:
            extract_member(tar, member, str(folder))


def test_files_folders_and_links_within_are_unpacked(folder: Path) -> None:
    unpack(
        folder,
        ("code", tarfile.DIRTYPE, ""),
        ("code/train.py", tarfile.REGTYPE, "print()"),
        ("code/again.py", tarfile.SYMTYPE, "train.py"),
        ("/rooted.txt", tarfile.REGTYPE, "below"),
    )
    assert (folder / "code" / "again.py").read_text() == "print()"
    assert (folder / "rooted.txt").read_text() == "below"
    assert (folder / "code" / "train.py").stat().st_mode & 0o7777 == 0o755


def test_a_path_that_is_too_long_to_be_resolved_leads_nowhere(folder: Path) -> None:
    # What CVE-2025-4517 is about: the path behind the short names is longer than the system takes.
    (folder.parent / "victim").mkdir()
    (folder.parent / "victim" / "file").write_text("theirs")
    long, here, members = "d" * 247, "", []
    for step in "abcdefghijklmnop":
        members += [(here + long, tarfile.DIRTYPE, ""), (here + step, tarfile.SYMTYPE, long)]
        here += long + "/"
    top = "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/" + "l" * 254
    members += [(top, tarfile.SYMTYPE, "../" * 16), ("escape", tarfile.SYMTYPE, top + "/../victim")]
    for last in (
        ("escape/new", tarfile.REGTYPE, "x"),
        ("escape/folder", tarfile.DIRTYPE, ""),
        ("stolen", tarfile.LNKTYPE, "escape/file"),
    ):
        with pytest.raises((OutsideError, OSError)):
            unpack(folder, *members, last)
    assert [each.name for each in (folder.parent / "victim").iterdir()] == ["file"]
    assert not (folder / "stolen").exists()


def test_a_link_is_replaced_and_not_followed(folder: Path) -> None:
    unpack(
        folder,
        ("file", tarfile.REGTYPE, "kept"),
        ("link", tarfile.SYMTYPE, "file"),
        ("link", tarfile.REGTYPE, "other"),
    )
    assert (folder / "file").read_text() == "kept"
    assert (folder / "link").read_text() == "other"


@pytest.mark.parametrize(
    "members",
    [
        [("../escaped", tarfile.REGTYPE, "x")],
        [("a/../../escaped", tarfile.REGTYPE, "x")],
        [("link", tarfile.SYMTYPE, "/etc/passwd")],
        [("link", tarfile.SYMTYPE, "../..")],
        [("link", tarfile.LNKTYPE, "../secret")],
        [("pipe", tarfile.FIFOTYPE, "")],
        [("device", tarfile.CHRTYPE, "")],
    ],
    ids=lambda members: members[0][0],
)
def test_what_leads_outside_is_refused(folder: Path, members: list[tuple[str, bytes, str]]) -> None:
    (folder.parent / "secret").write_text("s")
    with pytest.raises(OutsideError):
        unpack(folder, *members)
    assert not (folder.parent / "escaped").exists()
