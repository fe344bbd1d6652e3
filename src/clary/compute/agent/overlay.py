"""Lay the packages of a job's own ``requirements.txt`` over its environment."""

from __future__ import annotations

import os

from clary.compute.agent.folder import JobFolder, open_inside
from clary.compute.agent.staging import DataError
from clary.compute.images.overlays import OverlayError, build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1 << 20


def overlay(folder: JobFolder, note: Callable[[str], None]) -> str:
    """The folder of the packages; empty if the job has no such file. Raises ``DataError``."""
    spec = folder.spec
    code = os.path.join(folder.ml, "code")
    name = folder.host_path(f"code/{spec.requirements}")
    try:
        file = open_inside(name, code)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise DataError(f"{spec.requirements} cannot be read: {error}.") from error
    try:
        content = os.read(file, LONGEST).decode("utf-8-sig", "replace")
    finally:
        os.close(file)
    python = spec.image.python or "python3"
    try:
        return build(folder.place.overlays, folder.place.uv, spec.image.environment, python, content, note)
    except OverlayError as error:
        raise DataError(str(error)) from error
