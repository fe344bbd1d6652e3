"""Clary: the open machine-learning platform that speaks Amazon SageMaker's API and really does the work."""

from __future__ import annotations

TYPE_CHECKING = False  # that of `typing` takes half as long to import as all of the agent of a job
if TYPE_CHECKING:
    from typing import Any

    from clary.testing.server import server as server

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The platform's own processes import this module too, and have no use for what tests need.
    if name == "server":
        from clary.testing.server import server

        return server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
