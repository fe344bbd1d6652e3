"""``kill -9`` at any point of any write: what was acknowledged is there, byte for byte, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("kill_campaign.py")


def campaign(folder: Path, first: int, rounds: int) -> None:
    command = [sys.executable, str(PROGRAM), str(folder), str(first), str(first + rounds)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow("survival")
@pytest.mark.timeout(1800)
def test_five_hundred_kills(tmp_path: Path) -> None:
    campaign(tmp_path / "store", 0, 500)


def test_some_kills(tmp_path: Path) -> None:
    campaign(tmp_path / "store", 500, 8)
