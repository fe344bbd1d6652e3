"""A simulated week leaves no more behind than its last days: files, database, logs and memory stay as they are.

``CLARY_WEEK_JOBS=100000 ./dev test --shard load -k week`` runs as many jobs as one likes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow("load"), pytest.mark.timeout(7200)]

DAYS = 7
JOBS = int(os.environ.get("CLARY_WEEK_JOBS", "7000"))


def live() -> list[dict[str, Any]]:
    """What is there at the end of each day."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CLARY_")}
    with tempfile.TemporaryDirectory(prefix="clary-") as folder:
        command = [sys.executable, str(Path(__file__).with_name("week.py")), f"{folder}/home", str(JOBS), str(DAYS)]
        # It leaves when its standard input ends.
        done = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert done.stdout is not None
        told = [json.loads(line) for line in done.stdout]
        assert done.wait(60) == 0
    for day in told:
        print(json.dumps(day))
    return told


def test_a_week_leaves_what_a_day_leaves() -> None:
    days = live()
    assert len(days) == DAYS
    # Every job ran once.
    assert days[-1]["jobs"] == days[-1]["launched"] == JOBS
    # The third day is the first at whose end as much has gone as has come.
    for what in ("resources", "database_bytes", "files", "other_bytes", "resident_bytes"):
        assert days[-1][what] < days[2][what] * 1.15, (what, [day[what] for day in days])
    # What is kept are two days of jobs at most, each with four resources and the two files of its folder.
    jobs_of_a_day = JOBS // DAYS
    assert days[-1]["resources"] < 2 * 4 * jobs_of_a_day + 100
    assert days[-1]["files"] < 2 * 2 * jobs_of_a_day + 100
