"""The line in which jobs wait for their places, from their creation on (see ``clary.state.places``).

Endpoints take no places, so that they never keep a job waiting.
"""

from __future__ import annotations

from clary.compute.admission import ESTIMATE, this_machine
from clary.core.errors import ValidationException
from clary.resources.context import Platform
from clary.state.places import Place
from clary.state.records import Record
from clary.state.transaction import Transaction

PRIORITY = "clary:priority"
"""The tag that gives a job its priority, 0 where it has none; higher ones go first."""
_HIGHEST = 1000
NEVER = 1e12
"""When a job is to be looked at that is told when its turn has come: seconds since the epoch."""


def join_line(transaction: Transaction, record: Record, hosts: int) -> None:
    """Let a new job wait for as many places as it has hosts. Raises ``ValidationException`` for a priority that is
    none."""
    priority = _priority(transaction.tags(record.arn).get(PRIORITY, "0"))
    transaction.places.add(Place(record.id, _share(record), hosts, priority))


def fill_places(platform: Platform, transaction: Transaction) -> list[int]:
    """Give the free places of this machine to those whose turn it is; gives their rows, which want to be woken."""
    return transaction.places.fill(this_machine(platform.settings).places, platform.clock())


def why_waiting(platform: Platform, transaction: Transaction) -> str:
    """What a job is told that has to wait."""
    machine = this_machine(platform.settings)
    count = sum(transaction.places.taken().values())
    running = "1 instance is running a job" if count == 1 else f"{count} instances are running jobs"
    short = " by the memory there is" if machine.places == machine.memory // ESTIMATE else ""
    return f"{running}, and {machine.places} may run at once{short}; the job starts when it is its turn."


def _priority(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(_HIGHEST)) and int(digits) <= _HIGHEST):
        raise ValidationException(
            f"The value of the tag {PRIORITY} must be a whole number from -{_HIGHEST} to {_HIGHEST}, got {text!r}."
        )
    return int(text)


def _share(record: Record) -> str:
    """Whose job it is: the user, or the role whatever its sessions are called."""
    arn = str(record.document["CreatedBy"]["IamIdentity"]["Arn"])
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn
