"""Restoring a backup.

Everything is copied to a folder beside the home folder and verified there; then that folder gets the home folder's
name. Until that moment nothing of what is there has been touched, and whatever ends this before leaves it as it was.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from clary.compute.placement.base import PlacementError
from clary.compute.placement.local import LocalPlacement
from clary.control.backup import postgresql
from clary.control.backup.files import BackupError, copy, digest, sync, sync_tree
from clary.control.backup.manifest import BLOBS, INDEX, POSTGRESQL, SQLITE, Manifest, fingerprint
from clary.control.backup.source import Source, open_source
from clary.control.backup.write import Progress
from clary.core.locks import is_held
from clary.core.settings import Settings, SettingsError, load
from clary.objects import hold as holding
from clary.objects.blobs import BlobFiles, Numbers
from clary.objects.check import check
from clary.services.iam.vault import master_key_of
from clary.state.snapshot import check_empty, move_logs, sqlite_file, sqlite_snapshot

_KEY_BYTES = 32


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be restored."""

    source: Path
    replace: bool = False
    """Whether an installation that is there is moved aside."""
    master_key: Path | None = None
    """The file of the master key, for a backup that was made without secrets."""


def restore(home: Path, wish: Wish, progress: Progress) -> dict[str, Any]:
    """Restore a backup to ``home``; gives what is to be said about it.

    Raises ``BackupError``, ``SettingsError``, ``OSError`` and ``sqlite3.Error``; ``home`` is then as it was.
    """
    began = time.monotonic()
    _check_home(home, wish.replace)
    with open_source(wish.source) as source, _translated(), _beside(home) as staging:
        manifest = source.manifest
        size = sum(entry["size"] for entry in manifest.files.values()) + manifest.blob_bytes
        _check_room(staging, size)
        _extract(source, staging, size, progress)
        _check_objects(wish.source, manifest, staging)
        settings = replace(load(staging), home=home)
        _place_master_key(wish, manifest, settings, staging)
        _load_state(manifest, settings, staging)
        sync_tree(staging)
        aside = _move_in(home, staging)
    return {
        "restored": str(wish.source),
        "home": str(home),
        "time": manifest.time,
        "clary": manifest.clary,
        "blobs": manifest.blobs,
        "files": len(manifest.files),
        "bytes": size,
        "seconds": round(time.monotonic() - began, 3),
        "aside": str(aside or ""),
    }


def _check_home(home: Path, may_replace: bool) -> None:
    if home.exists() and not home.is_dir():
        raise BackupError(f"{home} is not a folder")
    if is_held(home / "run" / "supervisor.lock"):
        raise BackupError(f"Clary runs in {home}; stop it first with: clary down")
    if home.is_dir() and any(home.iterdir()) and not may_replace:
        raise BackupError(f"{home} is not empty; --replace moves what is there aside, --home names another folder")
    if home.is_mount():
        raise BackupError(f"{home} is a mount point and cannot be exchanged; restore into a folder below it")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be used: {str(error).splitlines()[0]}") from error


@contextlib.contextmanager
def _beside(home: Path) -> Iterator[Path]:
    """A new folder beside the home folder, which is gone at the end if it has not become that."""
    real = home.resolve()
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = real.with_name(f".{real.name}.restoring")
    try:
        staging.mkdir(mode=0o700)
    except FileExistsError:
        raise BackupError(f"{staging} is left of a restore that was interrupted, or still at work; delete it") from None
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise BackupError(f"the backup needs {size / 1e6:,.0f} MB, and {folder.parent} has {free / 1e6:,.0f} MB left")


def _extract(source: Source, staging: Path, total: int, progress: Progress) -> None:
    done = 0
    for name, entry in source.manifest.files.items():
        target = staging / name
        _make_folder(target.parent, staging)
        done += source.extract(name, target, 0o600)
        if target.stat().st_size != entry["size"] or digest(target) != entry["sha256"]:
            raise BackupError(f"the backup is damaged: {name} is not what was written there")
        progress(min(done, total), total)
    if (staging / INDEX).exists():
        store = BlobFiles(staging / BLOBS, Numbers(0))
        _make_folder(staging / BLOBS, staging)
        with sqlite_snapshot(staging / INDEX) as index:
            blobs = holding.files(index)
        for blob in blobs:
            target = store.path(blob)
            _make_folder(target.parent, staging)
            done += source.extract(str(target.relative_to(staging)), target, 0o400)
            progress(min(done, total), total)


