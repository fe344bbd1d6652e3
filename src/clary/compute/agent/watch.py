"""Watch over a running process: its output, its time, its memory, and the wish to stop it."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` builds enums: a third of the whole start
import os
import select
import time

from clary.compute.agent.process import cpu_seconds, descendants
from clary.compute.agent.room import Room
from clary.compute.isolation.limits import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from clary.compute.agent.journal import Log
    from clary.compute.agent.process import Child
    from clary.compute.agent.usage import Usage
    from clary.compute.spec import Limits

TICK_S = 0.25
ROOM_S = 0.1
MEMORY_S, LONGEST_MEMORY_S = 0.5, 2.0
GPUS_S = 0.5
"""How long a process has run before GPUs are looked at: to load what tells of them would hold up a short job's end."""
IDLE_CPU = 0.05
"""Of a processor."""
DRAIN_S = 2.0
GIVEN_UP_GRACE_S = 10.0
"""What a process gets at most to end itself that is ended because something is wrong with it."""


AT_ONCE = ("memory", "disk", "processes")
"""Why a process is ended that is given no time: it would take more of what there is not enough of."""
MORE_MEMORY = "Please use an instance type with more memory, or reduce the size of job data processed on an instance."
"""What SageMaker says of a job that has run out of memory."""


class Ending:
    """How a process ended. ``cause`` is None if by itself, else ``stopped``, ``timeout``, ``wait`` (until ``ends_at``),
    ``interrupted``, ``memory``, ``disk``, ``processes`` or ``given up``."""

    def __init__(self, exit_code: int, cause: str | None, message: str) -> None:
        self.exit_code = exit_code
        self.cause = cause
        self.message = message


