"""Unpacking members of tar archives from strangers.

Reference: https://peps.python.org/pep-0706/, whose filter ``data`` Python has from 3.11.4 on, and is followed where
Python has none: Debian 12 has 3.11.2. It resolves paths, which can be outwitted (CVE-2025-4517), so links on the way to
a member are refused besides.
"""

from __future__ import annotations

import os
import tarfile

from clary.compute.agent.folder import first_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO


LONGEST_HEAD = 4 << 20
"""Bytes of an archive that may say what one member is: names, attributes, maps of sparse files."""


class Members:
    """The members of a tar archive, one after the other, as a context; ``file`` is what they are unpacked from.

    ``tarfile`` reads what precedes a member at once, however long it says it is, and remembers every member: an archive
    of a few megabytes could fill the memory so. Raises ``tarfile.TarError`` and what decompressing does.
    """

    def __init__(self, path: str) -> None:
        self._opened = _decompressed(path)
        self._guarded = _Guarded(self._opened)
        try:
            self.file = tarfile.open(fileobj=self._guarded, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115
        except BaseException:
            self._opened.close()
            raise

    def __enter__(self) -> Members:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self._opened.close()

    @property
    def position(self) -> int:
        """How many bytes of the archive, unpacked, have been gone through."""
        return self._guarded.tell()

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        while True:
            self._guarded.left = LONGEST_HEAD
            member = self.file.next()
            if member is None:
                return
            self._guarded.left = None
            yield member
            self.file.members.clear()


class _Guarded:
    """A file of which no more than ``left`` bytes are read, if that is a number."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.left: int | None = LONGEST_HEAD
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if self.left is not None:
            if not 0 <= size <= self.left:
                raise tarfile.ReadError("what describes a member is too long")
            self.left -= size
        return self._file.read(size)


def _decompressed(path: str) -> IO[bytes]:
    with open(path, "rb") as file:
        head = file.read(6)
    if head.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.open(path)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        import bz2

        return bz2.open(path)
    if head.startswith((b"\xfd7zXZ\0", b"]\0\0\x80", b"]\0\0\0")):
        import lzma

        return lzma.open(path)
    return open(path, "rb")


class OutsideError(tarfile.TarError):
    """A member would leave the folder, or is nothing that data consists of."""


def extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: str) -> None:
    """Unpack one member below ``folder``. Raises ``OutsideError``, ``tarfile.TarError`` and ``OSError``."""
    root = os.path.realpath(folder)
    path = _path(root, member.name)
    if first_link(os.path.dirname(path), root):
        raise OutsideError(f"{member.name!r} lies behind a link")
    if member.islnk() and first_link(_path(root, member.linkname), root):
        raise OutsideError(f"{member.name!r} is a link to a link")
    if os.path.islink(path):
        os.unlink(path)  # replaced, not followed
    if hasattr(tarfile, "data_filter"):
        try:
            tar.extract(member, folder, filter="data")
        except tarfile.FilterError as error:
            raise OutsideError(str(error)) from error
    else:
        tar.extract(_checked(member, folder), folder)


def _path(root: str, name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise OutsideError(f"{name!r} leads outside of the folder")
    return os.path.join(root, *parts)


def _checked(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    name = member.name.lstrip("/")
    root = os.path.realpath(folder)
    target = _inside(root, os.path.join(root, name), member.name)
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise OutsideError(f"{member.name!r} is a special file")
    if member.issym() or member.islnk():
        if os.path.isabs(member.linkname):
            raise OutsideError(f"{member.name!r} is a link to an absolute path")
        # A symbolic link is read from its own folder, a hard link names another member.
        start = os.path.dirname(target) if member.issym() else root
        _inside(root, os.path.join(start, member.linkname), member.name)
    member.name = name
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    mode = member.mode & 0o755
    if member.isreg() or member.islnk():
        mode = (mode if mode & 0o100 else mode & ~0o111) | 0o600
    elif member.isdir():
        mode |= 0o700
    member.mode = mode
    return member


def _inside(root: str, path: str, name: str) -> str:
    target = os.path.realpath(path)
    if os.path.commonpath([target, root]) != root:
        raise OutsideError(f"{name!r} leads outside of the folder")
    return target
