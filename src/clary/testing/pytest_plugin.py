"""The pytest plugin that comes with Clary: the fixtures ``clary_server``, ``clary_aws`` and ``clary_environment``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clary.testing.server import Server


@pytest.fixture(scope="session")
def clary_server() -> Iterator[Server]:
    """A running Clary of this test session's own, on a free port, with a home folder that is removed at the end."""
    # pytest loads this module in every session, also in those that never ask for a server.
    from clary.testing.server import server

    with server() as running:
        yield running


@pytest.fixture
def clary_aws(clary_server: Server) -> Iterator[Server]:
    """The session's Clary, empty: what the test leaves behind (jobs, endpoints, buckets, roles) is removed after it."""
    yield clary_server
    clary_server.reset()


@pytest.fixture
def clary_environment(clary_aws: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, and this process' environment points at it: for code that makes its AWS clients itself."""
    wanted = clary_aws.environment
    for name in set(os.environ) - set(wanted):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    return clary_aws
