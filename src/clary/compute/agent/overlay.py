"""Lay the packages of a job's own ``requirements.txt`` over its environment."""

from __future__ import annotations

import os

from clary.compute.agent.beneath import open_beneath
from clary.compute.agent.folder import JobFolder
from clary.compute.agent.staging import DataError
from clary.compute.images.overlays import OverlayError, build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1 << 20


def overlay(folder: JobFolder, note: Callable[[str], None]) -> str:
    """The folder of the packages; empty if the job has no such file. Raises ``DataError``."""
    spec = folder.spec
    content = _read(folder, "code")
    if content is None and spec.kind == "server":
        # The SDKs pack the code of a server into the archive of its model.
        content = _read(folder, "model/code")
    installs_itself = content is None and os.path.isdir(folder.host_path("input/data/sm_drivers"))
    if installs_itself:
        # SDK v3 sends a program that calls pip; with the cached packages there is nothing left for pip to do.
        content = _read(folder, "input/data/code")
    if content is None:
        return ""
    python = spec.image.python or "python3"
    try:
        return build(folder.place.overlays, folder.place.uv, spec.image.environment, python, content, note)
    except OverlayError as error:
        if installs_itself:
            return ""
        raise DataError(str(error)) from error


def _read(folder: JobFolder, code: str) -> str | None:
    """The text of the job's ``requirements.txt`` in the folder ``code``; None if there is none."""
    name = str(folder.spec.requirements)
    try:
        file = open_beneath(folder, f"{code}/{name}")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error}.") from error
    try:
        return os.read(file, LONGEST).decode("utf-8-sig", "replace")
    finally:
        os.close(file)
