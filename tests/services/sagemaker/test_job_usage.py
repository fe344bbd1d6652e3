"""What a job used in all of its attempts."""

from __future__ import annotations

import pytest

from clary.services.sagemaker.execution.api import together

FIRST = {"seconds": 2.0, "cpu_s": 1.0, "peak_bytes": 300}
SECOND = {"seconds": 4.0, "cpu_s": 6.0, "peak_bytes": 200}


@pytest.mark.parametrize(
    ("before", "used", "whole"),
    [
        (None, None, None),
        (FIRST, None, FIRST),
        (None, SECOND, SECOND),
        (FIRST, SECOND, {"seconds": 6.0, "cpu_s": 7.0, "peak_bytes": 300}),
    ],
)
def test_attempts_add_up(
    before: dict[str, float] | None, used: dict[str, float] | None, whole: dict[str, float] | None
) -> None:
    assert together(before, used) == whole
