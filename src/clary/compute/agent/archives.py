"""Unpacking members of tar archives from strangers.

Reference: https://peps.python.org/pep-0706/, whose filter ``data`` Python has from 3.11.4 on, and is followed where
Python has none: Debian 12 has 3.11.2. It resolves paths, which can be outwitted (CVE-2025-4517), so links on the way to
a member are refused besides.
"""

from __future__ import annotations

import os
import tarfile

from clary.compute.agent.folder import first_link


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
