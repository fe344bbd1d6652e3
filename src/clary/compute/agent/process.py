"""The user's process: start it held, see it, end it with everything that it started."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` builds enums: a third of the whole start
import os
import time

from clary.compute.isolation.bubblewrap import Bubblewrap, children
from clary.compute.isolation.plain import Plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from clary.compute.agent.folder import JobFolder
    from clary.compute.isolation.base import Isolation

MARK = "CLARY_JOB_FOLDER"
"""Variable that every process of a job carries; leftovers of a dead agent are found by it."""


def isolation(name: str) -> Isolation:
    """The isolation of that name. Raises ``ValueError``."""
    if name == "bubblewrap":
        return Bubblewrap()
    if name == "plain":
        return Plain()
    raise ValueError(f"there is no isolation {name!r}")


class Child:
    """A started process; its output is read from the descriptor ``output``."""

    def __init__(
        self,
        folder: JobFolder,
        held: Isolation,
        command: list[str],
        environment: dict[str, str],
        standard_input: int | None = None,
    ) -> None:
        """Start it. Raises ``OSError`` if the program cannot be started, ``ValueError`` if its arguments or variables
        cannot be given to any."""
        arguments, values, here, opened = held.command(folder, command, environment)
        if held.sandboxed and folder.read_only:
            arguments = _with_read_only(arguments, folder.read_only)
        values[MARK] = folder.path
        self._held = held
        self._folder = folder
        self.output, inner = os.pipe()
        os.set_blocking(self.output, False)
        os.chdir(here)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
            if standard_input is None
            else (os.POSIX_SPAWN_DUP2, standard_input, 0),
            (os.POSIX_SPAWN_DUP2, inner, 1),
            (os.POSIX_SPAWN_DUP2, inner, 2),
            # Last, since these numbers may be taken here.
            *((os.POSIX_SPAWN_OPEN, number, path, os.O_RDONLY, 0) for number, path in opened.items()),
        ]
        usual = [signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP]
        try:
            self.pid = os.posix_spawnp(
                arguments[0], arguments, values, file_actions=actions, setsid=True, setsigmask=(), setsigdef=usual
            )
        except (OSError, ValueError):
            os.close(self.output)
            raise
        finally:
            os.close(inner)
        self.began = time.monotonic()
        self.exit_code: int | None = None
        """128 + the signal's number for a process that a signal ended, as shells and containers count."""
        aside = folder.file("process.new")
        with open(aside, "w", encoding="utf-8") as file:
            file.write(f"{self.pid} {start_time(self.pid)}")
        os.rename(aside, folder.file("process"))

    def belongs_to(self, folder: JobFolder) -> None:
        """From now on it is the process of another job, whose time begins here."""
        self._folder = folder
        self.began = time.monotonic()

    def poll(self) -> bool:
        """Whether the process has ended."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = 128 - code if code < 0 else code
        return self.exit_code is not None

    def terminate(self) -> bool:
        """Send SIGTERM to the user's process, not to what holds it; False if it is not there yet."""
        main = self._held.main_process(self.pid)
        if main is None:
            return False
        _kill(main, signal.SIGTERM)
        return True

    def kill(self) -> None:
        """End everything that the process started, at once, and wait for it."""
        if self._held.sandboxed:
            for first in children(self.pid):
                _kill(first, signal.SIGKILL)  # the sandbox's first process takes all others with it
            until = time.monotonic() + 5
            while not self.poll() and time.monotonic() < until:
                time.sleep(0.002)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        while not self.poll():
            time.sleep(0.002)
        if not self._held.sandboxed:
            kill_marked(self._folder.path)

    def memory(self) -> int:
        """Bytes of memory that the process and its descendants hold, shared pages counted for each."""
        return sum(_resident(each) for each in descendants(self.pid))

    def memory_proportional(self) -> int:
        """The same with shared pages counted once; slower."""
        return sum(_proportional(each) for each in descendants(self.pid))

    def read(self) -> bytes | None:
        """Output that is there now; empty if there is none yet, None at the end."""
        try:
            data = os.read(self.output, 1 << 18)
        except BlockingIOError:
            return b""
        return data or None

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.output)


def _with_read_only(arguments: list[str], shown: dict[str, str]) -> list[str]:
    """The command of a sandbox with further mounts, after all others."""
    place = arguments.index("--chdir")
    mounts = [word for name, path in shown.items() for word in ("--ro-bind", path, name)]
    return [*arguments[:place], *mounts, *arguments[place:]]


def descendants(process: int) -> Iterator[int]:
    """``process`` and all that came from it, however deep."""
    left = [process]
    while left:
        yield (each := left.pop())
        left += children(each)


def cpu_seconds(process: int) -> float:
    """Seconds of the CPU that a process, all that came from it, and what those have waited for have used."""
    return sum(_ticks(each) for each in descendants(process)) / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return sum(map(int, file.read().rpartition(b")")[2].split()[11:15]))
    except (OSError, ValueError):
        return 0


def start_time(process: int) -> str:
    """When the process started, in the kernel's ticks: with its pid, a name that is never used twice. Empty if it is
    gone or unknown."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def kill_leftovers(folder: str) -> None:
    """End what a dead agent's job has left running."""
    try:
        with open(os.path.join(folder, "process"), encoding="utf-8") as file:
            pid, start = file.read().split()
        if start_time(int(pid)) == start:
            os.killpg(int(pid), signal.SIGKILL)
    except (OSError, ValueError):
        pass  # never started, or gone
    kill_marked(folder)


def kill_marked(folder: str) -> None:
    """End every process that carries the job's mark; returns when none is left."""
    mark = f"{MARK}={folder}\0".encode()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = [each for each in _processes() if mark in _environment(each)]
        if not found:
            return
        for each in found:
            _kill(each, signal.SIGKILL)
            try:
                os.waitpid(each, os.WNOHANG)
            except ChildProcessError:
                pass  # not ours
        time.sleep(0.002)


def _kill(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass  # it ended by itself


def _processes() -> list[int]:
    try:
        return [int(each) for each in os.listdir("/proc") if each.isdigit() and int(each) != os.getpid()]
    except FileNotFoundError:
        return []


def _environment(process: int) -> bytes:
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            return file.read() + b"\0"  # empty for a process that has ended and was not waited for
    except OSError:
        return b""


def _resident(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _proportional(process: int) -> int:
    try:
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return _resident(process)
    return 0
