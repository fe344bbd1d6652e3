"""The clock is set while jobs are at work: they go on and end as if nothing had been, once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")

BUCKET = "survival"


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="clary-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def timed(place: Path, new_plant: Callable[[Path], Any]) -> Any:
    """A running plant whose clock can be set; its clients keep theirs, and are believed for 15 minutes."""
    plant = new_plant(place / "home")
    plant.take_clock()
    plant.up()
    plant.client("s3").create_bucket(Bucket=BUCKET)
    return plant


@pytest.mark.parametrize("seconds", [-600.0, 600.0], ids=["back", "forward"])
def test_a_job_is_followed_when_the_clock_was_set(timed: Any, seconds: float) -> None:
    """Also by a control process that begins after that."""
    timed.train("job", "wait")
    job = timed.job()
    timed.await_middle(job)
    timed.set_clock(seconds)
    timed.kill("control")
    timed.go(job)
    described = timed.await_end("job", 30)
    assert described["TrainingJobStatus"] == "Completed", described
    assert "Restarting" not in [each["Status"] for each in described["SecondaryStatusTransitions"]]
    timed.train("after")
    assert timed.await_end("after", 30)["TrainingJobStatus"] == "Completed"
    timed.await_rest()
