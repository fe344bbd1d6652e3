"""How `clary audit` reads times and prints records."""

from __future__ import annotations

from typing import Any

import pytest

from clary.cli.audit import line, seconds
from clary.cli.mistakes import Mistake


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800)])
def test_times(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1.5h", "1 h", "1w", "9999999d", "١h"])
def test_other_times_are_mistakes(text: str) -> None:
    with pytest.raises(Mistake, match="not a time"):
        seconds(text)


def record(**members: Any) -> dict[str, Any]:
    return {
        "eventTime": "2026-01-01T00:00:00Z",
        "userIdentity": {"type": "IAMUser", "userName": "ann"},
        "sourceIPAddress": "127.0.0.1",
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": "CreateModel",
        **members,
    }


def test_a_record_is_a_line() -> None:
    assert line(record()) == "2026-01-01T00:00:00Z  ann  127.0.0.1  sagemaker:CreateModel"
    refused = record(resources=[{"ARN": "arn:aws:sagemaker:r:1:model/m"}], errorCode="AccessDenied")
    assert line(refused).endswith("sagemaker:CreateModel  arn:aws:sagemaker:r:1:model/m  -> AccessDenied")
    assert "  AKIAX  " in line(record(userIdentity={"type": "Unknown", "accessKeyId": "AKIAX"}))
    assert "  anonymous  " in line(record(userIdentity={"type": "AWSAccount"}))


def test_what_a_client_sent_does_not_steer_the_terminal() -> None:
    shown = line(record(userIdentity={"userName": "ann\x1b[2J\nroot"}))
    assert shown.isprintable()
