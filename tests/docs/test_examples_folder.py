"""The programs in ``examples/`` run as they stand there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clary.testing.server import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.timeout(600)
def test_script_mode(clary_aws: Server) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "script_mode" / "run.py")],
        env=clary_aws.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[0, 2]\n")


@pytest.mark.timeout(600)
def test_own_tests() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "-c", "/dev/null", "."],
        cwd=EXAMPLES / "own_tests",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout
