"""Copying the files of a home folder: durably, without following links, and at no cost where the disk can share."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_PIECE = 1 << 20
_FICLONE = 0x40049409
_SQLITE = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; a copy of the whole database needs none of it."""


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why, for a person."""


def copy(source: Path, target: Path, mode: int = 0o600) -> int:
    """Copy a regular file to a new one, on disk at the end; gives its bytes. Raises ``OSError``, also for a link."""
    origin = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                fcntl.ioctl(made, _FICLONE, origin)
            except OSError:  # not on this file system, or across two
                while data := os.read(origin, _PIECE):
                    view = memoryview(data)
                    while view:
                        view = view[os.write(made, view) :]
            os.fsync(made)
            return os.fstat(made).st_size
        finally:
            os.close(made)
    finally:
        os.close(origin)


def link_or_copy(source: Path, target: Path, mode: int) -> int:
    """Give a file that nobody ever changes a second name, or copy it where that does not go; gives its bytes."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        return copy(source, target, mode)
    return target.stat().st_size


def digest(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def regular_files(folder: Path) -> Iterator[Path]:
    """The regular files below ``folder``, which need not be there, but those that SQLite keeps beside a database.

    Links are left out: a job could have made them, to whatever only the platform can read.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from regular_files(path)
        elif entry.is_file(follow_symlinks=False) and not _lies_beside(path):
            yield path


def _lies_beside(path: Path) -> bool:
    return any(path.name.endswith(each) and is_sqlite(Path(str(path).removesuffix(each))) for each in _BESIDE)


def is_sqlite(path: Path) -> bool:
    """Whether a regular file is a database of SQLite."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(file).st_mode) and os.read(file, len(_SQLITE)) == _SQLITE
    finally:
        os.close(file)


def sync_tree(folder: Path) -> None:
    """Make the names in ``folder`` and below it durable."""
    for each, _, _ in os.walk(folder, topdown=False):
        sync(Path(each))


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
