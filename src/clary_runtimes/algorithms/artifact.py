"""Model files of our own: named arrays in the form of ``numpy.savez``, and files that are there wholly or not at all.

The official containers of these algorithms write Apache MXNet's own format, for which there is no maintained reader;
``numpy.load`` opens these.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent.parent, prefix=".model-", delete=False) as file:
        try:
            write(file)  # type: ignore[arg-type]
            file.flush()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


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
