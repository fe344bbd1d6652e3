"""What a target is sent: the schedule's ``Input`` with context attributes filled in, or a notification.

Reference: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.core.clock import iso
from clary.state.records import Record


def text(record: Record, call: Mapping[str, Any]) -> str:
    """The text for one attempt at a call."""
    given = record.document["Target"].get("Input")
    if given is None:
        return json.dumps(_notification(record, call), separators=(",", ":"))
    attributes = {
        "schedule-arn": record.arn,
        "scheduled-time": iso(call["scheduled"]),
        "execution-id": call["id"],
        "attempt-number": str(call["attempts"] + 1),
    }
    for name, value in attributes.items():
        given = given.replace(f"<aws.scheduler.{name}>", value)
    return str(given)


def _notification(record: Record, call: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": call["id"],
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": record.key.account,
        "time": iso(call["scheduled"]),
        "region": record.key.region,
        "resources": [record.arn],
        "detail": "{}",
    }
