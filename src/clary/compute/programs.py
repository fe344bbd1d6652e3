"""Programs of the platform's own that need the packages of an image: asked by lines of JSON, one answer a line.

The control plane stays slim: what needs NumPy or an optimizer is asked of a process in the environment that has it.
Such a program keeps nothing between two questions, so it may be ended at any time; it ends itself when nobody asks it
for a while, and with the process that started it, since its input ends then.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from clary.compute.images.environments import ImageStore
from clary.core.settings import Settings

LONGEST_ANSWER_S = 120.0
"""Seconds that a program may think about one question; then it is ended."""
_RUNTIMES = Path(__file__).parents[2] / "clary_runtimes"
_CHUNK = 1 << 16


class ProgramError(Exception):
    """A program ended, did not answer in time, or refused the question; the message says which."""


class Programs:
    """The programs of one process, each started when it is first asked."""

    def __init__(self, settings: Settings, images: ImageStore) -> None:
        self._images = images
        self._log = settings.home / "log" / "programs.log"
        self._modules = settings.home / "run" / "modules"
        self._running: dict[str, _Program] = {}
        self._lock = threading.Lock()

    def ask(self, image: str, module: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of ``python -m module``, run in the environment of ``image``, to ``question``.

        Raises ``ImageNotReady`` while the environment is not built, and ``ProgramError``.
        """
        program = self._program(image, module)
        try:
            answer = program.ask(question)
        except _Ended:
            # It may have ended by itself just now, since nobody had asked it for long.
            answer = self._again(image, module, question)
        if "error" in answer:
            raise ProgramError(f"{module}: {answer['error']}")
        return answer

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for program in self._running.values():
                program.end()
            self._running.clear()

    def _again(self, image: str, module: str, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._program(image, module).ask(question)
        except _Ended as error:
            raise ProgramError(f"{module} ended instead of answering; {self._log} has its last words.") from error

    def _program(self, image: str, module: str) -> _Program:
        with self._lock:
            program = self._running.get(module)
            if program is None or program.ended:
                spec = self._images.spec(image)
                program = self._running[module] = _Program(spec.python, module, self._folder(), self._log)
            return program

    def _folder(self) -> Path:
        """A folder with the package of the programs alone: what is installed beside it is for another environment."""
        for folder in (self._modules, self._log.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        link = self._modules / _RUNTIMES.name
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(_RUNTIMES)
        return self._modules


class _Ended(Exception):
    """The process is gone."""


class _Program:
    """One process, which answers one question at a time."""

    def __init__(self, python: str, module: str, modules: Path, log: Path) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._rest = b""
        errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._process = subprocess.Popen(
                [python, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                cwd="/",
                env={
                    "PATH": "/usr/bin:/bin",
                    "PYTHONPATH": str(modules),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    # It thinks for milliseconds: starting threads would take longer.
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                },
            )
        finally:
            os.close(errors)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._input, False)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer; raises ``_Ended``, and ``ProgramError`` when it takes too long or is none."""
        with self._lock:
            until = time.monotonic() + LONGEST_ANSWER_S
            self._write(orjson.dumps(question) + b"\n", until)
            line = self._read(until)
        try:
            answer = orjson.loads(line)
        except ValueError as error:
            self.end()
            raise ProgramError(f"{self._module} answered what is no JSON: {line[:200]!r}") from error
        assert isinstance(answer, dict)
        return answer

    def end(self) -> None:
        """Kill the process, unless it has ended."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def _write(self, data: bytes, until: float) -> None:
        while data:
            self._await(writable=True, until=until)
            try:
                data = data[os.write(self._input, data[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                self.end()
                raise _Ended from error

    def _read(self, until: float) -> bytes:
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            self._await(writable=False, until=until)
            data = os.read(self._output, _CHUNK)
            if not data:
                self.end()
                raise _Ended
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def _await(self, writable: bool, until: float) -> None:
        read, write = ([], [self._input]) if writable else ([self._output], [])
        if not any(select.select(read, write, [], max(0.0, until - time.monotonic()))):
            self.end()
            raise ProgramError(f"{self._module} did not answer within {LONGEST_ANSWER_S:g} seconds.")
