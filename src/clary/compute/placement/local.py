"""Agents on this machine, each in a folder of its own below ``jobs``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from uv import find_uv_bin

import clary.compute.agent
from clary.compute.agent.process import kill_leftovers, start_time
from clary.compute.isolation.select import groups, options, outside, select
from clary.compute.placement.base import Observation, PlacementError, StaleAttempt
from clary.compute.placement.deleting import delete
from clary.compute.placement.standby import Standbys
from clary.compute.spec import JobSpec, SpecError, check_id
from clary.core.locks import is_held
from clary.core.settings import Settings

_AGENT = str(Path(clary.compute.agent.__file__).with_name("__main__.py"))
_RUNTIMES = Path(clary.compute.agent.__file__).parents[3] / "clary_runtimes"
_KEPT = frozenset({"log", "data-log", "metrics.jsonl"})
_KEPT_BETWEEN = _KEPT | {"lock", "launch", "sockets", "agent.log", "done", "usage.json"}
_DIES_S = 10.0
_NOBODY = 0
"""The row of no resource."""


class LocalPlacement:
    """Agents that are this machine's processes and nobody's children: they outlive the control plane."""

    name = "local"

    def __init__(self, settings: Settings, process: str = "control") -> None:
        """``process`` is the name of the control process that this one is the placement of."""
        self._jobs = settings.jobs
        self._wake = settings.wake_socket(process)
        self._volumes = settings.home / "volumes"
        self._overlays = settings.cache / "overlays"
        self._settings = settings
        self._jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.standbys = Standbys(settings.home / "pools", _locked)

    def folder(self, id: str) -> Path:
        """The job's folder. Raises ``SpecError`` for an impossible id."""
        return self._jobs / check_id(id)

    def log(self, id: str) -> Path:
        return self.folder(id) / "log"

    def metrics(self, id: str) -> Path:
        return self.folder(id) / "metrics.jsonl"

    def usage(self, id: str) -> Mapping[int, Mapping[str, float]]:
        try:
            return msgspec.json.decode((self.folder(id) / "usage.json").read_bytes(), type=dict[int, dict[str, float]])
        except (OSError, msgspec.DecodeError):
            return {}  # no minute has been told yet; without a sandbox, the job itself could write the file

    def volumes(self) -> Sequence[str]:
        return sorted(each.name for each in self._volumes.iterdir()) if self._volumes.is_dir() else []

    def fill(self, volume: str, write: Callable[[Path], None]) -> None:
        folder = self._volumes / check_id(volume)
        if folder.is_dir():
            return
        self._volumes.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Its name is that of no resource's volume: what a crash leaves of it is discarded at the next start.
        draft = Path(tempfile.mkdtemp(prefix=f"Draft-{_NOBODY}-", dir=self._volumes))
        try:
            write(draft)
            _sync(draft)
            try:
                draft.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise  # else somebody was faster
            _sync_names(self._volumes)
        finally:
            delete(draft)

    def discard(self, volume: str) -> None:
        folder = self._volumes / check_id(volume)
        delete(folder)

    def _volume(self, name: str) -> Path:
        folder = self._volumes / check_id(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def list(self) -> Sequence[str]:
        return sorted(each.name for each in self._jobs.iterdir() if (each / "spec.json").exists())

    def launch(self, spec: JobSpec, ticket: str) -> None:
        folder = self.folder(spec.id)
        isolation = spec.isolation or select(self._settings).name
        with self._launching(folder):
            before = _read_spec(folder)
            if before is not None and before.attempt > spec.attempt:
                raise StaleAttempt(f"attempt {spec.attempt} of {spec.id} comes after attempt {before.attempt}")
            if before is not None and before.attempt == spec.attempt and (_locked(folder) or _events(folder, spec)):
                return
            if any(each.name not in _KEPT | {"launch"} for each in folder.iterdir()):
                # Also without a spec: this may have been cut short before, and nothing of an older attempt may stay.
                self._end(folder)
                _clear(folder, _KEPT_BETWEEN)
            _write(folder / "ticket", ticket)
            _write(folder / "place.json", json.dumps(self._place(spec, isolation)))
            standby = self.standbys.take(replace(spec, isolation=isolation)) if spec.pool else None
            if standby is not None:
                self.standbys.move(standby, folder)
            _write(folder / "spec.json", spec.to_json())
            if standby is not None:
                if self.standbys.tell(standby, folder):
                    return
                self._end(folder)
            self._start(folder)

    def prepare(self, spec: JobSpec) -> None:
        isolation = spec.isolation or select(self._settings).name
        # Without a sandbox a job could change what comes after it in the same process. And a standby belongs to the
        # process that made it, where another one may launch the next job.
        if isolation == "bubblewrap" and self._settings.control_processes == 1:
            self.standbys.add(replace(spec, isolation=isolation), self._start_standby)

    def retire(self, pool: str) -> None:
        self.standbys.end(check_id(pool))

    def retire_all(self) -> None:
        if self._settings.control_processes == 1:
            self.standbys.end_all()

    def _start_standby(self, folder: Path, spec: JobSpec, told: int) -> None:
        _write(folder / "place.json", json.dumps(self._place(spec, spec.isolation)))
        _write(folder / "spec.json", spec.to_json())
        self._start(folder, told)

    def _place(self, spec: JobSpec, isolation: str) -> dict[str, Any]:
        return {
            "isolation": isolation,
            "options": options(isolation),
            "groups": groups(isolation),
            "wake": str(self._wake),
            "runtimes": str(_RUNTIMES),
            "overlays": str(self._overlays),
            "uv": find_uv_bin(),
            "cache": str(self.standbys.cache(spec.pool)) if spec.pool else "",
            "volumes": {path: str(self._volume(name)) for path, name in spec.volumes.items()},
            "shares_network": self._settings.job_network == "host",
            "outside": outside(),
            "addresses": _addresses(spec.cluster),
            "peers": [str(self.folder(each)) for each in spec.cluster if each != spec.id],
            "series": [str(self.folder(each)) for each in spec.series],
        }

    def observe(self, id: str) -> Observation:
        folder = self.folder(id)
        spec = _read_spec(folder)
        if spec is None:
            return Observation(id)
        # First the lock, then the events: an agent that ends in between is seen with its last event.
        alive = _locked(folder)
        events = _events(folder, spec)
        return Observation(id, alive, alive or bool(events), spec.attempt, events)

    def stop(self, id: str) -> None:
        folder = self.folder(id)
        if _read_spec(folder) is None:
            return
        _write(folder / "stop", "")
        agent = _holder(folder)
        if agent is not None and _locked(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(agent, signal.SIGTERM)

    def end(self, id: str) -> None:
        """Kill a job's agent and what it started; what is in its folder stays."""
        folder = self.folder(id)
        with self._launching(folder):
            self._end(folder)

    def remove(self, id: str, *, keep_log: bool = False) -> None:
        folder = self.folder(id)
        if not folder.is_dir():
            return
        with self._launching(folder):
            self._end(folder)
            for socket in _lines(folder / "sockets"):
                shutil.rmtree(socket, ignore_errors=True)
            _clear(folder, {"launch", *(_KEPT if keep_log else ())})
            (folder / "launch").unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a log is kept in it
            folder.rmdir()

    # -- the agent's process

    def _start(self, folder: Path, told: int | None = None) -> None:
        """Start the agent of ``folder``; with the descriptor ``told`` it waits there for its job."""
        # The lock is taken here and inherited, so that there is no moment at which a launched agent does not seem
        # alive.
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _take(lock)
            os.ftruncate(lock, 0)
            # A shell starts it in the background and ends, which leaves the agent to the system: it is nobody's child
            # to wait for.
            command = ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-I", "-S", _AGENT, str(folder)]
            environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "CLARY_AGENT_LOCK": str(lock)}
            if told is not None:
                environment["CLARY_AGENT_TOLD"] = str(told)
            for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_FIND_LINKS", "PIP_FIND_LINKS", "HOME"):
                if name in os.environ:
                    environment[name] = os.environ[name]
            with (folder / "agent.log").open("ab") as errors:
                subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    env=environment,
                    cwd="/",
                    pass_fds=(lock,) if told is None else (lock, told),
                    start_new_session=True,
                    check=True,
                )
        except (OSError, subprocess.CalledProcessError) as error:
            raise PlacementError(f"the agent of {folder.name} cannot be started: {error}") from error
        finally:
            os.close(lock)

    def _end(self, folder: Path) -> None:
        """Kill an agent and what it started, and wait until they are gone."""
        until = time.monotonic() + _DIES_S
        while _locked(folder):
            agent = _holder(folder)
            if agent is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(agent, signal.SIGKILL)
            if time.monotonic() > until:
                raise PlacementError(f"the agent of {folder.name} does not die")
            time.sleep(0.005)
        kill_leftovers(str(folder.resolve()))

    @contextlib.contextmanager
    def _launching(self, folder: Path) -> Iterator[None]:
        """One at a time starts or removes a job."""
        while True:
            folder.mkdir(mode=0o700, exist_ok=True)
            file = os.open(folder / "launch", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _same_file(file, folder / "launch"):
                    yield
                    return
            finally:
                os.close(file)


def _addresses(cluster: Sequence[str]) -> Sequence[str]:
    """An address for each host of a job, all of them this machine: hosts may then listen on the same port, and those of
    another job too, as long as they listen on their own address alone."""
    if not cluster:
        return []
    place = zlib.crc32(cluster[0].encode()) % (254 * 256)
    return [f"127.{1 + place // 256}.{place % 256}.{number + 1}" for number in range(len(cluster))]


def _sync(folder: Path) -> None:
    """Have everything below a folder on the disk."""
    for each, _, files in os.walk(folder, topdown=False):
        for name in files:
            if not (path := Path(each, name)).is_symlink():
                _sync_names(path)
        _sync_names(Path(each))


def _sync_names(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _same_file(descriptor: int, path: Path) -> bool:
    """Whether an open file still has this name: who held its lock before may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _locked(folder: Path) -> bool:
    return is_held(folder / "lock")


def _take(lock: int) -> None:
    until = time.monotonic() + _DIES_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.001)  # somebody is just looking whether it is held


def _holder(folder: Path) -> int | None:
    """The agent's pid, if that still is the process that wrote it down."""
    try:
        process, start = (folder / "lock").read_text("ascii").split()
    except (OSError, ValueError):
        return None
    return int(process) if start_time(int(process)) == start else None


def _events(folder: Path, spec: JobSpec) -> tuple[Mapping[str, Any], ...]:
    """What the agent of this attempt has reported; one of another attempt does not speak for it."""
    events = []
    for line in _lines(folder / "events.jsonl"):
        with contextlib.suppress(ValueError):  # a line that a power cut or a full disk has cut
            events.append(json.loads(line))
    return tuple(each for each in events if isinstance(each, dict) and each.get("attempt") in (spec.attempt, 0))


def _lines(file: Path) -> Sequence[str]:
    try:
        return [line for line in file.read_text("utf-8", "replace").split("\n") if line]
    except FileNotFoundError:
        return []


def _read_spec(folder: Path) -> JobSpec | None:
    try:
        return JobSpec.from_json((folder / "spec.json").read_bytes())
    except FileNotFoundError:
        return None
    except SpecError:
        return None  # written in part before a power cut: as if it had not been launched


def _write(file: Path, text: str) -> None:
    """Write a private file in one step."""
    aside = file.with_name(file.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    aside.rename(file)


def _clear(folder: Path, kept: Collection[str]) -> None:
    """Delete what is in a job's folder, the spec last: as long as that is there, the rest is known to be unfinished."""
    for each in sorted(folder.iterdir(), key=lambda each: each.name == "spec.json"):
        if each.name not in kept:
            delete(each)
