"""What every isolation does: turn a job's command into one that is held, and find the user's process again.

The implementations are used by the agent, so they import next to nothing; this protocol is for type checkers and
readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from clary.compute.agent.folder import JobFolder


class Isolation(Protocol):
    """A way to hold a process. Stateless."""

    name: str
    sandboxed: bool
    """Whether what runs inside is kept from the user's files, other jobs and, if asked, the network."""

    def available(self) -> tuple[bool, str]:
        """Whether it works on this machine, and if not, what to do about it."""

    def options(self) -> list[str]:
        """Arguments that make it stronger where this machine's version knows them; tried out, so ask once."""

    def refusal(self, folder: JobFolder) -> str:
        """Why this job must not run so, with a remedy; empty if it may. Isolation that cannot be given is never just
        left out."""

    def shown(self, folder: JobFolder, path: str) -> str:
        """Under which name the process sees the container's ``path`` (``/opt/ml/model``)."""

    def command(
        self, folder: JobFolder, command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str, dict[int, str]]:
        """The arguments, environment and working folder to start, and the files to open for it, by descriptor.

        ``environment`` is complete, and in terms of the container (``/opt/ml``, ``/opt/clary``, ``/run/clary``). Raises
        ``OSError`` for a program that is not there, ``ValueError`` for a variable that no process can have.
        """

    def main_process(self, process: int) -> int | None:
        """The pid of the user's process, given that of the started one; None while it is not there (yet, or any
        more)."""
