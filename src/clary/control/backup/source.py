"""Where a backup is read from: a folder, or an archive."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clary.control.backup.files import BackupError, copy
from clary.control.backup.manifest import NAME, Manifest


class Source(ABC):
    """One backup; ``manifest`` is what it says about itself."""

    manifest: Manifest

    @abstractmethod
    def extract(self, name: str, target: Path, mode: int) -> int:
        """Copy a file of the backup to ``target``; gives its bytes. Raises ``BackupError`` if it is not there."""


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The backup at ``path``. Raises ``BackupError`` if it is none, and ``OSError`` if it cannot be read."""
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        with tarfile.open(path, "r:") as archive:
            yield _Archive(path, archive)
    except tarfile.TarError as error:
        raise BackupError(f"{path} is not a backup of Clary, or was cut off: {error}") from error


class _Folder(Source):
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            text = (path / NAME).read_bytes()
        except FileNotFoundError:
            raise _interrupted(path) from None
        self.manifest = Manifest.from_json(text, str(path))

    def extract(self, name: str, target: Path, mode: int) -> int:
        try:
            return copy(self._path / name, target, mode)
        except FileNotFoundError:
            if target.parent.is_dir():
                raise _missing(self._path, name) from None
            raise


class _Archive(Source):
    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self._path = path
        self._archive = archive
        self._members = {member.name: member for member in archive.getmembers()}
        text = self._open(NAME)
        if text is None:
            raise _interrupted(path)
        with text:
            self.manifest = Manifest.from_json(text.read(), str(path))

    def _open(self, name: str) -> IO[bytes] | None:
        member = self._members.get(name)
        # Nothing but plain files is in a backup; a link would lead to whatever its maker wanted.
        return self._archive.extractfile(member) if member is not None and member.isreg() else None

    def extract(self, name: str, target: Path, mode: int) -> int:
        file = self._open(name)
        if file is None:
            raise _missing(self._path, name)
        with file, target.open("xb") as made:
            target.chmod(mode)
            shutil.copyfileobj(file, made, 1 << 20)
            made.flush()
            os.fsync(made.fileno())
            return made.tell()


def _interrupted(path: Path) -> BackupError:
    return BackupError(f"{path} has no {NAME}: it is not a backup of Clary, or one that was interrupted")


def _missing(path: Path, name: str) -> BackupError:
    return BackupError(f"{path} is damaged: {name} is missing")
