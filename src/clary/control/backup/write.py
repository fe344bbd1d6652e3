"""Making a backup.

State and objects are taken at one moment. For that moment, milliseconds, nobody may commit a change to the objects'
index; meanwhile a view of the state begins, and one of the index. What the two views show is written out afterwards
while everybody works on. So an object that the state names is in the backup unless it was deleted before, and the key
that an object is encrypted with is in the state. Blobs are immutable, and none is removed while they are copied.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from clary import __version__
from clary.control.backup import postgresql
from clary.control.backup.files import BackupError, copy, is_sqlite, regular_files
from clary.control.backup.manifest import BLOBS, INDEX, NAME, POSTGRESQL, SQLITE, Manifest, fingerprint
from clary.control.backup.target import Archive, Folder, Target
from clary.core.clock import iso, now
from clary.core.settings import Settings, SettingsError
from clary.objects import hold as holding
from clary.objects.blobs import BlobFiles, Numbers
from clary.objects.errors import StoreInUse
from clary.services.iam.vault import master_key_of
from clary.state.snapshot import copy_out, revision_of, server_snapshot, sqlite_file, sqlite_snapshot

Progress = Callable[[int, int], None]
"""Is told the bytes written, and the bytes to be written in all."""
_KEPT_OF_JOBS = ("log", "data-log", "metrics.jsonl")
_SPARE = 16 << 20
"""Bytes of disk to be left over: folders, names and the manifest take some too."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a backup."""

    target: Path
    secrets: bool = True
    link: bool = False
    """Whether blobs get a second name in the target instead of a copy there."""
    since: Path | None = None
    """An older backup, whose blobs get a second name instead of a copy."""


@dataclass
class _Point:
    """One moment of an installation, as long as the block lasts that it was made by."""

    time: float
    state: sqlite3.Connection | str | None = None
    """A view of SQLite, or the name of PostgreSQL's; ``None`` before the first start."""
    revision: str = ""
    index: sqlite3.Connection | None = None


def backup(settings: Settings, wish: Wish, progress: Progress) -> dict[str, Any]:
    """Make a backup; gives what is to be said about it.

    Raises ``BackupError``, and then nothing is left of it; ``OSError`` and ``sqlite3.Error`` if a disk fails.
    """
    began = time.monotonic()
    _check(settings, wish)
    with _translated(), _point(settings) as point:
        files = _files(settings, wish.secrets)
        blobs = holding.files(point.index) if point.index is not None else []
        total = _size(settings, files, blobs) + _size_of_databases(point, settings)
        linked = wish.link or wish.since is not None
        if not linked:
            _check_room(wish.target.parent, total)
        target = _target(wish)
        try:
            manifest = _write(settings, wish, point, files, blobs, target, _Count(progress, total))
            target.finish(manifest)
        except BaseException:
            target.discard()
            raise
    written = manifest.blob_bytes + sum(each["size"] for each in target.files.values())
    return {
        "backup": str(wish.target),
        "time": manifest.time,
        "files": len(target.files),
        "blobs": manifest.blobs,
        "bytes": written,
        "seconds": round(time.monotonic() - began, 3),
        "secrets": manifest.secrets,
        "masterKeyFile": str(settings.master_key_file) if settings.master_key else "",
        "externalObjects": settings.objects_url,
    }


def _check(settings: Settings, wish: Wish) -> None:
    if not (settings.home / "secrets").is_dir():
        raise BackupError(f"there is no Clary in {settings.home} that could be backed up")
    if os.path.lexists(wish.target):
        unfinished = wish.target.is_dir() and not (wish.target / NAME).exists()
        what = "is an interrupted backup, or none at all" if unfinished else "exists"
        raise BackupError(f"{wish.target} {what}; a backup overwrites nothing: delete it or choose another name")
    if not wish.target.parent.is_dir():
        raise BackupError(f"there is no folder {wish.target.parent} to write the backup to")
    if wish.target.resolve().is_relative_to(settings.home.resolve()):
        raise BackupError("a backup inside of the home folder would be lost with it; choose another place")
    is_archive = wish.target.suffix == ".tar"
    if is_archive and (wish.link or wish.since is not None):
        raise BackupError("an archive shares no files with anything: --link and --since are for folders")
    if wish.since is not None and not (wish.since / NAME).is_file():
        raise BackupError(f"{wish.since} is not a backup in a folder, or was interrupted")
    if sqlite_file(settings.database_url) is None:
        postgresql.check_program("pg_dump")


def _target(wish: Wish) -> Target:
    if wish.target.suffix == ".tar":
        return Archive(wish.target)
    return Folder(wish.target, link=wish.link, since=wish.since)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except StoreInUse as error:
        raise BackupError(str(error)) from error
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be read: {str(error).splitlines()[0]}") from error


