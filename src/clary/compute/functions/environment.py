"""One execution environment: a server on its own socket that is sent one event at a time.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import base64
import http.client
import socket
import time
from dataclasses import dataclass

from clary.compute.placement.base import Placement
from clary.compute.spec import JobSpec
from clary.core.sockets import Pinned

START_SECONDS = 60.0
"""How long an environment may take to listen."""
_PAUSE, _LONGEST_PAUSE = 0.002, 0.05


class EnvironmentFailed(Exception):
    """An environment does not start; the message says why."""


class EnvironmentLost(Exception):
    """An environment ended over an event."""


class EnvironmentGone(Exception):
    """An environment had ended before it was sent the event."""


@dataclass(frozen=True)
class Event:
    """What a function is called with."""

    id: str
    """Of the request."""
    function_arn: str
    """As it was invoked."""
    body: bytes
    client_context: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of an event. ``error`` is empty, or AWS's word for a function's failure."""

    body: bytes
    error: str = ""
    log: bytes = b""
    """The last 4 KB of what was logged."""


class Environment:
    """One environment on this machine; its name is that of its job."""

    def __init__(self, id: str, owner: int, revision: str, now: float) -> None:
        """``owner`` is the row of the function, ``revision`` tells apart what it was when this was started."""
        self.id = id
        self.owner = owner
        self.revision = revision
        self.started = self.used = now
        self.spent = False
        """Whether it takes no further event."""
        self._address = ""

    def start(self, placement: Placement, spec: JobSpec, ticket: str) -> None:
        """Have its server run. Raises ``EnvironmentFailed`` and ``PlacementError``."""
        placement.launch(spec, ticket)
        until, pause = time.monotonic() + START_SECONDS, _PAUSE
        while not self._address:
            observed = placement.observe(self.id)
            self._address = (observed.address or "").partition(":")[2]
            if observed.terminal is not None:
                raise EnvironmentFailed(str(observed.terminal.get("detail") or observed.terminal.get("message")))
            if observed.lost or not observed.started or time.monotonic() > until:
                raise EnvironmentFailed("The environment of the function does not start.")
            if not self._address:
                time.sleep(pause)
                pause = min(pause * 1.3, _LONGEST_PAUSE)

    def ask(self, event: Event, seconds: float) -> Outcome:
        """What the function makes of the event, within ``seconds``.

        Raises ``EnvironmentGone`` and ``EnvironmentLost``.
        """
        headers = {
            "clary-request-id": event.id,
            "clary-function-arn": event.function_arn,
            "clary-client-context": event.client_context,
        }
        connection = self._connected(seconds)
        try:
            connection.request("POST", "/invocations", event.body, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.spent = True
            raise EnvironmentLost(str(error)) from error
        finally:
            connection.close()
        self.spent = self.spent or answer.headers.get("clary-spent") == "1"
        log = base64.b64decode(answer.headers.get("clary-log", ""))
        return Outcome(body, answer.headers.get("clary-function-error", ""), log)

    def _connected(self, seconds: float) -> _UnixConnection:
        try:
            with Pinned(self._address) as path:
                connection = _UnixConnection(path, seconds)
                connection.connect()
                return connection
        except OSError as error:
            self.spent = True
            raise EnvironmentGone(str(error)) from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("function", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
