"""Where a backup is written: a new folder, or a new archive."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clary.control.backup.files import BackupError, copy, digest, link_or_copy, sync, sync_tree
from clary.control.backup.manifest import NAME, Manifest
from clary.core.files import write_private


class Target(ABC):
    """Takes the files of one backup; ``files`` is what the manifest says of those that it has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """The path at which the body of the block makes the file ``name``."""
        path = self._place(name)
        yield path
        path.chmod(0o600)
        sync(path)
        self.files[name] = {"size": path.stat().st_size, "sha256": digest(path)}
        self._take(path, name)

    @abstractmethod
    def _place(self, name: str) -> Path:
        """Where a file is to be made."""

    def _take(self, path: Path, name: str) -> None:  # noqa: B027 - a folder has it already
        """Do with a file that has been made what is to be done."""

    @abstractmethod
    def blob(self, source: Path, name: str) -> int:
        """Take in a file that nobody changes; gives its bytes."""

    @abstractmethod
    def finish(self, manifest: Manifest) -> None:
        """Make all of it durable, and then the manifest."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what has been written."""


class Folder(Target):
    """A backup that is a folder."""

    def __init__(self, path: Path, *, link: bool = False, since: Path | None = None) -> None:
        """With ``link`` blobs get a second name where they lie; those that the backup ``since`` has get one there."""
        super().__init__(path)
        self._link = link
        self._since = since
        path.mkdir(mode=0o700)

    def _place(self, name: str) -> Path:
        path = self.path / name
        for folder in reversed(path.parents):
            if folder.is_relative_to(self.path):
                folder.mkdir(mode=0o700, exist_ok=True)
        return path

    def blob(self, source: Path, name: str) -> int:
        place = self._place(name)
        if self._since is not None and (there := self._since / name).is_file():
            return link_or_copy(there, place, 0o400)
        return link_or_copy(source, place, 0o400) if self._link else copy(source, place, 0o400)

    def finish(self, manifest: Manifest) -> None:
        sync_tree(self.path)
        write_private(self.path / NAME, manifest.to_json())
        sync(self.path.parent)

    def discard(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Archive(Target):
    """A backup that is one ``.tar`` file, which has its name once it is whole."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._part = path.with_name(path.name + ".part")
        self._workspace = path.with_name(path.name + ".files")
        for each in (self._part, self._workspace):
            if each.exists():
                raise BackupError(f"{each} is left of a backup that was interrupted, or still being made; delete it")
        self._workspace.mkdir(mode=0o700)
        file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(file, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - see `_close`

    def _place(self, name: str) -> Path:
        return self._workspace / "file"

    def _take(self, path: Path, name: str) -> None:
        self._add(path, name, 0o600)
        path.unlink()

    def blob(self, source: Path, name: str) -> int:
        return self._add(source, name, 0o400)

    def _add(self, source: Path, name: str, mode: int) -> int:
        member = tarfile.TarInfo(name)
        with source.open("rb") as file:
            status = os.fstat(file.fileno())
            member.size, member.mode, member.mtime = status.st_size, mode, int(status.st_mtime)
            self._tar.addfile(member, file)
        return member.size

    def finish(self, manifest: Manifest) -> None:
        with self.file(NAME) as path:
            path.write_text(manifest.to_json())
        self._close()
        sync(self._part)
        try:
            # Unlike a rename, this fails where somebody has put a file meanwhile.
            os.link(self._part, self.path)
        except FileExistsError as error:
            raise BackupError(f"{self.path} has appeared meanwhile, and is not overwritten") from error
        self._part.unlink()
        sync(self.path.parent)

    def _close(self) -> None:
        self._tar.close()
        self._file.close()
        shutil.rmtree(self._workspace, ignore_errors=True)

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # what it still wants to write does not fit either
            self._close()
        shutil.rmtree(self._workspace, ignore_errors=True)
        self._part.unlink(missing_ok=True)
