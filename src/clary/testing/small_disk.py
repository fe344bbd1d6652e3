"""A disk that is small enough to get full, for tests."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """The folder of an empty file system of that size, gone at the end of the block.

    Raises ``PermissionError`` where it cannot be mounted, as by anybody but root.
    """
    # Not in pytest's folder: the paths of sockets are limited to about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PermissionError(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


def fill(file: Path) -> None:
    """Write to ``file`` until its disk has no free byte."""
    with file.open("wb", buffering=0) as stream:
        for piece in (b"x" * 65_536, b"x"):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(piece)
