"""Deleting what a job has left, whatever permissions it gave to it, and however deep its folders are."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path


def delete(path: Path) -> None:
    """Delete a file, a link or a folder with all that is in it, if it is there; no process may change it any more.

    Raises ``OSError``.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        # A folder that its owner may not write to, as some tools make theirs, or folders within each other without end.
        _flatten(path)


def _flatten(path: Path) -> None:
    """Delete a folder by moving every folder in it up to its own, so that no path gets long."""
    path.chmod(0o700)
    while folders := _emptied(path):
        for folder in folders:
            folder.chmod(0o700)
            for each in _emptied(folder):
                each.chmod(0o700)  # a folder can be moved by who may write to it
                each.rename(path / uuid.uuid4().hex)
            folder.rmdir()
    path.rmdir()


def _emptied(folder: Path) -> list[Path]:
    """The folders in a folder whose other contents have been deleted."""
    folders = []
    with os.scandir(folder) as entries:
        for each in entries:
            if each.is_dir(follow_symlinks=False):
                folders.append(Path(each.path))
            else:
                Path(each.path).unlink()
    return folders
