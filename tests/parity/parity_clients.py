"""Clients that do not belong into the project's own environment, each in a virtual environment of its own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from clary.compute.images.overlays import uv_environment
from clary.core.settings import load
from clary.testing.server import Server

CLIENTS = Path(__file__).with_name("clients")
"""A file of locked requirements for each client."""


class Client:
    """A client in a virtual environment of its own, run as a user would run it."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._bin = folder / "bin"
        self._work = work

    def run(self, server: Server, *command: str, role: str | None = None, **variables: str) -> str:
        """Run a command of the environment as the administrator, or as ``role``, and return its standard output.

        Fails with what it wrote if it does not exit with 0.
        """
        done = self.start(server, *command, role=role, **variables)
        assert done.returncode == 0, f"{command} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(
        self, server: Server, *command: str, role: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """The same, however it exits."""
        environment = server.environment_as(role) if role else server.environment
        own = {
            "HOME": str(self._work),
            "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            "AWS_PAGER": "",
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(self._settings()),
        }
        return subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            env=environment | own | variables,
            cwd=self._work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def _settings(self) -> Path:
        """Settings of the SDKs without which they call home."""
        file = self._work / "sagemaker.yaml"
        file.write_text("SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n")
        return file

    def story(self, server: Server, file: Path, role: str = "ClaryExecutionRole") -> str:
        """Run a Python program, as a user of the SDK with ``role``; a copy, beside which nothing of ours lies."""
        script = self._work / file.name
        shutil.copyfile(file, script)
        return self.run(server, "python", str(script), role=role)


def environment(name: str) -> Path:
    """The virtual environment of the client ``name``; it is built once and kept in the cache."""
    requirements = CLIENTS / f"{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    root = load().cache / "test-envs"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"{requirements.stem}-{digest}"
    with (root / f"{folder.name}.lock").open("w") as lock:
        # Two workers of a test run may want it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            uv = find_uv_bin()
            for command in (
                [uv, "venv", "--clear", "--no-project", "--python", sys.executable, str(folder)],
                [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(folder), "-r", str(requirements)],
            ):
                done = subprocess.run(command, env=uv_environment(), capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{requirements.name} cannot be installed: {done.stderr[-2000:]}"
            (folder / "complete").touch()
    return folder
