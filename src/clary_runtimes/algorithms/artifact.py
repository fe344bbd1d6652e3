"""Model files of our own: named arrays in the form of ``numpy.savez``, and files that are there wholly or not at all.

The official containers of these algorithms write Apache MXNet's own format, for which there is no maintained reader;
``numpy.load`` opens these.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from clary_runtimes.contract.errors import UserError

Array = Any

NAME = "model_algo-1"
"""The file in ``model.tar.gz``, as the documentation calls it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html#td-deserialization
"""


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a file that then becomes ``path``.

    It is made beside the folder, so that a job that is stopped meanwhile leaves nothing half-written in it.
    """
    write_together(path.parent, {path.name: write})


def write_together(folder: Path, files: Mapping[str, Callable[[BinaryIO], object]]) -> None:
    """The same for files of a folder that are a model only together, each with what fills it."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    try:
        for name, write in files.items():
            with tempfile.NamedTemporaryFile(dir=folder.parent, prefix=".model-", delete=False) as file:
                made[name] = Path(file.name)
                write(file)  # type: ignore[arg-type]
            made[name].chmod(0o644)
        with _stopped_later():
            for name, path in made.items():
                path.replace(folder / name)
    except BaseException:
        for path in made.values():
            path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _stopped_later() -> Iterator[None]:
    """A SIGTERM that comes meanwhile counts afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can say what a signal does
        return
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if came:
            os.kill(os.getpid(), signal.SIGTERM)


def save_arrays(folder: Path, form: str, arrays: Mapping[str, Array]) -> None:
    """Write arrays as ``model_algo-1`` in ``folder``, with ``form`` under the name ``format``."""
    write_whole(folder / NAME, lambda file: np.savez(file, format=np.array(form), **arrays))


def load_arrays(folder: Path, form: str) -> dict[str, Array]:
    """The arrays in ``folder``. Raises ``UserError`` if they are not there or of another form."""
    path = folder / NAME
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = dict(found)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{folder} holds no model of this algorithm: {error}") from error
    if str(arrays.pop("format", "")) != form:
        raise UserError(f"{path} is not a model of the form {form}")
    return arrays
