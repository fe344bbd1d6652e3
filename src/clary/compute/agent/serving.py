"""Keep a server up, mostly a model server: start it, wait until it is healthy, watch its health, start it again.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import _socket as socket
import os
import stat
import threading
import time

from clary.compute.agent.http import Connection
from clary.compute.agent.network import PORT
from clary.compute.agent.watch import Ending, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clary.compute.agent.attempt import Attempt

NEVER = float("inf")
SOCKET = "/run/clary/serve.sock"
NOT_HEALTHY = "did not pass the ping health check. Please check CloudWatch logs for this endpoint."
STARTS = 3
"""How often a server that never became healthy may die before it is given up."""
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 60.0
"""A server that was up for this long starts again without a longer pause."""
PING_S, PING_TIMEOUT_S, FAILED_PINGS = 5.0, 10.0, 4
SILENCE_S = FAILED_PINGS * (PING_S + PING_TIMEOUT_S)
"""A server whose last good ping is so long ago is not healthy, whatever it is sending."""
LEAVE_S = 3.0
"""How long a server that is not healthy is left alone: nothing is sent to it any more, and what it has may be done."""
FIRST_PING_TIMEOUT_S = 2.0


class Server:
    """One model server with all its restarts."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._socket = os.path.join(attempt.folder.run, "serve.sock")
        self._served = False
        self._starts = 0

    def run(self) -> None:
        """Until it is stopped or given up; the last event says which."""
        attempt = self._attempt
        gives_up = time.monotonic() + attempt.spec.limits.start_s
        pause = PAUSE_S
        while True:
            began = time.monotonic()
            if self._served:
                gives_up = began + attempt.spec.limits.start_s
            ending, health = self._once(gives_up)
            if ending.cause == "stopped":
                attempt.end("stopped", "stopped", ending.message, ending.exit_code)
                return
            late = time.monotonic() > gives_up or self._starts >= STARTS
            if not self._served and late:
                attempt.log.flush()
                detail = attempt.failure_text()
                cause = (
                    f"The server ended with exit code {ending.exit_code}." if ending.cause is None else ending.message
                )
                attempt.log.note(cause)
                message = f"The primary container {NOT_HEALTHY}"
                attempt.end("failed", "algorithm", message, ending.exit_code, code="ping", detail=detail or cause)
                return
            pause = (
                PAUSE_S if health.served and time.monotonic() - began > STEADY_S else min(pause * 2, LONGEST_PAUSE_S)
            )
            said = ending.message.removeprefix("ClientError: ")
            message = said or f"The server ended with exit code {ending.exit_code}."
            attempt.log.note(f"{message} It is started again.")
            attempt.journal.event("restarted", exit_code=ending.exit_code, message=message, restarts=self._starts)
            until = time.monotonic() + pause
            while time.monotonic() < until and not attempt.stop_wanted():
                time.sleep(0.05)
            if attempt.stop_wanted():
                attempt.end("stopped", "stopped", "The server was stopped.", ending.exit_code)
                return

    def _once(self, gives_up: float) -> tuple[Ending, Health]:
        attempt = self._attempt
        if os.path.lexists(self._socket):
            os.unlink(self._socket)
        port = port_of(attempt)
        self._starts += 1
        child = attempt.start(variables(port))
        attempt.journal.event("running", pid=child.pid)
        health = Health(attempt, self._socket, port)
        watch = Watch(child, attempt.log, attempt.spec.limits, attempt.stop_wanted, attempt.usage)

        leaves = NEVER

        def turn() -> str | None:
            nonlocal leaves
            now = time.monotonic()
            if health.served:
                self._served = True
            elif now > gives_up:
                return (
                    f"The server did not answer {attempt.spec.health} within {attempt.spec.limits.start_s:g} seconds."
                )
            ill = health.failed >= FAILED_PINGS or (health.served and now - health.well_at > SILENCE_S)
            if ill and leaves == NEVER:
                leaves = now + LEAVE_S
                attempt.journal.event("unhealthy")
            return f"The server does not answer {attempt.spec.health} any more." if now > leaves else None

        health.start()
        try:
            ending = watch.run(turn)
        finally:
            health.end()
        self._served = self._served or health.served
        return ending, health


