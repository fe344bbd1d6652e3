"""What a job used in all of its attempts, host by host."""

from __future__ import annotations

import pytest

from clary.services.sagemaker.execution.hosts import Usage, together

FIRST = {"seconds": 2.0, "cpu_s": 1.0, "peak_bytes": 300}
SECOND = {"seconds": 4.0, "cpu_s": 6.0, "peak_bytes": 200}
BOTH = {"seconds": 6.0, "cpu_s": 7.0, "peak_bytes": 300}


@pytest.mark.parametrize(
    ("before", "used", "whole"),
    [
        ({}, {}, {}),
        ({"algo-1": FIRST}, {}, {"algo-1": FIRST}),
        ({}, {"algo-1": SECOND}, {"algo-1": SECOND}),
        ({"algo-1": FIRST}, {"algo-1": SECOND, "algo-2": SECOND}, {"algo-1": BOTH, "algo-2": SECOND}),
    ],
)
def test_attempts_add_up(before: dict[str, Usage], used: dict[str, Usage], whole: dict[str, Usage]) -> None:
    assert together(before, used) == whole
