"""Batch transform: run a model server, and send it this host's share of the input, object after object.

One thread reads payloads, several invoke the model, one puts the answers together in the order of the payloads, and one
uploads; the main thread watches the server. Payloads of several objects are under way at once, and no more of them than
the model can be busy with.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # see `attempt`
import os
import threading
import time

from clary.compute.agent.attempt import Failure
from clary.compute.agent.channel import Channel
from clary.compute.agent.s3 import Interrupted, StoreError, StoreUnreachable
from clary.compute.agent.serving import Health, free_port, variables
from clary.compute.agent.staging import DataError, connect
from clary.compute.agent.transforming import Work
from clary.compute.agent.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.attempt import Attempt
    from clary.compute.agent.watch import Ending

DYING_S = 1.0
NO_PING = (
    "Model container failed to respond to ping. Please ensure /ping endpoint is implemented and responds with an HTTP"
    " 200 status code"
)


class BatchTransform:
    """One attempt at one host's share of a transform job."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._over = threading.Event()
        self._work = Work(attempt, self._over)
        self._error: BaseException | None = None
        self._serving = False
        self._finished = False

    def run(self) -> None:
        """Until everything is done, or cannot be; the last event says which. Raises as ``Attempt.run`` expects."""
        attempt = self._attempt
        self._check_input()
        path = os.path.join(attempt.folder.run, "serve.sock")
        port = free_port()
        child = attempt.start(variables(port))
        attempt.journal.event("running", pid=child.pid)
        watch = Watch(child, attempt.log, attempt.spec.limits, attempt.stop_wanted)
        health = Health(attempt, path, port)
        gives_up = time.monotonic() + attempt.spec.limits.start_s
        thread = threading.Thread(target=self._drive, args=(health,), name="transform", daemon=True)

        def turn() -> str | None:
            if self._finished or self._error is not None:
                return "The transform job needs its model server no more."
            if not self._serving and time.monotonic() > gives_up:
                return NO_PING
            return None

        thread.start()
        try:
            ending = watch.run(turn)
        finally:
            self._over.set()
            health.end()
            attempt.used = watch.used()
        self._end(ending)

    def _check_input(self) -> None:
        """See that there is something to transform, before anything is started for it."""
        transform = self._attempt.spec.transform
        assert transform is not None
        folder = self._attempt.folder
        channel = Channel(transform.source, folder, connect(folder, lambda: not self._attempt.stop_wanted()))
        try:
            channel.check()
        except Interrupted:
            return  # the server, which is about to start, is stopped at once
        except StoreError as error:
            raise Failure("client", f"ClientError: {channel.missing(error)}") from error
        except DataError as error:
            raise Failure("client", f"ClientError: {error}") from error
        except StoreUnreachable as error:
            raise Failure("internal", f"InternalServerError: {error}") from error

    def _drive(self, health: Health) -> None:
        """Wait for the model server, and do the work."""
        try:
            address = health.await_healthy()
            if not address:
                return
            self._serving = True
            self._attempt.journal.event("serving", address=address)
            self._work.run(address)
            if self._work.unanswered:
                # A server that has died is known to have, in a moment, and its end says more than that.
                self._over.wait(DYING_S)
            self._finished = True
        except BaseException as error:  # noqa: BLE001 - the main thread, which ends the attempt, says what it was
            self._error = error
        # The main thread looks when a signal comes, or a few times a second.
        os.kill(os.getpid(), signal.SIGCHLD)

    def _end(self, ending: Ending) -> None:
        attempt, code = self._attempt, ending.exit_code
        if ending.cause == "stopped":
            attempt.end("stopped", "stopped", ending.message, code)
            return
        if ending.cause == "memory":
            message = f"AlgorithmError: OutOfMemoryError: {ending.message}, exit code: {code}"
            raise Failure("algorithm", message, code)
        if ending.cause is None and (not self._finished or self._work.failure is not None):
            # The server ended by itself, and what the threads have seen since comes of that.
            detail = attempt.failure_text()
            if not self._serving:
                raise Failure("algorithm", f"AlgorithmError: {NO_PING}{f': {detail}' if detail else ''}", code)
            raise Failure(
                "algorithm", f"AlgorithmError: {detail or 'See job logs for more information'}, exit code: {code}", code
            )
        if isinstance(self._error, DataError):
            raise Failure("client", f"ClientError: {self._error}")
        if isinstance(self._error, StoreUnreachable):
            raise Failure("internal", f"InternalServerError: {self._error}")
        if self._error is not None and not isinstance(self._error, Interrupted):
            raise self._error
        if not self._finished:
            raise Failure("algorithm", f"AlgorithmError: {ending.message}", code)
        if self._work.failure is not None:
            raise Failure(*self._work.failure)
        attempt.end("completed", None, "", 0)
