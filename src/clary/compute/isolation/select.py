"""Choose how jobs are held."""

from __future__ import annotations

import functools

from clary.compute.isolation.base import Isolation
from clary.compute.isolation.bubblewrap import Bubblewrap
from clary.compute.isolation.plain import Plain
from clary.core.settings import Settings

ISOLATIONS: dict[str, Isolation] = {"bubblewrap": Bubblewrap(), "plain": Plain()}
"""Every isolation by name, the strongest first."""


class IsolationUnavailable(RuntimeError):
    """The isolation that the settings demand does not work on this machine; the message has the remedy."""


@functools.cache
def availability(name: str) -> tuple[bool, str]:
    """Whether the isolation works here, tried once, and the remedy if it does not."""
    return ISOLATIONS[name].available()


@functools.cache
def options(name: str) -> tuple[str, ...]:
    """The isolation's arguments for this machine, found out once."""
    return tuple(ISOLATIONS[name].options())


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
