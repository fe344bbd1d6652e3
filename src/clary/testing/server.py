"""A Clary of a test's own: started on a free port in under a second, empty again in a moment, gone at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.cli import environment
from clary.cli.installation import EXECUTION_ROLE, Installation
from clary.cli.mistakes import NotRunning
from clary.core.settings import load

if TYPE_CHECKING:
    import boto3


class ServerError(RuntimeError):
    """The server did not do what a test's fixture needs."""


class Server:
    """A running Clary, as a test uses it."""

    def __init__(self, installation: Installation, url: str) -> None:
        self._installation = installation
        self.url = url
        """The address for ``endpoint_url`` and ``AWS_ENDPOINT_URL``."""

    @property
    def home(self) -> Path:
        """The folder with its state, jobs and logs."""
        return self._installation.home

    @property
    def region(self) -> str:
        return self._installation.settings.region

    @property
    def account(self) -> str:
        return self._installation.settings.account

    @property
    def role_arn(self) -> str:
        """The execution role that every installation has."""
        return self._installation.role_arn(EXECUTION_ROLE)

    @cached_property
    def _administrator_session(self) -> boto3.Session:
        return self.session()

    def client(self, service: str, **arguments: Any) -> Any:
        """A boto3 client of a service (``s3``, ``sagemaker``), signing as the administrator."""
        return self._administrator_session.client(service, **arguments)

    def session(self, role: str | None = None, region: str | None = None) -> boto3.Session:
        """A boto3 session whose clients reach this server, those of STS too.

        It signs as the administrator, or with temporary credentials of ``role`` (name or ARN), good for one hour.
        """
        from clary.testing.sessions import session

        administrator = self._installation.administrator
        keys = {"AccessKeyId": administrator.access_key, "SecretAccessKey": administrator.secret_key}
        return session(self.url, self._installation.assume_role(role) if role else keys, region or self.region)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a subprocess whose AWS clients shall reach this server as the administrator."""
        return environment.for_subprocess(self._installation)

    def environment_as(self, role: str = EXECUTION_ROLE) -> dict[str, str]:
        """The same with temporary credentials of a role (name or ARN): ``get_execution_role()`` gives that role."""
        return environment.for_subprocess(self._installation, self._installation.assume_role(role))

    def reset(self) -> None:
        """Make the server as empty as it was at first: stop jobs, remove resources, objects, users and logs.

        Raises ``ServerError`` if it cannot.
        """
        client = self._installation.client(timeout=30)
        status, body = client.send("POST", "/_clary/reset", "clary")
        if status != 200:
            raise ServerError(f"reset failed with status {status}: {body.decode('utf-8', 'replace')}")


@contextlib.contextmanager
def server(
    home: Path | str | None = None, port: int = 0, **settings: str | int | bool | Mapping[str, int]
) -> Iterator[Server]:
    """A running Clary for the body of a ``with`` statement.

    Without ``home`` it lives in a temporary folder that is removed at the end, with all its jobs; with ``home``
    everything is kept. ``port`` 0 means any free one. ``settings`` are those of ``settings.toml``:
    ``isolation="plain"``, ``strict=True``. Raises ``Mistake`` if it does not start.
    """
    variables = {f"CLARY_{name.upper()}": _as_text(value) for name, value in settings.items()}
    # What the caller's shell says about another installation is not meant for this one; the cache of images is shared.
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("CLARY_") or name == "CLARY_CACHE"
    }
    with contextlib.ExitStack() as stack:
        if home is None:
            folder = stack.enter_context(_temporary_folder())
        else:
            folder = Path(home)
        installation = Installation(load(folder, others | variables))
        started = installation.start(port, lifeline=True, environ=others | variables)
        running = Server(installation, started.url)
        try:
            yield running
        finally:
            if home is None:
                with contextlib.suppress(ServerError, NotRunning, OSError):
                    running.reset()
            _stop(started.process)
            if home is None:
                _end_jobs(installation)


def _as_text(value: str | int | bool | Mapping[str, int]) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {each}" for name, each in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait(60)


def _end_jobs(installation: Installation) -> None:
    """End what a server could not, because it was killed: nobody would find the jobs of a folder that is gone."""
    if any(installation.settings.jobs.glob("*/spec.json")):
        from clary.compute.placement.local import LocalPlacement

        placement = LocalPlacement(installation.settings)
        for job in placement.list():
            placement.remove(job)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    # Sockets live in it, and their paths are limited to about a hundred characters: pytest's folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="clary-"))
    try:
        yield folder
    finally:
        # An agent that has just been stopped may still write its last line.
        for _ in range(3):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
