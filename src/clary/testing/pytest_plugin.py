"""The pytest plugin that comes with Clary: the fixtures ``clary_server`` and ``clary_aws``."""

from __future__ import annotations

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
