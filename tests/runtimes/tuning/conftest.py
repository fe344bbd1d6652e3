"""The search as the control plane runs it: a program in the environment of its image."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def tuner(runtime_of: Any) -> Any:
    return runtime_of("tuner", "tuner")


@pytest.fixture(scope="session")
def ask(tuner: Any) -> Iterator[Ask]:
    """What the program answers to a request, given by its members or as the line itself."""
    process = subprocess.Popen(
        [tuner.python, "-m", "clary_runtimes.tuning"],
        env=tuner.variables(Path("/nowhere")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None

    def answer(line: bytes | None = None, **members: Any) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write((json.dumps(members).encode() if line is None else line) + b"\n")
        process.stdin.flush()
        found: dict[str, Any] = json.loads(process.stdout.readline())
        return found

    yield answer
    process.stdin.close()
    assert process.wait(30) == 0
    assert process.stdout.read() == b""
    process.stdout.close()