class Health(threading.Thread):
    """Asks ``/ping``, or what the job names instead, beside the main thread, which must keep reading the server's
    output; says ``serving`` at the first 200."""

    def __init__(self, attempt: Attempt, path: str, port: int) -> None:
        super().__init__(daemon=True)
        self._attempt = attempt
        self._path = path
        self._port = port
        self._over = threading.Event()
        self.served = False
        self.failed = 0
        """Pings in a row that went unanswered since the server was healthy."""
        self._frames = False
        self.well_at = 0.0
        """When it was healthy last, on the monotonic clock."""

    def run(self) -> None:
        address = self.await_healthy()
        if not address:
            return
        self.well_at = time.monotonic()
        self.served = True
        # A server that can take many requests over one connection has said so with its answer.
        said = f"frames:{self._path}" if self._frames and address.startswith("unix:") else address
        self._attempt.journal.event("serving", address=said)
        while not self._over.wait(PING_S):
            if self._ping(address, PING_TIMEOUT_S):
                self.failed, self.well_at = 0, time.monotonic()
            else:
                self.failed += 1
                self._taken()  # it may have made another socket

    def await_healthy(self) -> str:
        """Where the server answers, once it does; empty if it ended before."""
        address = ""
        pause = 0.005
        while not address:
            if self._over.wait(pause):
                return ""
            pause = min(pause * 1.2, 0.25)
            address = self._find()
        return "" if self._over.is_set() else address  # it may have ended while it was asked

    def end(self) -> None:
        """Ask no more."""
        self._over.set()

    def _find(self) -> str:
        path = self._taken()
        if path and self._ping(f"unix:{path}", FIRST_PING_TIMEOUT_S):
            return f"unix:{path}"
        network = self._attempt.folder.network
        address = f"unix:{network.entrance}" if network is not None else f"tcp:127.0.0.1:{self._port}"
        return address if self._ping(address, FIRST_PING_TIMEOUT_S) else ""

    def _taken(self) -> str:
        """Another name of the server's socket, which is this very socket for as long as it is not taken anew: the job
        could make of its own a link to one of the platform's. Empty if there is none."""
        name = os.path.join(self._attempt.folder.sockets, os.path.basename(self._path))
        aside = f"{name}.new"
        try:
            made = os.lstat(self._path)
            if os.path.lexists(name) and os.path.samestat(os.lstat(name), made):
                return name
            if os.path.lexists(aside):
                os.unlink(aside)
            os.link(self._path, aside, follow_symlinks=False)
            if not stat.S_ISSOCK(os.lstat(aside).st_mode):
                return ""
            os.rename(aside, name)
        except OSError:
            return ""  # not made yet, or removed again
        return name

    def _ping(self, address: str, timeout: float) -> bool:
        connection = Connection(address if address.startswith("unix:") else f"http://{address[4:]}", timeout)
        try:
            answer = connection.request("GET", self._attempt.spec.health, {"connection": "close"})
            self._frames = answer.headers.get("clary-frames") == "1"
            return answer.status == 200
        except OSError:
            return False  # not there yet, or not well: the caller counts
        finally:
            connection.close()


def variables(port: int) -> dict[str, str]:
    """What tells a server where it shall listen: on its socket if it can, else on a port."""
    return {
        "CLARY_SERVE_SOCKET": SOCKET,
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_SAFE_PORT_RANGE": f"{port}-{port}",
    }


def port_of(attempt: Attempt) -> int:
    """The TCP port of the loopback address on which the server may listen."""
    return PORT if attempt.folder.network is not None else free_port()


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on now."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])
    finally:
        made.close()
