"""The CloudWatch alarms that an update of an endpoint listens to."""

from __future__ import annotations

from collections.abc import Iterable

from clary.services.cloudwatch.alarms.records import alarm
from clary.state.transaction import Transaction

ALARM = "ALARM"


def alarms_in_alarm(transaction: Transaction, account: str, region: str, names: Iterable[str]) -> list[str]:
    """Which of these alarms are in the state ``ALARM``."""
    found = ((name, alarm(transaction, account, region, name)) for name in names)
    return [name for name, record in found if record is not None and record.status == ALARM]
