"""Unpacking members of tar archives from strangers; Python does it safely from 3.11.4 on, and Debian 12 has 3.11.2.

Reference: https://peps.python.org/pep-0706/, whose filter ``data`` is followed where Python has none.
"""

from __future__ import annotations

import os
import tarfile


class OutsideError(tarfile.TarError):
    """A member would leave the folder, or is nothing that data consists of."""


def extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: str) -> None:
    """Unpack one member below ``folder``. Raises ``OutsideError``, ``tarfile.TarError`` and ``OSError``."""
    if hasattr(tarfile, "data_filter"):
        try:
            tar.extract(member, folder, filter="data")
        except tarfile.FilterError as error:
            raise OutsideError(str(error)) from error
    else:
        tar.extract(_checked(member, folder), folder)


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
