"""The alarm as it is kept: a record of the kind ``Alarm`` whose status is the alarm's state.

Its document has what Put was given and, under names with an underscore, what CloudWatch adds. Which alarms act on what
is kept apart, so that an action finds its alarms without looking at all others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from clary.services.cloudwatch.alarms.states import ALARM, INSUFFICIENT_DATA, OK
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

METRIC = "MetricAlarm"
COMPOSITE = "CompositeAlarm"

TYPE = "_type"
"""``METRIC`` or ``COMPOSITE``."""
STATE = "_state"
"""The reason of the state, its data, and when it was updated, changed and configured."""
CHILDREN = "_children"
"""Of a composite alarm: the names of the alarms in its rule."""
SEEN = "_seen"
"""Of a composite alarm: the states of those, and when each came into it, when the rule was judged."""

ACTIONS: Mapping[str, str] = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT_DATA: "InsufficientDataActions"}
"""By state, the member that lists what is done when an alarm comes into it."""
SERVICE = "cloudwatch"
KIND = "Alarm"
_ACTION_KIND = "AlarmAction"


def alarm(transaction: Transaction, account: str, region: str, name: str) -> Record | None:
    """The alarm with this name."""
    return transaction.get(Key(account, region, SERVICE, KIND, "", name))


def composites(transaction: Transaction, account: str, region: str) -> list[Record]:
    """All composite alarms of an account and region."""
    return transaction.find(Query(account, region, SERVICE, KIND).where(TYPE, COMPOSITE))


def actions_of(record: Record) -> set[str]:
    """The ARNs of all that an alarm acts on, whatever its state."""
    return {each for member in ACTIONS.values() for each in record.document[member]}


def keep_actions(transaction: Transaction, record: Record, before: set[str], after: set[str]) -> None:
    """Keep what an alarm acts on, where it acted on ``before``."""
    for arn in before - after:
        if (kept := transaction.get(_action_key(record, arn))) is not None:
            transaction.delete(kept)
    for arn in after - before:
        key = _action_key(record, arn)
        transaction.insert(Record(key, f"{record.arn}/action/{key.parent}", record.modified, record.modified, {}))


def alarms_acting_on(transaction: Transaction, account: str, region: str, arn: str) -> list[Record]:
    """The alarms that have ``arn`` among their actions, the oldest first."""
    query = Query(account, region, SERVICE, _ACTION_KIND).within(_digest(arn))
    found = (alarm(transaction, account, region, kept.name) for kept in transaction.find(query))
    return [record for record in found if record is not None]


def _action_key(record: Record, arn: str) -> Key:
    return record.key._replace(kind=_ACTION_KIND, parent=_digest(arn))


def _digest(arn: str) -> str:
    """An action is a text of any length up to 1,024; what a record belongs to has a shorter name."""
    return hashlib.sha256(arn.encode()).hexdigest()
