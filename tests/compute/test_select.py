"""Where the isolation that is asked for does not work, no job runs."""

from __future__ import annotations

import pytest

from clary.compute.isolation import select
from clary.compute.placement.base import PlacementError
from clary.compute.placement.local import LocalPlacement
from clary.compute.spec import ImageSpec, JobSpec
from clary.core.settings import Settings


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bubblewrap is there, and may make no sandbox."""
    known = {"bubblewrap": (False, "the kernel forbids it"), "plain": (True, "")}
    monkeypatch.setattr(select, "availability", lambda name: known[name])


def test_nothing_weaker_takes_the_place_of_what_is_named(settings: Settings, broken: None) -> None:
    strict = Settings(home=settings.home, cache=settings.cache, isolation="bubblewrap")
    placement = LocalPlacement(strict)
    with pytest.raises(
        PlacementError, match="bubblewrap isolation does not work on this machine: the kernel forbids it"
    ):
        placement.launch(JobSpec("job", ImageSpec("python"), command=["true"]), "ticket")
    assert not placement.observe("job").started


def test_auto_takes_the_strongest_that_works(settings: Settings, broken: None) -> None:
    assert select.select(settings).name == "plain"
