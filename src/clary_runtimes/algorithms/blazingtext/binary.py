"""Models as fastText's own files, which fastText and gensim read: written by floret, whose header has two numbers more.

Floret is a maintained fork of fastText. Reference: https://github.com/explosion/floret
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import floret  # type: ignore[import-not-found]

from clary_runtimes.algorithms.artifact import write_whole
from clary_runtimes.contract.errors import UserError

Model = Any
"""``floret``'s model."""

END = "</s>"
"""What fastText reads at the end of each line, as if it were a word."""
MAGIC = 793712314
VERSION = 12
_HEAD = struct.Struct("<ii")
_PLACE = 52
"""Bytes before the two numbers: magic, version, and eleven of the arguments."""
_MORE = struct.pack("<ii", 1, 0)
"""One hash for each subword, in tables such as fastText's."""


def shell(path: Path, **arguments: Any) -> Model:
    """An untrained model, with the dictionary of the text at ``path``. Raises ``UserError`` if it has no word."""
    return train(path, epoch=0, **arguments)


def train(path: Path, **arguments: Any) -> Model:
    """A model trained on the text at ``path``; ``arguments`` are those of fastText, with ``supervised`` as a model.

    Raises ``UserError`` if no word occurs often enough, or the vectors became infinite.
    """
    supervised = arguments["model"] == "supervised"
    if supervised:
        arguments = {name: value for name, value in arguments.items() if name != "model"}
    learn = floret.train_supervised if supervised else floret.train_unsupervised
    rare = f"No word occurs min_count ({arguments['minCount']}) times; lower min_count"
    try:
        model = learn(str(path), verbose=0, **arguments)
    except (ValueError, RuntimeError) as error:
        if "vocabulary" in str(error).lower():
            raise UserError(rare) from error
        if "nan" in str(error).lower():
            raise UserError("The vectors became infinite; lower learning_rate") from error
        raise
    if not set(model.get_words(on_unicode_error="replace")) - {END}:
        raise UserError(rare)
    return model


def save(model: Model, path: Path) -> None:
    """Write ``model`` as a file of fastText."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "model"
        model.save_model(str(own))
        with own.open("rb") as source:
            write_whole(path, lambda target: _copy(source, target, b"", len(_MORE)))


def load(path: Path) -> Model:
    """The model in a file of fastText, quantized or not. Raises ``UserError`` if it is none."""
    try:
        with path.open("rb") as source, tempfile.NamedTemporaryFile() as target:
            head = source.read(_HEAD.size)
            if len(head) < _HEAD.size or _HEAD.unpack(head) != (MAGIC, VERSION):
                raise UserError(f"{path} is not a model of fastText, version {VERSION}")
            source.seek(0)
            _copy(source, target, _MORE, 0)  # type: ignore[arg-type]
            target.flush()
            return floret.load_model(target.name)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} is not a model of fastText: {error}") from error


def _copy(source: BinaryIO, target: BinaryIO, more: bytes, skipped: int) -> None:
    target.write(source.read(_PLACE))
    target.write(more)
    source.seek(skipped, 1)
    shutil.copyfileobj(source, target, 1 << 20)
