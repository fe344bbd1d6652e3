"""Looks at alarms: judges what they watch, and changes their state where it is another one.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

from clary.resources.context import Reconciliation
from clary.services.cloudwatch.alarms.composite import composite_change
from clary.services.cloudwatch.alarms.datapoints import SETTLE_SECONDS, datapoints, step, watched
from clary.services.cloudwatch.alarms.judge import judge
from clary.services.cloudwatch.alarms.reasons import reason, reason_data
from clary.services.cloudwatch.alarms.records import COMPOSITE, SEEN, TYPE
from clary.services.cloudwatch.alarms.transitions import Change, change_state, tell
from clary.services.cloudwatch.sources import Place
from clary.services.sqs.api import Posting
from clary.state.records import Record
from clary.state.transaction import Transaction

LOOK_SECONDS = 10.0
"""How often an alarm is looked at at least: values may come late."""
_SPREAD = 20
"""Alarms are looked at at so many moments after a period's end, a tenth of a second apart, rather than all at once."""


def watch(look: Reconciliation) -> float | None:
    """Judge an alarm (see ``clary.resources.context.Reconciler``)."""
    now = look.platform.clock()
    if look.record.document[TYPE] == COMPOSITE:
        _watch_composite(look, now)
        return LOOK_SECONDS
    with look.platform.database.read() as transaction:
        change = metric_change(look, transaction, now)
    if change is not None:
        _become(look, change, now)
    return _pause(look.record, now)


def _watch_composite(look: Reconciliation, now: float) -> None:
    seen = look.record.document.get(SEEN)
    with look.platform.database.read() as transaction:
        change = composite_change(transaction, look.record)
    if change is not None:
        _become(look, change, now)
    elif look.record.document.get(SEEN) != seen:
        look.save()


def metric_change(look: Reconciliation, transaction: Transaction, now: float) -> Change | None:
    """The state that an alarm of a metric comes into, if it is another one."""
    record = look.record
    place = Place(look.platform, record.key.account, record.key.region)
    verdict = judge(record.document, datapoints(place, transaction, record.document, now))
    if verdict.state is None or verdict.state == record.status:
        return None
    return Change(verdict.state, reason(record.document, verdict), reason_data(record.document, verdict, now))


def _become(look: Reconciliation, change: Change, now: float) -> None:
    before = change_state(look.record, change, now)
    posts: list[Posting] = []

    def also(transaction: Transaction) -> None:
        posts.append(post := Posting(look.platform, transaction, now))
        tell(post, look.record, before)

    look.save(also)
    for post in posts:
        post.tell()


def _pause(record: Record, now: float) -> float:
    """Until the next period is over, or until values may have come late."""
    seconds = step(watched(record.document).period)
    at = now - SETTLE_SECONDS - record.id % _SPREAD / 10
    return min(LOOK_SECONDS, seconds - at % seconds + 0.01)
