"""One installation as the command line and the test server see it: where it lives, whether it runs, how to start it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from clary.cli.client import ApiError, Client, Credentials
from clary.cli.mistakes import Mistake, NotRunning
from clary.core.locks import is_held
from clary.core.settings import Settings, SettingsError, load

EXECUTION_ROLE = "ClaryExecutionRole"
_START_S = 90.0
_STOP_S = 40.0


@dataclass(frozen=True)
class Running:
    """What ``run/supervisor.json`` says about an installation that runs."""

    pid: int
    url: str
    port: int
    version: str
    started: float
    ready: bool
    test_mode: bool
    children: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Started:
    """A supervisor that was just started, and how long that took."""

    process: subprocess.Popen[bytes]
    url: str
    port: int
    seconds: float


class Installation:
    """The installation whose settings are ``settings``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def find(cls, home: Path | str | None = None) -> Installation:
        """The installation in ``home`` (``$CLARY_HOME``, else ``~/.clary``). Raises ``Mistake`` for a wrong setting."""
        try:
            return cls(load(home))
        except SettingsError as error:
            raise Mistake(str(error), 2) from error
        except PermissionError as error:
            raise Mistake(f"cannot read {error.filename}: {error.strerror}", 6) from error

    @property
    def home(self) -> Path:
        return self.settings.home

    # -- whether it runs -----------------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether a supervisor holds the home folder."""
        try:
            return is_held(self.settings.run / "supervisor.lock")
        except NotADirectoryError:
            return False
        except PermissionError as error:
            raise Mistake(f"{self.home} belongs to another user: {error.strerror}: {error.filename}", 6) from error

    @property
    def running(self) -> Running | None:
        """The running installation; None if there is none."""
        if not self.held:
            return None
        try:
            document = json.loads((self.settings.run / "supervisor.json").read_text())
            return Running(**{name: document[name] for name in Running.__dataclass_fields__})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def require(self) -> Running:
        """The running installation. Raises ``NotRunning`` with what to do about it."""
        if (running := self.running) is not None:
            return running
        if self.held:
            raise NotRunning(f"Clary in {self.home} is just starting or stopping; try again in a moment")
        if not self.home.exists():
            raise NotRunning(f"there is no Clary in {self.home} (no such folder); start one with: {self.command('up')}")
        raise NotRunning(f"Clary is not running in {self.home}; start it with: {self.command('up --detach')}")

    def command(self, words: str) -> str:
        """A ``clary`` command for this home folder, to be shown to a person."""
        # `./dev` has its own way to call the command, which is not on its user's path.
        line = f"{os.environ.get('CLARY_PROGRAM', 'clary')} {words}"
        if self.home in (Path.home() / ".clary", Path(os.environ.get("CLARY_HOME", "-")).expanduser().absolute()):
            return line
        return f"{line} --home {shlex.quote(str(self.home))}"

    def studio_link(self) -> str:
        """An address that opens Studio as the administrator, once and within ten minutes."""
        running = self.require()
        status, body = self.client().send("POST", "/_clary/link", "clary")
        if status != 200:
            raise ApiError("LinkRefused", body.decode("utf-8", "replace")[:200], status)
        return (self.settings.public_url.rstrip("/") or running.url) + str(json.loads(body)["path"])

    # -- start and stop ------------------------------------------------------------------------------------------------

    def start(
        self, port: int | None = None, lifeline: bool = False, environ: Mapping[str, str] = os.environ
    ) -> Started:
        """Start the supervisor and wait until the installation answers.

        With ``lifeline`` it stops when this process ends, else it goes on alone; ``environ`` is its whole environment.
        Raises ``Mistake`` if it does not start.
        """
        began = time.monotonic()
        ready_in, ready_out = os.pipe()
        command = [sys.executable, "-P", "-m", "clary.control.supervisor", "--home", str(self.home)]
        command += ["--ready-fd", str(ready_out)]
        command += ["--port", str(port)] if port is not None else []
        command += ["--until-eof"] if lifeline else []
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # What the supervisor itself cannot catch (an interpreter that does not start) must be seen.
                stderr=None if lifeline else subprocess.DEVNULL,
                pass_fds=[ready_out],
                env={name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
                start_new_session=True,
                # A folder that somebody removes or unmounts later must not be held.
                cwd="/",
            )
        finally:
            os.close(ready_out)
        with os.fdopen(ready_in, "rb") as answers:
            answer = _first_line(answers, _START_S)
        if answer.get("state") != "ready":
            self._explain(process, answer)
        return Started(process, answer["url"], int(answer["port"]), time.monotonic() - began)

    def _explain(self, process: subprocess.Popen[bytes], answer: Mapping[str, Any]) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        if process.stdin is not None:
            process.stdin.close()
        if "message" in answer:
            process.wait()
            raise Mistake(str(answer["message"]), int(answer.get("code", 1)))
        raise Mistake(f"Clary does not start; its log is {self.settings.log / 'supervisor.log'}")

    def stop(self) -> bool:
        """Stop the installation and wait until it is gone; gives whether it ran. Raises ``Mistake`` if it stays."""
        running = self.running
        if running is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while self.held:
            if time.monotonic() > deadline:
                raise Mistake(f"process {running.pid} does not stop; end it with: kill -9 {running.pid}")
            time.sleep(0.02)
        return True

    # -- how to use it -------------------------------------------------------------------------------------------------

    @cached_property
    def administrator(self) -> Credentials:
        """The administrator's access key. Raises ``Mistake`` if it cannot be read."""
        file = self.settings.secrets / "administrator.json"
        try:
            document = json.loads(file.read_text())
            return Credentials(document["AccessKeyId"], document["SecretAccessKey"])
        except FileNotFoundError:
            raise NotRunning(f"there is no Clary in {self.home} yet; start one with: {self.command('up')}") from None
        except PermissionError as error:
            raise Mistake(f"{file} belongs to another user", 6) from error
        except (ValueError, KeyError, TypeError) as error:
            raise Mistake(f"{file} is damaged: {error!r}") from error

    def client(self, timeout: float = 10, region: str = "") -> Client:
        """A client that signs as the administrator, for the installation's region or another. Raises ``NotRunning``."""
        return Client(self.require().url, self.administrator, region or self.settings.region, timeout)

    def role_arn(self, role: str = EXECUTION_ROLE) -> str:
        """The ARN of a role of this account, by its name or ARN."""
        return role if role.startswith("arn:") else f"arn:aws:iam::{self.settings.account}:role/{role}"

    def assume_role(self, role: str = EXECUTION_ROLE, session: str = "clary", seconds: int = 3600) -> dict[str, str]:
        """Temporary credentials of a role, as ``sts:AssumeRole`` gives them: ``AccessKeyId``, ``SecretAccessKey``,
        ``SessionToken``, ``Expiration``. Raises ``Mistake``."""
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        try:
            answer = self.client().query(
                "sts",
                "AssumeRole",
                RoleArn=self.role_arn(role),
                RoleSessionName=session,
                DurationSeconds=str(seconds),
            )
        except ApiError as error:
            raise Mistake(f"cannot assume {self.role_arn(role)}: {error}") from error
        except OSError as error:
            raise NotRunning(f"Clary in {self.home} does not answer: {error}") from error
        return {name: answer.findtext(f".//Credentials/{name}", "") for name in names}


def _first_line(stream: IO[bytes], seconds: float) -> dict[str, Any]:
    """The JSON document in the first line of ``stream``; empty if it does not come in time."""
    deadline = time.monotonic() + seconds
    received = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in received and selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                break
            received += chunk
    try:
        document: dict[str, Any] = json.loads(received)
    except ValueError:
        return {}
    return document
