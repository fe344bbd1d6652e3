"""Upload changed files while the job runs: checkpoints, and processing outputs of mode ``Continuous``."""

from __future__ import annotations

import os
import threading

from clary.compute.agent.beneath import open_folder, walk
from clary.compute.agent.staging import DataError, Interrupted, Staging, StoreUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from clary.compute.agent.folder import JobFolder
    from clary.compute.agent.journal import Log
    from clary.compute.spec import Output

Known = dict[str, tuple[int, int]]
"""What of an output has been uploaded: time of change and size by name."""


def restored(folder: JobFolder) -> dict[str, Known]:
    """By the path of each continuous output: what has just been brought in from where it is uploaded to."""
    sources = {(source.path, source.uri) for source in folder.spec.inputs}
    return {
        output.path: _found(folder, output) if (output.path, output.uri) in sources else {}
        for output in folder.spec.outputs
        if output.continuous
    }


def _found(folder: JobFolder, output: Output) -> Known:
    top = open_folder(folder, output.path)
    try:
        return {name: (status.st_mtime_ns, status.st_size) for name, _, _, status in walk(top)}
    finally:
        os.close(top)


class Copier:
    """A thread that uploads the continuous outputs of a job every few seconds."""

    def __init__(self, folder: JobFolder, log: Log, outputs: Sequence[Output], known: dict[str, Known]) -> None:
        """``known`` is by the output's path, and is kept up to date."""
        self._known = known
        self._outputs = outputs
        self._log = log
        self._pause = folder.spec.limits.sync_s
        self._over = threading.Event()
        self._staging = Staging(folder, lambda: not self._over.is_set(), log.note)
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin to upload."""
        self._thread.start()

    def end(self) -> None:
        """Stop, in the middle of a file if need be."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            for output in self._outputs:
                try:
                    self._staging.upload(output, self._known[output.path])
                except Interrupted:
                    break
                except (DataError, StoreUnreachable, OSError) as error:
                    self._log.note(f"{output.path} is not uploaded now and will be later: {error}")
