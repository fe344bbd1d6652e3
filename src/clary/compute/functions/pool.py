"""The environments of all functions: started when they are needed, kept for the next event, ended when none comes.

They belong to the process that started them, and go with it: nothing of them is in the database.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from clary.compute.functions.environment import (
    Environment,
    EnvironmentFailed,
    EnvironmentGone,
    EnvironmentLost,
    Event,
    Outcome,
)
from clary.compute.placement.base import Placement, PlacementError
from clary.compute.spec import JobSpec
from clary.core.ids import token

__all__ = ["Call", "EnvironmentFailed", "EnvironmentLost", "Event", "Functions", "Outcome", "TooManyCalls"]

log = logging.getLogger(__name__)

KIND = "Function"
"""How the ids of environments begin."""
IDLE_SECONDS = 300.0
"""How long an environment waits for its next event."""
OLDEST_SECONDS = 2_400.0
"""After which an environment gets no further event: the credentials of its role, good for an hour, shall outlast it."""
ANSWER_SECONDS = 15.0
"""What an environment may take beyond the time of its function: to start it, and to say that it took too long."""
_LOOK_SECONDS = 5.0
_CLOSED = "the process is ending"
_MOST_IN_ALL = 4
"""The environments that there may be, for each of those that one function may have."""


class TooManyCalls(Exception):
    """All environments that the function may have were busy for as long as its caller waits."""


@dataclass(frozen=True)
class Call:
    """Which function is to be called, and how its environment is made."""

    owner: int
    """The row of the function."""
    revision: str
    """Environments of another revision are not used."""
    make: Callable[[str], tuple[JobSpec, str]]
    """Gives, for the environment of this id, what is to run and the ticket for it."""
    timeout: float
    """Seconds that the function may take."""


class Functions:
    """The environments that this process has, and threads to use them in."""

    def __init__(self, placement: Placement, process: str, most: int = 0) -> None:
        """``process`` is the name of this process; ``most`` is how many environments one function may have, 0 for a
        number that suits this machine."""
        self.most = most or max(4, 2 * (os.cpu_count() or 1))
        self._placement = placement
        self._process = process.replace("-", "_")
        self._all: dict[str, Environment] = {}
        self._free: list[Environment] = []
        self._under_way: set[Hashable] = set()
        self._changed = threading.Condition()
        self._threads = ThreadPoolExecutor(self.most * _MOST_IN_ALL, thread_name_prefix="function")
        # Not among those that may all be waiting for a place which only an end makes.
        self._ending = ThreadPoolExecutor(2, thread_name_prefix="function-end")
        self._reaper: threading.Thread | None = None
        self._closed = False

    def call(self, call: Call, event: Event, patience: float) -> Outcome:
        """Call a function, and wait for what becomes of it; ``patience`` is for how many seconds a free environment is
        waited for.

        Raises ``TooManyCalls``, ``EnvironmentFailed``, ``EnvironmentLost``, and what ``make`` raises.
        """
        for _ in range(self.most + 1):
            try:
                with self._environment(call, patience) as environment:
                    return environment.ask(event, call.timeout + ANSWER_SECONDS)
            except EnvironmentGone:
                continue  # it ended while nobody called; the next one may be new
            except EnvironmentLost as error:
                if self._closed:
                    raise TooManyCalls(_CLOSED) from error  # the function is not to blame
                raise
        raise EnvironmentFailed("The environments of the function end before they are called.")

    def submit(self, key: Hashable, work: Callable[[], object]) -> None:
        """Do something that waits for a function, in a thread, unless what has the same ``key`` is under way already.
        Its errors are said in the log."""
        with self._changed:
            if key in self._under_way or self._closed:
                return
            self._under_way.add(key)
        self._threads.submit(self._do, key, work)

    def retire(self, owner: int) -> bool:
        """End the environments of a function; those that have an event when that is done. Whether all have ended."""
        with self._changed:
            own = [each for each in self._all.values() if each.owner == owner]
            for each in own:
                each.spent = True
            idle = [each for each in own if each in self._free]
            self._drop(idle)
        for each in idle:
            _logged(partial(self._end, each))
        return len(idle) == len(own)

    def end_all(self, *, keep_logs: bool = True) -> None:
        """End all environments, with whatever they do."""
        with self._changed:
            every = list(self._all.values())
            self._drop(every)
        for each in every:
            _logged(partial(self._placement.remove, each.id, keep_log=keep_logs))

    def end_left(self) -> None:
        """End what an earlier process of this name has left."""
        for id in self._placement.list():
            if self.is_own(id) and id not in self._all:
                self._placement.remove(id, keep_log=True)

    def is_own(self, id: str) -> bool:
        """Whether a job is an environment of this process, or of the one before it."""
        kind, _, rest = id.partition("-")
        return kind == KIND and rest.partition("-")[2].startswith(f"{self._process}.")

    def close(self) -> None:
        """End everything; for the end of the process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.end_all()
        for threads in (self._threads, self._ending):
            threads.shutdown(wait=False, cancel_futures=True)

    def _do(self, key: Hashable, work: Callable[[], object]) -> None:
        _logged(work)
        with self._changed:
            self._under_way.discard(key)

    @contextmanager
    def _environment(self, call: Call, patience: float) -> Iterator[Environment]:
        """An environment for one event: one that waits, or a new one."""
        environment, is_new = self._take(call, time.monotonic() + patience)
        try:
            if is_new:
                environment.start(self._placement, *call.make(environment.id))
            yield environment
        except PlacementError as error:
            environment.spent = True
            raise EnvironmentFailed(str(error)) from error
        except BaseException:
            environment.spent = True
            raise
        finally:
            self._give_back(environment)

    def _take(self, call: Call, until: float) -> tuple[Environment, bool]:
        with self._changed:
            while True:
                if self._closed:
                    raise TooManyCalls(_CLOSED)
                now = time.monotonic()
                for each in reversed(self._free):  # the one that was used last is the warmest
                    if each.owner == call.owner and each.revision == call.revision and _is_young(each, now):
                        self._free.remove(each)
                        return each, False
                if self._has_room(call.owner):
                    id = f"{KIND}-{call.owner}-{self._process}.{token(12)}"
                    made = self._all[id] = Environment(id, call.owner, call.revision, now)
                    self._see_to_reaper()
                    return made, True
                if not self._changed.wait(until - now) and time.monotonic() >= until:
                    raise TooManyCalls(f"all {self.most} environments are busy")

    def _has_room(self, owner: int) -> bool:
        """Whether there may be another environment of a function; the one that waits longest makes room for it."""
        own = sum(each.owner == owner for each in self._all.values())
        if own < self.most and len(self._all) < self.most * _MOST_IN_ALL:
            return True
        waiting = [each for each in self._free if own < self.most or each.owner == owner]
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: each.used)
        self._drop([longest])
        self._ending.submit(_logged, partial(self._end, longest))
        return True

    def _give_back(self, environment: Environment) -> None:
        with self._changed:
            environment.used = now = time.monotonic()
            gone = environment.spent or self._closed or not _is_young(environment, now)
            if environment.id in self._all and not gone:
                self._free.append(environment)
            self._changed.notify_all()
        if gone:
            # Its place is taken until it has ended, but its caller need not wait for that.
            self._ending.submit(_logged, partial(self._forget, environment))

    def _forget(self, environment: Environment) -> None:
        self._end(environment)
        with self._changed:
            self._drop([environment])

    def _drop(self, environments: list[Environment]) -> None:
        for each in environments:
            self._all.pop(each.id, None)
            if each in self._free:
                self._free.remove(each)
        self._changed.notify_all()

    def _end(self, environment: Environment) -> None:
        self._placement.remove(environment.id, keep_log=True)

    def _see_to_reaper(self) -> None:
        if self._reaper is None or not self._reaper.is_alive():
            self._reaper = threading.Thread(target=self._reap, name="functions", daemon=True)
            self._reaper.start()

    def _reap(self) -> None:
        """End what has waited for long; ends itself with the last environment."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or not self._all, _LOOK_SECONDS)
                if self._closed or not self._all:
                    self._reaper = None
                    return
                now = time.monotonic()
                old = [each for each in self._free if now - each.used > IDLE_SECONDS or not _is_young(each, now)]
                self._drop(old)
            for each in old:
                _logged(partial(self._end, each))


def is_environment(id: str) -> bool:
    """Whether a job is an environment of a function, of this or of another process."""
    return id.startswith(f"{KIND}-")


def _is_young(environment: Environment, now: float) -> bool:
    return now - environment.started < OLDEST_SECONDS


def _logged(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        log.exception("a function's environment is not as it should be")
