"""Judges composite alarms: their rule, by the states of the alarms in it.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

from clary.services.cloudwatch.alarms.reasons import composite_data, day_and_time
from clary.services.cloudwatch.alarms.records import CHILDREN, COMPOSITE, SEEN, STATE, TYPE, alarm
from clary.services.cloudwatch.alarms.rule import read_rule
from clary.services.cloudwatch.alarms.states import ALARM, OK
from clary.services.cloudwatch.alarms.transitions import Change
from clary.state.records import Record
from clary.state.transaction import Transaction


def composite_change(transaction: Transaction, record: Record) -> Change | None:
    """The state that a composite alarm comes into, if it is another one.

    Its rule is applied when one of the alarms in it has changed its state, or the rule itself; so a state that was set
    by hand stays until then. Within a circle of composite alarms nothing is judged.
    """
    account, region = record.key.account, record.key.region
    found = (alarm(transaction, account, region, name) for name in record.document[CHILDREN])
    children = [child for child in found if child is not None]
    moments = {child.name: float(child.document[STATE]["transitioned"]) for child in children}
    states = {child.name: child.status for child in children}
    seen, now_seen = record.document.get(SEEN), [[name, states[name], moments[name]] for name in states]
    if seen == now_seen or _in_circle(transaction, record):
        return None
    record.document[SEEN] = now_seen
    rule = read_rule(record.document["AlarmRule"])
    state = ALARM if rule.holds(states) else OK
    if seen is None:
        # Put has left none, so that the rule is judged anew.
        event = "created" if record.version == 1 else "updated"
        told = children
        reason = f"{record.arn} was {event} and its alarm rule evaluates to {state}"
    else:
        last = max(children, key=lambda child: moments[child.name], default=record)
        told = [last]
        reason = f"{last.arn} transitioned to {last.status} at {day_and_time(last.document[STATE]['transitioned'])}"
    if state == record.status and seen is not None:
        return None
    return Change(state, reason, composite_data([(c.arn, c.status, moments.get(c.name, 0.0)) for c in told]))


def _in_circle(transaction: Transaction, record: Record) -> bool:
    """Whether a composite alarm depends, over others, on itself."""
    account, region = record.key.account, record.key.region
    known: set[str] = set()
    waiting = list(record.document[CHILDREN])
    while waiting:
        name = waiting.pop()
        if name == record.name:
            return True
        child = alarm(transaction, account, region, name) if name not in known else None
        known.add(name)
        if child is not None and child.document[TYPE] == COMPOSITE:
            waiting += child.document[CHILDREN]
    return False