class Watch:
    """Reads a child's output into the log until it ends, and ends it when that is due."""

    def __init__(self, child: Child, log: Log, limits: Limits, stop_wanted: Callable[[], bool], usage: Usage) -> None:
        self._child = child
        self._log = log
        self._usage = usage
        usage.begin()
        self._limits = limits
        self._stop_wanted = stop_wanted
        self._cause: str | None = None
        self._message = ""
        self._kill_at: float | None = None
        self._told = False
        self.when_told: Callable[[], None] = lambda: None
        """Called once the process has been sent SIGTERM."""
        self._room = Room(child.folder, limits.disk_bytes)
        self._room_at = 0.0
        self._memory_at = 0.0
        self._memory_pause = MEMORY_S
        self._held = 0
        self._cpu = cpu_seconds(child.pid)  # what a standby has used is not this job's

    def run(self, turn: Callable[[], str | None] | None = None) -> Ending:
        """Until the process has ended. ``turn`` is called a few times a second, and gives a reason to end the process,
        or None."""
        child = self._child
        # A byte arrives here with every signal, SIGCHLD and SIGTERM among them, so no wait is longer than it must be.
        bell, ring = os.pipe()
        os.set_blocking(bell, False)
        os.set_blocking(ring, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        before = signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(bell, select.POLLIN)
        poll.register(child.output, select.POLLIN)
        try:
            open_output = True
            while not child.poll():
                ready = [descriptor for descriptor, _ in poll.poll(TICK_S * 1000)]
                if bell in ready:
                    self._empty(bell)
                if child.output in ready:
                    data = child.read()
                    if data is None:
                        poll.unregister(child.output)
                        open_output = False
                    else:
                        self._log.feed(data)
                self._look(turn)
            if open_output:
                self._drain()
            child.kill()  # what the process left behind goes with it, as in a container
            self._look_back()
            if open_output:
                self._drain()
        finally:
            signal.set_wakeup_fd(before)
            os.close(bell)
            os.close(ring)
            child.close()
            self._usage.end(self._room.known())
        self._log.flush()
        assert child.exit_code is not None
        return Ending(child.exit_code, self._cause, self._message)

    def _look(self, turn: Callable[[], str | None] | None) -> None:
        now = time.monotonic()
        limits = self._limits
        if due := now > self._memory_at:
            self._memory_at = now + self._memory_pause
            self._look_at_use()
        if self._cause is None:
            if self._stop_wanted():
                self._cause, self._message = "stopped", "The job was stopped."
            elif over := self._over(now):
                self._cause, self._message = over
            elif full := self._full(now):
                self._cause, self._message = "disk", full
            elif due:
                self._check_use(limits.memory_bytes)
            if self._cause is None and turn is not None and (message := turn()):
                self._cause, self._message = "given up", message
        if self._cause is None:
            return
        if self._kill_at is None:
            longest = GIVEN_UP_GRACE_S if self._cause == "given up" else limits.grace_s
            self._kill_at = now + (0.0 if self._cause in AT_ONCE else min(longest, limits.grace_s))
        if not self._told and self._cause not in AT_ONCE:
            self._told = self._child.terminate()
            if self._told:
                self.when_told()
        if now >= self._kill_at:
            self._child.kill()

    def _full(self, now: float) -> str:
        if now < self._room_at:
            return ""
        self._room_at = now + ROOM_S
        return ": ".join(self._room.passed(descendants(self._child.pid)) or ())

    def _over(self, now: float) -> tuple[str, str] | None:
        """The limit of time that the process passed first, however late it is looked at: cause and message."""
        limits, ran = self._limits, now - self._child.began
        passed = []
        if limits.max_runtime_s is not None:
            message = f"The job ran longer than its limit of {limits.max_runtime_s:g} seconds."
            passed.append((ran - limits.max_runtime_s, "timeout", message))
        if limits.ends_at is not None:
            passed.append((time.time() - limits.ends_at, "wait", "The job took longer than its longest wait."))
        if limits.interrupt_s is not None:
            passed.append((ran - limits.interrupt_s, "interrupted", "The instances were interrupted."))
        ago, cause, message = max(passed, default=(0.0, "", ""))
        return (cause, message) if ago > 0 else None

    def _look_at_use(self) -> None:
        held, cpu = self._child.memory(), cpu_seconds(self._child.pid)
        # A sandbox does not add up what its processes used, so there is less of it when one of them has ended.
        more = max(0.0, cpu - self._cpu)
        # What hardly does anything, such as a server that waits, is looked at less often.
        idle = held <= 1.01 * self._held and more < IDLE_CPU * self._memory_pause
        self._memory_pause = min(2 * self._memory_pause, LONGEST_MEMORY_S) if idle else MEMORY_S
        self._usage.look(more, held, lambda: self._room.share(descendants(self._child.pid)))
        if time.monotonic() - self._child.began > GPUS_S and (
            line := self._usage.look_at_gpus(descendants(self._child.pid))
        ):
            self._log.note(line)
        self._held, self._cpu = held, cpu

    def _check_use(self, most: int | None) -> None:
        held = self._held
        if self._child.group is not None:
            return  # the kernel holds it
        there = sum(1 for _ in descendants(self._child.pid))
        if there - 1 > processes(self._limits):  # the first is outside of the sandbox
            self._cause = "processes"
            self._message = (
                f"ClientError: The job had {there} processes at once and may have {processes(self._limits)}."
            )
        files = self._child.memory_in_files()
        if most and held + files > most and (used := self._child.memory_proportional() + files) > most:
            self._cause = "memory"
            self._message = f"ClientError: {MORE_MEMORY}"
            self._log.note(f"The job used {used >> 20} MiB of memory and may use {most >> 20} MiB.")

    def _look_back(self) -> None:
        """See what the kernel refused to the process, which has ended."""
        child, most = self._child, self._limits.memory_bytes or 0
        if child.refused_processes:
            may = processes(self._limits)
            self._log.note(f"The job may have {may} processes and threads at once, and was refused more.")
        if child.short_of_memory:
            self._log.note(f"The job needed more memory than the {most >> 20} MiB that it may use.")
            if self._cause is None and child.exit_code:
                self._cause, self._message = "memory", f"ClientError: {MORE_MEMORY}"

    def _drain(self) -> None:
        until = time.monotonic() + DRAIN_S
        while time.monotonic() < until and (data := self._child.read()):
            self._log.feed(data)

    def _empty(self, bell: int) -> None:
        try:
            while os.read(bell, 512):
                pass
        except BlockingIOError:
            pass
