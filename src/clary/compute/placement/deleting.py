"""Deleting what a job has left, whatever permissions it gave to it."""

from __future__ import annotations

import os
import shutil
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
    except PermissionError:
        # A folder that its owner may not write to, as some tools make theirs: its files would stay.
        _open_up(path)
        shutil.rmtree(path)


def _open_up(path: Path) -> None:
    folders = [path]
    while folders:
        folder = folders.pop()
        folder.chmod(0o700)
        with os.scandir(folder) as entries:
            folders += [Path(each.path) for each in entries if each.is_dir(follow_symlinks=False)]
