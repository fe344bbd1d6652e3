"""Where things lie under ``/opt/ml``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = "/opt/ml"


@dataclass(frozen=True)
class Folders:
    """The folders of the container contract below ``root`` (``/opt/ml`` in a container)."""

    root: Path

    @property
    def config(self) -> Path:
        """Where the platform puts the job's configuration files."""
        return self.root / "input" / "config"

    @property
    def input(self) -> Path:
        return self.root / "input"

    @property
    def model(self) -> Path:
        """What a training job leaves here becomes ``model.tar.gz``; a server finds that archive's content here."""
        return self.root / "model"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def output_data(self) -> Path:
        """What a training job leaves here becomes ``output.tar.gz``."""
        return self.root / "output" / "data"

    @property
    def failure(self) -> Path:
        """The file whose first 1,024 characters become the job's ``FailureReason``."""
        return self.root / "output" / "failure"

    @property
    def code(self) -> Path:
        """Where the user's unpacked source folder lies during training."""
        return self.root / "code"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    def channel(self, name: str) -> Path:
        """The folder with the data of channel ``name`` (``File`` and ``FastFile`` mode)."""
        return self.root / "input" / "data" / name

    def resolve(self, path: str) -> Path:
        """The place of ``path``, which may be written as ``/opt/ml/…`` or ``file:///opt/ml/…`` whatever the root is."""
        plain = path.removeprefix("file://")
        if plain == DEFAULT_ROOT or plain.startswith(DEFAULT_ROOT + "/"):
            return self.root / plain[len(DEFAULT_ROOT) :].lstrip("/")
        return Path(plain)


def folders(environ: Mapping[str, str] | None = None) -> Folders:
    """The contract's folders, below ``CLARY_ML_ROOT`` if that is set."""
    environ = os.environ if environ is None else environ
    return Folders(Path(environ.get("CLARY_ML_ROOT", DEFAULT_ROOT)))
