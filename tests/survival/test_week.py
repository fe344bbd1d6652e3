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


@pytest.fixture(scope="module")
def days() -> list[dict[str, Any]]:
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


def test_every_job_ran_once(days: list[dict[str, Any]]) -> None:
    assert len(days) == DAYS
    assert days[-1]["jobs"] == days[-1]["launched"] == JOBS


@pytest.mark.parametrize("what", ["resources", "database_bytes", "files", "other_bytes", "resident_bytes"])
def test_a_day_later_there_is_no_more_of_it(days: list[dict[str, Any]], what: str) -> None:
    """The third day is the first at whose end as much has gone as has come."""
    settled, end = days[2][what], days[-1][what]
    assert end < settled * 1.15, [day[what] for day in days]


def test_what_is_kept_is_what_a_day_leaves(days: list[dict[str, Any]]) -> None:
    jobs_of_a_day = JOBS // DAYS
    # Two days of jobs at most, each with four resources, its folder's two files and the log of the day.
    assert days[-1]["resources"] < 2 * 4 * jobs_of_a_day + 100
    assert days[-1]["files"] < 2 * 2 * jobs_of_a_day + 100
