"""Running the model server under uvicorn."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import uvicorn

from clary_runtimes.contract.errors import ALGORITHM_FAILED, SUCCESS
from clary_runtimes.contract.machine import cpus
from clary_runtimes.serving.application import Application
from clary_runtimes.serving.connection import ServingProtocol
from clary_runtimes.serving.request import Handler
from clary_runtimes.serving.work import Limits

DEFAULT_BODY_BYTES = 100 << 20
"""The most that batch transform may send in one request."""


def limits_of(environ: Mapping[str, str]) -> Limits:
    """What the environment sets: ``SAGEMAKER_MODEL_SERVER_WORKERS`` (threads), ``SAGEMAKER_MODEL_SERVER_TIMEOUT``
    (seconds) and ``MAX_CONTENT_LENGTH`` (bytes)."""
    return Limits(
        threads=int(environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or cpus()),
        timeout=float(environ.get("SAGEMAKER_MODEL_SERVER_TIMEOUT") or 60),
        body_bytes=int(environ.get("MAX_CONTENT_LENGTH") or DEFAULT_BODY_BYTES),
    )


class QuietServer(uvicorn.Server):  # type: ignore[misc]
    """Waits until it is told to stop. uvicorn's own looks ten times a second: nearly all that an idle server does."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Until ``stop`` is called, or a signal has come."""
        await self.on_tick(0)  # the headers of every answer
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._over.wait()

    def stop(self) -> None:
        """End; from any thread, and before it has begun too."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come."""
        super().handle_exit(sig, frame)
        self.stop()


def serve(create: Callable[[], Handler], environ: Mapping[str, str] | None = None) -> int:
    """Serve what ``create`` makes until SIGTERM.

    It listens on the Unix socket ``CLARY_SERVE_SOCKET``, else on the port ``SAGEMAKER_BIND_TO_PORT`` (8080).

    Returns the exit status: that of a failure if the model could not be loaded.
    """
    environ = os.environ if environ is None else environ
    failures: list[str] = []

    def failed() -> None:
        failures.append("load")
        server.stop()

    application = Application(create, limits_of(environ), failed)
    path = environ.get("CLARY_SERVE_SOCKET")
    config = uvicorn.Config(
        application,
        http=ServingProtocol,
        ws="none",
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=65,
    )
    server = QuietServer(config)
    listener = _unix_listener(Path(path)) if path else _tcp_listener(int(environ.get("SAGEMAKER_BIND_TO_PORT") or 8080))
    # uvicorn raises the signal that ended it once more; without this the socket would stay and the status be 143.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        server.run(sockets=[listener])
    finally:
        if path:
            Path(path).unlink(missing_ok=True)
    return ALGORITHM_FAILED if failures else SUCCESS


def _unix_listener(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # only this user may connect; uvicorn's own binding would let everybody
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    return listener


def _tcp_listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))  # noqa: S104 - inside a container, whose network is its boundary
    return listener
