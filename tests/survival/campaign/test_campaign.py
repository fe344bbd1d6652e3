"""Work of all kinds goes on while faults of all kinds happen: nothing promised is lost, and nothing runs on or twice.

A seed decides what is done and what happens; ``docs/survival.md`` tells how to run further ones, and for longer.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clary.testing.postgresql import PostgreSQL
from clary.testing.small_disk import small_disk

from . import jobs, serving, writers
from .account import account
from .faults import Faults
from .site import Site

pytestmark = [pytest.mark.slow("survival"), pytest.mark.timeout(1200)]

BUCKET = "campaign"
FIRST = int(os.environ.get("CLARY_CAMPAIGN_SEED", "1"))
ROUNDS = int(os.environ.get("CLARY_CAMPAIGN_ROUNDS", "1"))
COUNT = int(os.environ.get("CLARY_CAMPAIGN_FAULTS", "12"))
"""How many faults happen in a round."""
DISK_MB = 768

OF_THE_PLATFORM = ("edge", "control", "control", "both", "supervisor", "everything", "slow", "clock")
OF_JOBS = ("agent", "agent", "process", "standby")
FAULTS = {
    "sqlite": (*OF_THE_PLATFORM, *OF_JOBS),
    "postgresql": (*OF_THE_PLATFORM, *OF_JOBS, "database", "database", "held_up"),
    "small-disk": (*OF_THE_PLATFORM, "disk", "disk", "disk"),
}
WORKLOADS = (
    writers.objects,
    writers.uploads,
    writers.resources,
    writers.messages,
    jobs.training,
    jobs.further_training,
    jobs.processing,
    jobs.transforming,
    jobs.tuning,
    serving.serving,
)


@dataclass
class Place:
    """Where a plant is to be: a folder, its database if that is a server, and its settings."""

    name: str
    folder: Path
    database: PostgreSQL | None = None
    settings: str = ""


@pytest.fixture(params=list(FAULTS))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    name = request.param
    if name == "small-disk":
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(small_disk(DISK_MB))
            except PermissionError as error:
                pytest.skip(str(error))
            yield Place(name, folder)
        return
    # Sockets live in it, and their paths are limited to about a hundred characters: pytest's folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="clary-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        if name == "sqlite":
            yield Place(name, folder)
            return
        server = PostgreSQL()
        stack.callback(server.close)
        url = stack.enter_context(server.database())
        yield Place(name, folder, server, f'database = "{url}"\ncontrol_processes = 2\n')


@pytest.fixture
def site(place: Place, seed: int, new_plant: Callable[[Path], Any]) -> Iterator[Site]:
    """A running plant with what the workloads need, and a clock that can be set."""
    home = place.folder / "home"
    home.mkdir()
    # The witness listens on a loopback address. Jobs of every second seed are in sandboxes, where there are any.
    isolation = "auto" if seed % 2 else "plain"
    text = f'job_network = "host"\nmax_jobs = 4\nisolation = "{isolation}"\n'
    (home / "settings.toml").write_text(place.settings + text)
    plant = new_plant(home)
    plant.take_clock()
    plant.up()
    for bucket in (BUCKET, "survival"):
        plant.client("s3").create_bucket(Bucket=bucket)
    plant.client("sqs").create_queue(QueueName=writers.QUEUE, Attributes={"VisibilityTimeout": "2"})
    made = Site(plant, seed, BUCKET)
    jobs.prepare(made)
    serving.prepare(made)
    yield made
    made.witness.close()


@contextlib.contextmanager
def _logs_kept(site: Site, folder: Path) -> Iterator[None]:
    """What the processes and the jobs have logged stays if the block fails."""
    try:
        yield
    except BaseException:
        print(f"the logs are in {folder}", flush=True)
        for part in ("log", "jobs"):
            shutil.copytree(site.plant.home / part, folder / part, ignore=shutil.ignore_patterns("*.sock", "in"))
        raise


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_a_campaign(place: Place, site: Site, seed: int, tmp_path: Path) -> None:
    faults = Faults(site, FAULTS[place.name], place.database)
    print(f"\nseed {seed} on {place.name}", flush=True)
    with _logs_kept(site, tmp_path):
        site.start(WORKLOADS)
        try:
            faults.run(COUNT)
        finally:
            faults.set_right()
            site.finish()
        wrong = [*account(site), *site.errors]
        print(f"{site.ledger.acknowledged} changes acknowledged, {len(site.jobs)} jobs asked for", *wrong, sep="\n")
        assert not wrong, f"seed {seed} on {place.name}: " + "\n".join(wrong)
