"""What a backup says about itself, written when all else of it is on disk: without it, it is no backup."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from clary.control.backup.files import BackupError
from clary.objects.index import SCHEMA_VERSION
from clary.state.tables import REVISION

NAME = "manifest.json"
FORMAT = 1
SQLITE, POSTGRESQL = "state/clary.db", "state/postgresql.dump"
"""Where a backup has the state, by the kind of database that it comes from."""
INDEX, BLOBS = "objects/index.db", "objects/blobs"


@dataclass
class Manifest:
    """One backup."""

    clary: str
    """The version of Clary that made it."""
    time: str
    """When it was as the backup has it: ISO 8601, UTC."""
    home: str
    account: str
    database: str
    """``sqlite`` or ``postgresql``; empty before the first start."""
    revision: str = ""
    """The migration that the state had come to."""
    layout: int = 0
    """The layout of the objects' index; 0 where there is none, because they are in an external store for instance."""
    blobs: int = 0
    blob_bytes: int = 0
    secrets: bool = True
    master_key: str = ""
    """What the installation's master key is recognised by; empty if it was not to be read."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """``size`` and ``sha256`` of each file but the blobs, whose digests are in the objects' index."""
    format: int = FORMAT

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: bytes, place: str) -> Manifest:
        """Raises ``BackupError`` if it is none, or of a program that came after this one."""
        try:
            document = json.loads(text)
            made_by, form = str(document["clary"]), int(document["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{place} is not a backup of Clary: its {NAME} cannot be read") from error
        if form > FORMAT:
            raise _newer(place, made_by)
        try:
            found = cls(**{each.name: document[each.name] for each in fields(cls)})
            if found.revision > REVISION or found.layout > SCHEMA_VERSION:
                raise _newer(place, made_by)
            for name, entry in found.files.items():
                _check_name(name, place)
                str(entry["sha256"]), int(entry["size"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BackupError(f"{place} is damaged: its {NAME} lacks {error}") from error
        return found


def _newer(place: str, made_by: str) -> BackupError:
    return BackupError(f"{place} was made by Clary {made_by}, which is newer than this one; restore it with that one")


def _check_name(name: str, place: str) -> None:
    if not all(part not in ("", ".", "..") for part in name.split("/")) or "\0" in name:
        raise BackupError(f"{place} is damaged: its {NAME} names {name!r}, which is no file of a backup")


def fingerprint(master_key: bytes) -> str:
    """What a master key is recognised by, and cannot be found from."""
    return hashlib.sha256(b"clary master key\0" + master_key).hexdigest()