def _make_folder(folder: Path, staging: Path) -> None:
    for each in (*reversed(folder.parents), folder):
        if each.is_relative_to(staging):
            each.mkdir(mode=0o700, exist_ok=True)


def _check_objects(place: Path, manifest: Manifest, staging: Path) -> None:
    """See that every blob is as it was written. Raises ``BackupError``, which names objects that are not."""
    if not manifest.layout:
        return
    # It is brought to the layout of today, which says what the digests are.
    holding.bring_up_to_date(staging / INDEX)
    for line in check(staging / "objects"):
        if "what" in line:
            name = ", ".join(line["objects"][:3]) or line["damaged"]
            raise BackupError(f"{place} is damaged: {name}: {line['what']}")


def _place_master_key(wish: Wish, manifest: Manifest, settings: Settings, staging: Path) -> None:
    """See that what is encrypted can be read. Raises ``BackupError`` without the key that it was encrypted under."""
    inside = staging / "secrets" / "master.key"
    if settings.master_key:
        # It lies outside of the home folder, and is not a backup's to bring. It may still be on its way here.
        if manifest.master_key and settings.master_key_file.exists():
            _check_key(master_key_of(settings), manifest, str(settings.master_key_file))
        return
    if wish.master_key is not None:
        key = wish.master_key.read_bytes()
        if len(key) != _KEY_BYTES:
            raise BackupError(f"{wish.master_key} does not hold a master key of {_KEY_BYTES} bytes")
        _check_key(key, manifest, str(wish.master_key))
        _make_folder(inside.parent, staging)
        inside.unlink(missing_ok=True)
        copy(wish.master_key, inside)
    elif manifest.master_key and not inside.exists():
        # A start would make a new one, under which nothing could be read that was encrypted before.
        raise BackupError("the backup was made without secrets: name the file of its master key with --master-key")


def _check_key(key: bytes, manifest: Manifest, place: str) -> None:
    if manifest.master_key and fingerprint(key) != manifest.master_key:
        raise BackupError(f"{place} is not the master key of the installation that the backup is of")


def _load_state(manifest: Manifest, settings: Settings, staging: Path) -> None:
    """Put the state where the settings want it, if that is not in the home folder."""
    file = sqlite_file(settings.database_url)
    wanted = "postgresql" if file is None else "sqlite"
    if manifest.database not in ("", wanted):
        raise BackupError(
            f"the backup's state is of {manifest.database}, and the setting database names one of {wanted}: "
            "what is in CLARY_DATABASE counts before the backup's settings.toml"
        )
    before, url = Path(manifest.home), settings.database_url
    if file is None:
        if manifest.database:
            check_empty(url)
            postgresql.load(url, staging / POSTGRESQL)
            (staging / POSTGRESQL).unlink()
            move_logs(url, before, settings.home)
        return
    if not (staging / SQLITE).exists():
        return
    move_logs(f"sqlite:///{staging / SQLITE}", before, settings.home)
    if not file.is_relative_to(settings.home):
        if file.exists():
            raise BackupError(f"the setting database names {file}, which is there already; move it away first")
        copy(staging / SQLITE, file)
        sync(file.parent)
        (staging / SQLITE).unlink()


def _move_in(home: Path, staging: Path) -> Path | None:
    """Give ``staging`` the name of the home folder; gives where what had the name is now, if that was not empty."""
    real, aside = home.resolve(), None
    if real.is_dir() and any(real.iterdir()):
        _end_jobs(home)
        aside = real.with_name(f"{real.name}.before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        real.rename(aside)
    staging.rename(real)
    sync(real.parent)
    return aside


def _end_jobs(home: Path) -> None:
    """End what works for the installation that is moved aside: it would go on in folders that are another's then."""
    try:
        placement = LocalPlacement(load(home))
        for job in placement.list():
            placement.end(job)
    except (SettingsError, PlacementError) as error:
        raise BackupError(f"the jobs of {home} cannot be ended: {error}") from error
