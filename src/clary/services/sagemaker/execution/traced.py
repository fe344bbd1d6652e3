"""What tells a job its place in the trace of the request that made it."""

from __future__ import annotations

from clary.resources.traced import own_place, variables
from clary.state.records import Record


def job_variables(record: Record) -> dict[str, str]:
    """Variables of a job's environment; none where its request was not traced."""
    return variables(own_place(record))
