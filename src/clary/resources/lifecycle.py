"""The status changes that a resource may make."""

from __future__ import annotations

from collections.abc import Mapping

from clary.state.records import Record


class Lifecycle:
    """A table of allowed status changes; nothing else changes a status."""

    def __init__(self, changes: Mapping[str, tuple[str, ...]]) -> None:
        self._changes = changes

    @property
    def statuses(self) -> tuple[str, ...]:
        """All statuses that the table has."""
        return tuple(dict.fromkeys(status for before, after in self._changes.items() for status in (before, *after)))

    def move(self, record: Record, status: str) -> None:
        """Give ``record`` its new status.

        Raises ``ValueError`` for a change that the table does not have, which is a fault of the caller.
        """
        if status not in self._changes.get(record.status, ()):
            raise ValueError(f"{record.arn} cannot go from {record.status} to {status}")
        record.status = status
