"""An agent that waits for its job, with a process in a sandbox that has imported what jobs of its kind need."""

from __future__ import annotations

import os
import select

from clary.compute.agent.documents import dumps
from clary.compute.agent.environment import environment
from clary.compute.agent.folder import JobFolder
from clary.compute.agent.network import network_of
from clary.compute.agent.process import Child, isolation

READY = b"\0ready\n"
"""What the process prints when it has imported everything (see ``clary_runtimes.standby``)."""
_IMPORTED_LATER = ("channel", "flow", "http", "s3", "serving", "staging", "view")


class Warm:
    """A process that waits for what it is to be."""

    def __init__(self, folder: JobFolder) -> None:
        """Start it in ``folder``. Raises as ``Child`` does."""
        inner, self._told = os.pipe()
        os.set_inheritable(inner, True)
        words = ["python", "-m", "clary_runtimes.standby", *folder.spec.image.preload]
        held = isolation(folder.place.isolation)
        self.network = folder.network = network_of(folder)
        """That of its job, too."""
        try:
            self._child = Child(folder, held, words, environment(folder), standard_input=inner)
        finally:
            os.close(inner)

    def is_ready(self, told: int) -> bool:
        """Wait until it has imported everything; false if it cannot, or if ``told`` says that nobody wants it any more.

        What the modules have printed is nobody's log, and forgotten.
        """
        output = self._child.output
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(told, select.POLLIN)
        said = b""
        while not said.endswith(READY):
            if any(descriptor == told for descriptor, _ in poll.poll()):
                return False
            data = self._child.read()
            if data is None:
                return False
            said = (said + data)[-len(READY) :]
        return True

    def become(self, folder: JobFolder, command: list[str], values: dict[str, str]) -> Child | None:
        """The process, which from now on runs ``command`` as the job of ``folder``.

        None, and it is no more, where the job needs what its sandbox does not show.
        """
        fits = not folder.overlay and not folder.read_only and not self._child.poll()
        said = dumps({"command": command, "environment": {**values, "TMPDIR": "/tmp"}}).encode()
        try:
            if fits:
                while said:
                    said = said[os.write(self._told, said) :]
        except OSError:
            fits = False  # it has ended
        os.close(self._told)
        if not fits:
            self.end()
            return None
        self._child.belongs_to(folder)
        return self._child

    def end(self) -> None:
        """End it."""
        self._child.kill()
        self._child.close()


def wait(path: str, told: int) -> tuple[str, Warm | None]:
    """Make a standby of the folder ``path``, and wait for the job that comes over the descriptor ``told``.

    Gives the job's folder, and the process that shall run it; the folder is empty if no job will ever come.
    """
    folder = JobFolder(path)
    folder.create()
    warm = Warm(folder)
    if not warm.is_ready(told):
        warm.end()
        return "", None
    for name in _IMPORTED_LATER:
        __import__(f"clary.compute.agent.{name}")
    with open(folder.file("ready"), "wb"):
        pass  # its being there says that a job would start at once
    said = b""
    while not said.endswith(b"\n"):
        data = os.read(told, 4096)
        if not data:
            warm.end()
            return "", None
        said += data
    return os.fsdecode(said[:-1]), warm
