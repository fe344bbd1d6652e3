"""Keeps the two processes of an installation, edge and control, running: ``python -m clary.control.supervisor``.

The supervisor holds a lock on the home folder, starts both processes at once, gathers what they print into size-rotated
logs, starts a dead one again, and stops them in order. It listens on nothing itself. The children notice its death by
the end of their standard input, so that a killed supervisor leaves nothing behind.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from clary import __version__
from clary.control.child import EXIT_SETTINGS, Child, ending, process_start
from clary.control.probe import answers, read_state
from clary.control.rotating_log import RotatingLog
from clary.core.external_keys import ExternalKeys
from clary.core.files import write_private
from clary.core.settings import Settings, SettingsError, load

EXIT_STOPPED = 0
EXIT_HOME_HELD = 3
EXIT_PORT_TAKEN = 4
EXIT_START_FAILED = 5
EXIT_HOME_UNUSABLE = 6

_DEATHS_BEFORE_READY = 3
_START_S = 60.0
"""How long the installation may take until it answers for the first time."""
_PREDECESSOR_S = 10.0
_LOOK_S = 0.01


class StartError(Exception):
    """The installation cannot be started; ``code`` is the exit status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Supervisor:
    """Supervises one installation; ``run`` returns its exit status.

    ``programs`` are the commands by name; the one named ``edge`` writes ``run/edge.json`` when it listens, and is
    stopped first. ``ready`` is a file descriptor that gets one line of JSON when the installation answers or
    cannot be started, and ``lifeline`` one whose end asks for a stop. ``patience`` is how many seconds a child may take
    to leave after SIGTERM before it is killed.
    """

    def __init__(
        self,
        settings: Settings,
        programs: Mapping[str, Sequence[str]],
        ready: int | None = None,
        lifeline: int | None = None,
        patience: float = 10.0,
    ) -> None:
        self.settings = settings
        self.log = RotatingLog(settings.log / "supervisor.log")
        self.children = [
            Child(name, command, RotatingLog(settings.log / f"{name}.log")) for name, command in programs.items()
        ]
        self.port = settings.port
        self.began = time.time()
        self._began = time.monotonic()
        self.is_ready = False
        self._ready_fd = ready
        self._lifeline = lifeline
        self._patience = patience
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._lock: int | None = None

    # -- the whole life ------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Start, keep and stop the processes. Raises ``StartError``."""
        try:
            self._hold_home()
            self._end_predecessor()
            self._take_port()
            self._listen_for_signals()
            for child in self.children:
                self._start(child)
            self._loop()
            self._stop()
        finally:
            for child in self.children:
                child.kill()
            if self._lock is not None:
                for name in ("supervisor.json", "edge.json"):
                    (self.settings.run / name).unlink(missing_ok=True)
        return EXIT_STOPPED

    def announce(self, state: str, **members: Any) -> None:
        """Tell whoever started us how it went."""
        if self._ready_fd is not None:
            line = json.dumps({"state": state, "pid": os.getpid(), **members}) + "\n"
            with contextlib.suppress(OSError):
                os.write(self._ready_fd, line.encode())
                os.close(self._ready_fd)
            self._ready_fd = None

    # -- before the start ----------------------------------------------------------------------------------------------

    def _hold_home(self) -> None:
        lock = os.open(self.settings.run / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # `clary status` looks by trying the lock for a moment, which must not keep us from it.
        for _ in range(20):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOOK_S)
            else:
                self._lock = lock
                return
        os.close(lock)
        holder = read_state(self.settings.run / "supervisor.json")
        where = f" (process {holder['pid']}, {holder['url']})" if holder else ""
        raise StartError(EXIT_HOME_HELD, f"Clary is already running in {self.settings.home}{where}")

    def _end_predecessor(self) -> None:
        """Wait for the processes of a supervisor that was killed; they are leaving by themselves."""
        left = read_state(self.settings.run / "supervisor.json") or {}
        deadline = time.monotonic() + _PREDECESSOR_S
        for child in left.get("children", {}).values():
            pid, since = child["pid"], child["since"]
            while process_start(pid) == since:
                if time.monotonic() > deadline:
                    self._say(f"process {pid} of the last run does not leave and is killed")
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(_LOOK_S)
        for name in ("supervisor.json", "edge.json"):
            (self.settings.run / name).unlink(missing_ok=True)

    def _take_port(self) -> None:
        """See that the port is free, or choose one, so that both children know it from the start.

        A socket that is bound and does not listen keeps the port from other programs while the edge is started again,
        and does not hinder the edge: both set ``SO_REUSEADDR``, which Linux takes so (elsewhere we only look).
        """
        host = self.settings.host
        last = self.settings.run / "port"
        try:
            try:
                # Where any port will do, the last one is best: jobs that outlived the last run know it.
                self._bind(self.port or int(last.read_text()))
            except (OSError, ValueError, OverflowError):
                if self.port:
                    raise
                self._bind(0)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                who = "another Clary, of another home folder" if answers(host, self.port) else "another program"
                reason = f"port {self.port} is taken by {who}; choose another one with --port (0 means any free one)"
            else:
                reason = f"cannot listen on {host} port {self.port}: {error.strerror or error}"
            raise StartError(EXIT_PORT_TAKEN, reason) from error
        self.port = int(self._place.getsockname()[1])
        write_private(last, str(self.port))
        if sys.platform != "linux":
            self._place.close()

    def _bind(self, port: int) -> None:
        family, kind, _, _, address = socket.getaddrinfo(self.settings.host, port, type=socket.SOCK_STREAM)[0]
        self._place = socket.socket(family, kind)
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(address)

    def _listen_for_signals(self) -> None:
        self._wake_in, wake_out = socket.socketpair()
        for end in (self._wake_in, wake_out):
            end.setblocking(False)
        self._wake_out = wake_out
        signal.set_wakeup_fd(wake_out.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if self._lifeline is not None:
            self._selector.register(self._lifeline, selectors.EVENT_READ, "lifeline")

    def _ask_to_stop(self, *_: object) -> None:
        self._stopping = True

    # -- while it runs -------------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        # Byte code must be cached, or every start compiles the libraries anew.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return environment | {"CLARY_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}

    def _start(self, child: Child) -> None:
        child.start(self._environment())
        assert child.process is not None and child.process.stdout is not None
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)
        child.start_at = 0.0
        self._say(f"{child.name} started as process {child.process.pid}")
        self._write_state()

    def _loop(self) -> None:
        while not self._stopping:
            self._wait(self._next_look())
            for child in self.children:
                self._care_for(child)
            if not self.is_ready:
                self._look_whether_ready()

    def _next_look(self) -> float | None:
        if not self.is_ready:
            return _LOOK_S
        due = [child.start_at for child in self.children if child.start_at]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _wait(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Child):
                self._read(key.data)
            elif key.data == "lifeline":
                if not os.read(key.fd, 4096):
                    self._stopping = True
                    self._selector.unregister(key.fd)
            else:
                with contextlib.suppress(BlockingIOError):
                    while self._wake_in.recv(4096):
                        pass

    def _read(self, child: Child) -> None:
        child.drain()
        if child.ended and child.process is not None and child.process.stdout is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.process.stdout)

    def _care_for(self, child: Child) -> None:
        if child.alive or self._stopping:
            return
        if not child.start_at:
            assert child.process is not None and child.process.stdout is not None
            self._read(child)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(child.process.stdout)
            child.close()
            pause = child.pause_after_death()
            hopeless = child.process.returncode == EXIT_SETTINGS
            if not self.is_ready and (hopeless or child.deaths >= _DEATHS_BEFORE_READY):
                self._give_up(child)
            self._say(f"{child.name} ended with {ending(child.process.returncode)}; started again in {pause:g} s")
            child.start_at = time.monotonic() + pause
        if time.monotonic() >= child.start_at:
            child.restarts += 1
            self._start(child)

    def _give_up(self, child: Child) -> None:
        assert child.process is not None
        times = "once" if child.deaths == 1 else f"{child.deaths} times"
        deaths = f"{child.name} ended {times}, with {ending(child.process.returncode)}"
        lines = child.log.tail(20)
        raise StartError(EXIT_START_FAILED, f"Clary does not start: {deaths}. The end of {child.log.path}:\n{lines}")

    def _look_whether_ready(self) -> None:
        """Ask for the health of the installation until it answers for the first time."""
        if time.monotonic() - self._began > _START_S:
            raise StartError(EXIT_START_FAILED, f"Clary does not answer after {_START_S:g} s; see {self.settings.log}")
        edge = next((child for child in self.children if child.name == "edge"), None)
        if edge is None or not edge.alive or edge.process is None:
            return
        listening = read_state(self.settings.run / "edge.json") or {}
        if listening.get("pid") != edge.process.pid:
            return
        if not answers(self.settings.host, self.port):
            return
        self.is_ready = True
        for child in self.children:
            child.deaths = 0
        self._write_state()
        seconds = time.monotonic() - self._began
        self._say(f"ready on {self.url} after {seconds:.2f} s")
        self.announce("ready", url=self.url, port=self.port, home=str(self.settings.home), seconds=round(seconds, 3))

    @property
    def url(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.port}"

    def _write_state(self) -> None:
        children = {child.name: child.describe() for child in self.children if child.process is not None}
        state = {
            "pid": os.getpid(),
            "version": __version__,
            "test_mode": self.settings.test_mode,
            "port": self.port,
            "url": self.url,
            "started": self.began,
            "ready": self.is_ready,
            "children": children,
        }
        file = self.settings.run / "supervisor.json"
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(state))
        draft.chmod(0o600)
        draft.replace(file)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Stop the edge, which finishes what it has begun and needs control for that; then the others."""
        self._say("stopping")
        for child in sorted(self.children, key=lambda child: child.name != "edge"):
            child.signal(signal.SIGTERM)
            deadline = time.monotonic() + self._patience
            while child.alive:
                if time.monotonic() > deadline:
                    self._say(f"{child.name} does not leave and is killed")
                    child.signal(signal.SIGKILL)
                self._wait(0.05)
            self._read(child)
            child.close()
        self._say("stopped")

    def _say(self, text: str) -> None:
        self.log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n".encode())


def programs(settings: Settings) -> dict[str, list[str]]:
    """The programs of an installation. ``-P`` keeps the current folder off their module path."""
    python, home = [sys.executable, "-P", "-m"], ["--home", str(settings.home)]
    control = {name: [*python, "clary.control", *home, "--name", name] for name in settings.control_names}
    return {**control, "edge": [*python, "clary.edge", *home]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the supervisor; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python -m clary.control.supervisor", description=__doc__)
    parser.add_argument("--home", help="folder of the installation (default: $CLARY_HOME, else ~/.clary)")
    parser.add_argument("--port", type=int, help="port to listen on; 0 means any free one")
    parser.add_argument("--ready-fd", type=int, help="descriptor that gets a line of JSON when it is ready or failed")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    supervisor: Supervisor | None = None
    try:
        settings = load(options.home, port=options.port)
        settings.create_folders()
        if settings.objects_url:
            # Said at once rather than by an edge that dies again and again.
            ExternalKeys(settings)
        if settings.master_key:
            # The same; imported here because hardly anybody needs it.
            from clary.services.iam.vault import master_key_of

            master_key_of(settings)
        lifeline = sys.stdin.fileno() if options.until_eof else None
        supervisor = Supervisor(settings, programs(settings), options.ready_fd, lifeline)
        return supervisor.run()
    except SettingsError as error:
        failure = StartError(EXIT_SETTINGS, str(error))
    except OSError as error:
        failure = StartError(EXIT_HOME_UNUSABLE, f"cannot use the home folder: {error.strerror}: {error.filename}")
    except StartError as error:
        failure = error
    _report(failure, supervisor, options.ready_fd)
    return failure.code


def _report(failure: StartError, supervisor: Supervisor | None, ready: int | None) -> None:
    message = str(failure)
    if ready is not None:
        line = json.dumps({"state": "failed", "code": failure.code, "message": message}) + "\n"
        with contextlib.suppress(OSError):
            os.write(ready, line.encode())
    else:
        sys.stderr.write(f"clary: {message}\n")
    if supervisor is not None and failure.code not in (EXIT_HOME_HELD,):
        supervisor._say(f"failed: {message}")


if __name__ == "__main__":
    sys.exit(main())
