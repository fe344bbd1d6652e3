"""Models of several files that are there wholly or not at all."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def staged(model: Path) -> Iterator[Path]:
    """A folder to write a model into, whose content goes into the folder ``model`` at the end.

    A job that is stopped before leaves nothing in ``model``: SIGTERM waits until everything is in its place.
    """
    model.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=model.parent, prefix=".model-"))
    try:
        yield folder
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            for path in sorted(folder.iterdir()):
                path.replace(model / path.name)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
