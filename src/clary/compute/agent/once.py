"""Run a model server once, for work that comes to an end: batch transform.

A server that ends before the work does is not started again: what it was to do is done anew by another attempt, or has
failed.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # see `attempt`
import os
import threading
import time

from clary.compute.agent.attempt import Failure
from clary.compute.agent.s3 import Interrupted, StoreUnreachable
from clary.compute.agent.serving import Health, port_of, variables
from clary.compute.agent.staging import DataError
from clary.compute.agent.watch import AT_ONCE, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.attempt import Attempt
    from clary.compute.agent.watch import Ending

NO_PING = (
    "failed to respond to ping. Please ensure /ping endpoint is implemented and responds with an HTTP 200 status code"
)


class ServerOnce:
    """One attempt at one model server, and the work in a thread beside it. The subclasses say what that is."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.over = threading.Event()
        """Set when the server is no more, or about to end."""
        self.error: BaseException | None = None
        """What the attempt ends with."""
        self.finished = False
        """Whether the server is needed no more."""
        self._serving = False
        name = attempt.spec.container
        self._named = f"Model container {name}" if name else "Model container"
        self._whose = f"{name}: " if name else ""

    def run(self) -> None:
        """Until everything is done, or cannot be; the last event says which. Raises as ``Attempt.run`` expects."""
        attempt = self.attempt
        self.check()
        path = os.path.join(attempt.folder.run, "serve.sock")
        port = port_of(attempt)
        child = attempt.start(variables(port))
        attempt.journal.event("running", pid=child.pid)
        watch = Watch(child, attempt.log, attempt.spec.limits, attempt.stop_wanted, attempt.usage)
        health = Health(attempt, path, port)
        gives_up = time.monotonic() + attempt.spec.limits.start_s
        thread = threading.Thread(target=self._drive, args=(health,), name="transform", daemon=True)

        def turn() -> str | None:
            self.look()
            if self.finished or self.error is not None:
                return "The transform job needs its model server no more."
            if not self._serving and time.monotonic() > gives_up:
                return f"{self._named} {NO_PING}"
            return None

        thread.start()
        try:
            ending = watch.run(turn)
        finally:
            self.over.set()
            health.end()
        self._end(ending)

    def check(self) -> None:
        """See whether the server need be started at all. Raises ``Failure``."""

    def work(self, address: str) -> None:
        """Do, in a thread of its own, what the healthy server at ``address`` is there for; ``error`` gets what it
        raises."""
        raise NotImplementedError

    def look(self) -> None:
        """Set ``finished`` or ``error`` if there is reason to; called a few times a second by the main thread."""

    def failure(self) -> tuple[str, str] | None:
        """Reason and message of work that was finished, and failed."""
        return None

    def _drive(self, health: Health) -> None:
        try:
            address = health.await_healthy()
            if not address:
                return
            self._serving = True
            self.attempt.journal.event("serving", address=address)
            self.work(address)
            self.finished = True
        except BaseException as error:  # noqa: BLE001 - the main thread, which ends the attempt, says what it was
            self.error = self.error or error
        # The main thread looks when a signal comes, or a few times a second.
        os.kill(os.getpid(), signal.SIGCHLD)

    def _end(self, ending: Ending) -> None:
        attempt, code = self.attempt, ending.exit_code
        if ending.cause == "stopped":
            attempt.end("stopped", "stopped", ending.message, code)
            return
        if ending.cause in AT_ONCE:
            raise Failure("algorithm", ending.message, code)
        if ending.cause is None and (not self.finished or self.failure() is not None):
            # The server ended by itself, and what the threads have seen since comes of that.
            detail = attempt.failure_text()
            if not self._serving:
                text = f"AlgorithmError: {self._named} {NO_PING}{f': {detail}' if detail else ''}"
                raise Failure("algorithm", text, code)
            text = f"AlgorithmError: {self._whose}{detail or 'See job logs for more information'}, exit code: {code}"
            raise Failure("algorithm", text, code)
        if isinstance(self.error, DataError):
            raise Failure("client", f"ClientError: {self.error}")
        if isinstance(self.error, StoreUnreachable):
            raise Failure("internal", f"InternalServerError: {self.error}")
        if self.error is not None and not isinstance(self.error, Interrupted):
            raise self.error
        if not self.finished:
            raise Failure("algorithm", f"AlgorithmError: {ending.message}", code)
        if (failure := self.failure()) is not None:
            raise Failure(*failure)
        attempt.end("completed", None, "", 0)
