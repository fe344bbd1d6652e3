"""FastFile mode: a sandbox shows the job the store's own files, so that nothing is read before the job reads it.

What cannot be shown so (the store is on another machine, there is no sandbox, there are too many objects) is copied.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data.html
"""

from __future__ import annotations

import os

from clary.compute.agent.folder import ML, JobFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.spec import Input

MOST = 256
"""Objects of a job that are shown; each is a mount, and every mount makes the next one slower."""
LEAST = 1 << 20
"""Bytes from which an object is shown; smaller ones are copied more quickly than mounted."""


class View:
    """The objects of one input that the job sees where the store has them, read-only."""

    def __init__(self, folder: JobFolder, source: Input) -> None:
        self._folder = folder
        self._inside = os.path.normpath(os.path.join(ML, source.path))
        self._target = folder.host_path(source.path)
        if folder.place.isolation == "bubblewrap":
            folder.read_only[self._inside] = self._target

    def takes(self, size: int) -> bool:
        """Whether an object of ``size`` bytes can be shown."""
        shown = self._folder.read_only
        return self._inside in shown and size >= LEAST and len(shown) < MOST

    def add(self, path: str, file: str) -> bool:
        """Show ``file`` of the store as ``path`` below the input's folder; false if that cannot be done."""
        if not file:
            return False
        held = self._folder.file(f"shown/{len(self._folder.read_only)}")
        os.makedirs(os.path.dirname(held), mode=0o700, exist_ok=True)
        try:
            # A second name, which the job cannot reach: the object may be replaced or deleted before it is mounted.
            os.link(file, held)
        except OSError:
            return False
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644))  # what is mounted upon
        self._folder.read_only[self._inside + path[len(self._target) :]] = held
        return True
