"""The user's process: start it held, see it, end it with everything that it started."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` builds enums: a third of the whole start
import os
import time

from clary.compute.agent.documents import loads
from clary.compute.agent.room import nameless
from clary.compute.isolation.bubblewrap import Bubblewrap, children
from clary.compute.isolation.limits import end, group_of, hold
from clary.compute.isolation.plain import Plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from clary.compute.agent.folder import JobFolder
    from clary.compute.isolation.base import Isolation
    from clary.compute.isolation.limits import Group

MARK = "CLARY_JOB_FOLDER"
"""Variable that every process of a job carries; leftovers of a dead agent are found by it."""
_FIRST_FREE = 16
"""A descriptor's number that no isolation gives to a file of its own."""


def isolation(name: str) -> Isolation:
    """The isolation of that name. Raises ``ValueError``."""
    if name == "bubblewrap":
        return Bubblewrap()
    if name == "plain":
        return Plain()
    raise ValueError(f"there is no isolation {name!r}")


class LimitsError(Exception):
    """A job cannot be held to its limits, and so does not run."""


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
        cannot be given to any, ``LimitsError``."""
        arguments, values, here, opened = held.command(folder, command, environment)
        if held.sandboxed and folder.read_only:
            arguments = _with_read_only(arguments, folder.read_only)
        threshold = Threshold() if held.sandboxed else None
        if threshold is not None:
            arguments = _before_program(arguments, threshold.arguments)
        values[MARK] = folder.path
        self._held = held
        self.folder = folder
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
            if threshold is not None:
                threshold.begun()
        self.group: Group | None = None
        """The control group that it is in, if it is."""
        self.short_of_memory = False
        """Whether the kernel ended any of its processes for want of memory; known once it has ended."""
        self.refused_processes = 0
        """How often it could not start a process or thread because it had too many; known once it has ended."""
        aside = folder.file("process.new")
        with open(aside, "w", encoding="utf-8") as file:
            file.write(f"{self.pid} {start_time(self.pid)}")
        os.rename(aside, folder.file("process"))
        self.exit_code: int | None = None
        """128 + the signal's number for a process that a signal ended, as shells and containers count."""
        if threshold is not None:
            try:
                self._hold(threshold)
            except OSError as error:
                self.kill()
                self.close()
                raise LimitsError(f"the limits of the job cannot be set: {error}") from error
            finally:
                threshold.close()
        self.began = time.monotonic()

    def _hold(self, threshold: Threshold) -> None:
        self.group = group_of(self.folder)
        try:
            if self.group is not None:
                # For the first of a while the kernel lets this wait some milliseconds, while the sandbox is being made.
                self.group.add(self.pid)
            first = threshold.process()
            if self.group is not None:
                self.group.add(first)
            hold(first, self.folder.spec.limits, grouped=self.group is not None)
        except ProcessLookupError:
            return  # it failed, and says why
        threshold.cross()

    def belongs_to(self, folder: JobFolder) -> None:
        """From now on it is the process of another job, whose time begins here."""
        self.folder = folder
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
            kill_marked(self.folder.path)
        if self.group is not None:
            self.short_of_memory = self.group.killed_for_memory()
            self.refused_processes = self.group.refused_processes()
            self.group.remove()
            self.group = None

    def memory(self) -> int:
        """Bytes of memory that the process and its descendants hold, shared pages counted for each."""
        return sum(_resident(each) for each in descendants(self.pid))

    def memory_proportional(self) -> int:
        """The same with shared pages counted once; slower."""
        return sum(_proportional(each) for each in descendants(self.pid))

    def memory_in_files(self) -> int:
        """Bytes of memory that the files of a sandbox take up which are on no disk."""
        first = next(iter(children(self.pid)), 0)
        if not self._held.sandboxed or not first:
            return 0
        disk, total = os.stat(self.folder.path).st_dev, 0
        for place in ("", "dev", "dev/shm", "run"):
            try:
                there = os.statvfs(f"/proc/{first}/root/{place}")
            except OSError:
                return 0  # it has ended
            total += (there.f_blocks - there.f_bfree) * there.f_frsize
        return total + sum(size for device, size in nameless(descendants(self.pid)) if device != disk)

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


class Threshold:
    """Where a sandbox waits with its first program until its limits are set."""

    def __init__(self) -> None:
        from fcntl import F_DUPFD, fcntl

        self._said, saying = os.pipe()
        waiting, self._go = os.pipe()
        # Out of the way of the numbers that the sandbox's own files get, and inherited.
        self._inner = [fcntl(each, F_DUPFD, _FIRST_FREE) for each in (saying, waiting)]
        os.close(saying)
        os.close(waiting)
        self.arguments = ["--info-fd", str(self._inner[0]), "--block-fd", str(self._inner[1])]

    def begun(self) -> None:
        """The sandbox has been started, or could not be."""
        while self._inner:
            os.close(self._inner.pop())

    def process(self) -> int:
        """The first process of the sandbox. Raises ``ProcessLookupError`` if there is none."""
        said = b""
        while data := os.read(self._said, 4096):
            said += data
        if not said:
            raise ProcessLookupError("there is no sandbox")
        return int(loads(said.decode())["child-pid"])

    def cross(self) -> None:
        """Let it begin."""
        os.write(self._go, b"\n")

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._said)
        os.close(self._go)


def _with_read_only(arguments: list[str], shown: dict[str, str]) -> list[str]:
    """The command of a sandbox with further mounts, after all others."""
    return _before_program(arguments, [word for name, path in shown.items() for word in ("--ro-bind", path, name)])


def _before_program(arguments: list[str], more: list[str]) -> list[str]:
    place = arguments.index("--chdir")
    return [*arguments[:place], *more, *arguments[place:]]


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
    try:
        with open(os.path.join(folder, "groups"), encoding="utf-8") as file:
            for path in file.read().splitlines():
                end(path)
    except FileNotFoundError:
        pass  # it had none


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