@contextlib.contextmanager
def _point(settings: Settings) -> Iterator[_Point]:
    index, database = settings.home / INDEX, sqlite_file(settings.database_url)
    with contextlib.ExitStack() as stack:
        if not settings.objects_url and index.exists():
            stack.enter_context(holding.hold(settings.objects))
            still = stack.enter_context(contextlib.ExitStack())
            still.enter_context(holding.unchanging(index))
        else:
            still = contextlib.ExitStack()
        point = _Point(now())
        if database is None:
            point.state, point.revision = stack.enter_context(server_snapshot(settings.database_url))
        elif database.exists():
            view = stack.enter_context(sqlite_snapshot(database))
            point.state, point.revision = view, revision_of(view)
        if not settings.objects_url and index.exists():
            point.index = stack.enter_context(sqlite_snapshot(index))
        still.close()
        yield point


def _files(settings: Settings, secrets: bool) -> dict[str, Path]:
    """What is copied as it is, by its name in the backup."""
    home, found = settings.home, {}
    for name in ("settings.toml", "state/installation"):
        if (home / name).is_file():
            found[name] = home / name
    folders = [home / "logs", home / "trail", home / "volumes", *([settings.secrets] if secrets else [])]
    for folder in folders:
        found |= {str(path.relative_to(home)): path for path in regular_files(folder)}
    for job in sorted(settings.jobs.iterdir()) if settings.jobs.is_dir() else []:
        kept = (job / name for name in _KEPT_OF_JOBS)
        found |= {str(path.relative_to(home)): path for path in kept if path.is_file() and not path.is_symlink()}
    return found


def _size(settings: Settings, files: dict[str, Path], blobs: list[int]) -> int:
    store, total = BlobFiles(settings.home / BLOBS, Numbers(0)), 0
    for path in (*files.values(), *map(store.path, blobs)):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _size_of_databases(point: _Point, settings: Settings) -> int:
    views = [view for view in (point.state, point.index) if isinstance(view, sqlite3.Connection)]
    return sum(
        int(view.execute("PRAGMA page_count").fetchone()[0]) * int(view.execute("PRAGMA page_size").fetchone()[0])
        for view in views
    )


def _check_room(folder: Path, total: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < total + _SPARE:
        raise BackupError(f"the backup needs {total / 1e6:,.0f} MB, and {folder} has {free / 1e6:,.0f} MB left")


class _Count:
    """Adds up what has been written."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, count: int) -> None:
        self._done = min(self._done + count, self._total)
        self._progress(self._done, self._total)


def _write(
    settings: Settings,
    wish: Wish,
    point: _Point,
    files: dict[str, Path],
    blobs: list[int],
    target: Target,
    count: _Count,
) -> Manifest:
    manifest = Manifest(
        clary=__version__,
        time=iso(point.time),
        home=str(settings.home),
        account=settings.account,
        database="",
        revision=point.revision,
        secrets=wish.secrets,
        master_key=_fingerprint(settings),
        files=target.files,
    )
    if isinstance(point.state, str):
        manifest.database = "postgresql"
        with target.file(POSTGRESQL) as path:
            postgresql.dump(settings.database_url, point.state, path)
    elif point.state is not None:
        manifest.database = "sqlite"
        with target.file(SQLITE) as path:
            copy_out(point.state, path, count.add)
    if point.index is not None:
        manifest.layout = holding.layout_of(point.index)
        with target.file(INDEX) as path:
            copy_out(point.index, path, count.add)
        store = BlobFiles(settings.home / BLOBS, Numbers(0))
        for blob in blobs:
            path = store.path(blob)
            try:
                size = target.blob(path, str(path.relative_to(settings.home)))
            except FileNotFoundError as error:
                raise BackupError(
                    f"the store has lost the file {path.relative_to(settings.home)}; `clary doctor --deep` names the "
                    "objects that are damaged: delete them or write them anew"
                ) from error
            manifest.blobs, manifest.blob_bytes = manifest.blobs + 1, manifest.blob_bytes + size
            count.add(size)
    for name, path in files.items():
        _copy_file(path, name, target, count)
    return manifest


def _copy_file(path: Path, name: str, target: Target, count: _Count) -> None:
    if name.startswith("volumes/") and is_sqlite(path):
        with sqlite_snapshot(path) as view, target.file(name) as place:
            copy_out(view, place, count.add)
        return
    with contextlib.suppress(FileNotFoundError), target.file(name) as place:  # somebody deleted a job or a log
        count.add(copy(path, place))


def _fingerprint(settings: Settings) -> str:
    if not settings.master_key_file.exists():
        return ""
    try:
        return fingerprint(master_key_of(settings))
    except SettingsError as error:
        raise BackupError(str(error)) from error
