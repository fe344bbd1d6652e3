"""Choose how jobs are held."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Mapping

from clary.compute.agent.network import PATH
from clary.compute.isolation.base import Isolation
from clary.compute.isolation.bubblewrap import Bubblewrap
from clary.compute.isolation.limits import forget, parents
from clary.compute.isolation.plain import Plain, find_program
from clary.compute.placement.base import PlacementError
from clary.core.settings import Settings

log = logging.getLogger(__name__)

TUNNEL = "/dev/net/tun"
"""Of what slirp4netns makes the connection."""
UNGROUPED = (
    "Clary may make no control groups here: the memory and the processes of jobs are watched instead of held, and CPU"
    " is not shared by weight."
)

ISOLATIONS: dict[str, Isolation] = {"bubblewrap": Bubblewrap(), "plain": Plain()}
"""Every isolation by name, the strongest first."""


class IsolationUnavailable(PlacementError):
    """The isolation that the settings demand does not work on this machine; the message has the remedy."""


@functools.cache
def availability(name: str) -> tuple[bool, str]:
    """Whether the isolation works here, tried once, and the remedy if it does not."""
    return ISOLATIONS[name].available()


@functools.cache
def options(name: str) -> tuple[str, ...]:
    """The isolation's arguments for this machine, found out once."""
    return tuple(ISOLATIONS[name].options())


@functools.cache
def groups(name: str) -> Mapping[str, str]:
    """Where groups that limit jobs can be made, by controller, found out once; what was left in them is removed."""
    if not ISOLATIONS[name].sandboxed:
        return {}
    found = parents()
    forget(found)
    if not found:
        log.warning(UNGROUPED)
    return found


@functools.cache
def outside() -> str:
    """The program that connects the networks of jobs with others; empty if it is not installed or may not do it."""
    found = find_program("slirp4netns", PATH, "/")
    return found if found.startswith("/") and os.access(TUNNEL, os.R_OK | os.W_OK) else ""


def select(settings: Settings) -> Isolation:
    """The isolation that ``settings`` name; for ``auto`` the strongest that works here.

    Raises ``IsolationUnavailable`` where a named one does not work: nothing weaker ever takes its place.
    """
    if settings.isolation == "auto":
        return next(each for name, each in ISOLATIONS.items() if availability(name)[0])
    works, remedy = availability(settings.isolation)
    if not works:
        raise IsolationUnavailable(f"{settings.isolation} isolation does not work on this machine: {remedy}")
    return ISOLATIONS[settings.isolation]
