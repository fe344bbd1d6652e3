"""What the platform has promised, thing by thing, so that it can be held to it in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

ABSENT = None
"""The state of what is not there."""

LOST = (ConnectionError, HTTPClientError)
"""What boto3 raises where no answer came."""

PAUSE_S = 0.3
"""How long a caller who got no answer waits before it goes on with something else."""


def is_lost(error: BaseException) -> bool:
    """Whether it stays unknown if a call was done; every other refusal is an answer."""
    if isinstance(error, ClientError):
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500)
    return isinstance(error, LOST)


def is_absent(error: BaseException) -> bool:
    """Whether the thing that was asked for is not there."""
    return isinstance(error, ClientError) and any(
        words in str(error) for words in ("ResourceNotFound", "resource not found", "Could not find", "does not exist")
    )


class Ledger:
    """For each kind and name the states that the thing may be in: one, or two where an answer was lost.

    A thing whose state is not known is not to be changed again: the call that was lost may still be done.
    """

    def __init__(self) -> None:
        self._possible: dict[tuple[str, str], set[Any]] = {}
        self._lock = threading.Lock()
        self._never = threading.Event()
        self.acknowledged = 0

    def change(self, kind: str, name: str, state: Any, call: Callable[[], object]) -> bool:
        """Let ``call`` bring the thing into ``state``; false if its answer was lost."""
        key = (kind, name)
        with self._lock:
            self._possible[key] = self._possible.get(key, {ABSENT}) | {state}
        try:
            call()
        except (ClientError, *LOST) as error:
            if not is_lost(error):
                raise
            self._never.wait(PAUSE_S)
            return False
        with self._lock:
            self._possible[key] = {state}
            self.acknowledged += 1
        return True

    def allow(self, kind: str, name: str, state: Any) -> None:
        """The thing may also be in ``state``."""
        with self._lock:
            self._possible.setdefault((kind, name), {ABSENT}).add(state)

    def known(self, kind: str) -> Iterator[tuple[str, Any]]:
        """The things of a kind that are there for certain, with their states."""
        with self._lock:
            found = [
                (name, next(iter(states)))
                for (of, name), states in self._possible.items()
                if of == kind and len(states) == 1
            ]
        return ((name, state) for name, state in found if state is not ABSENT)

    def changed(self, kind: str) -> set[str]:
        """The names of the things of a kind whose last change was acknowledged."""
        with self._lock:
            return {name for (of, name), states in self._possible.items() if of == kind and len(states) == 1}

    def breaches(self, kind: str, found: dict[str, Any]) -> list[str]:
        """Where that which was found, states by name, is not what was promised."""
        wrong = []
        with self._lock:
            promised = {name: states for (of, name), states in self._possible.items() if of == kind}
        for name in sorted(promised.keys() | found.keys()):
            states, state = promised.get(name, {ABSENT}), found.get(name, ABSENT)
            if state not in states:
                wrong.append(f"{kind} {name} is {state!r} and was promised to be {' or '.join(map(repr, states))}")
        return wrong
