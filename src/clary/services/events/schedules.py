"""Rules with a schedule: their targets are sent an event whenever it is due.

Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.clock import iso
from clary.resources.context import Reconciliation
from clary.services.application_autoscaling.api import read_schedule
from clary.services.events.delivery import send_to_targets
from clary.services.events.put import made
from clary.services.sqs.api import posting
from clary.state.records import Record

_TIMES = "_times"
"""In the document of a rule: since when its schedule counts, and when it is due next."""


def keep_time(look: Reconciliation) -> float | None:
    """Send the event of a rule that is due (see ``clary.resources.context.Reconciler``).

    What was due while the platform was down is sent once.
    """
    record = look.record
    with posting(look.platform) as post:
        times: Mapping[str, Any] | None = record.document.get(_TIMES)
        text = record.document.get("ScheduleExpression")
        if not text or record.document.get("State") == "DISABLED":
            record.document.pop(_TIMES, None)
            record.wake_at = None
        else:
            begun = times["begun"] if times is not None else post.now
            if times is not None and times["due"] <= post.now:
                send_to_targets(post, record, _event(record, times["due"], post.now))
            due = read_schedule(text, None).following(post.now, begun, None, None)
            if due is None:
                record.document.pop(_TIMES, None)
            else:
                record.document[_TIMES] = {"begun": begun, "due": due}
            record.wake_at = due
        # Sent and remembered in one transaction: never twice, and never forgotten.
        post.transaction.update(record, release=True)
    return None


def start_again(record: Record, now: float) -> None:
    """Let the schedule of a rule that was changed count from now."""
    record.document.pop(_TIMES, None)
    record.wake_at = now


def _event(record: Record, due: float, now: float) -> dict[str, Any]:
    event = {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": iso(due),
        "resources": [record.arn],
        "detail": {},
    }
    return made(event, record.key.account, record.key.region, now)
