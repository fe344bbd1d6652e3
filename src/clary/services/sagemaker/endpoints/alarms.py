"""The CloudWatch alarms that an update of an endpoint listens to."""

from __future__ import annotations

from collections.abc import Iterable

from clary.state.records import Key
from clary.state.transaction import Transaction


def alarms_in_alarm(transaction: Transaction, account: str, region: str, names: Iterable[str]) -> list[str]:
    """Which of these alarms are in the state ``ALARM``."""
    found = ((name, transaction.get(Key(account, region, "cloudwatch", "Alarm", "", name))) for name in names)
    return [name for name, alarm in found if alarm is not None and alarm.status == "ALARM"]
