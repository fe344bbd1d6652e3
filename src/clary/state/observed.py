"""Changes of resources as one who watches the database sees them: at the end of the transaction that makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from clary.state.records import Key, Record

if TYPE_CHECKING:
    from clary.state.transaction import Transaction


@dataclass(slots=True)
class Change:
    """What a transaction makes of one resource, however often it stores it."""

    row: int
    before: Record | None
    """As it was when the transaction began; ``None`` if it is new."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those of a resource that is deleted, for they go with it."""


class Observer(Protocol):
    """Who is told of changes within the transactions that make them, so that none is lost and none is told that was
    rolled back."""

    def watches(self, transaction: Transaction, key: Key) -> bool:
        """Whether changes of the resource with this key matter; asked whenever one is stored."""

    def tell(self, transaction: Transaction, changes: Sequence[Change]) -> Callable[[], None]:
        """Take part in a transaction that is about to be committed; gives what is to be done after that."""


class Changes:
    """What one transaction changes of what is watched."""

    def __init__(self, transaction: Transaction, observer: Observer | None) -> None:
        self._transaction = transaction
        self._observer = observer
        self._made: dict[int, Change] = {}

    def _watched(self, record: Record) -> bool:
        return self._observer is not None and self._observer.watches(self._transaction, record.key)

    def added(self, record: Record) -> None:
        """A resource was stored that is new."""
        if self._watched(record):
            self._made[record.id] = Change(record.id, None)

    def coming(self, record: Record, *, deleted: bool = False) -> Change | None:
        """The change of a resource that is about to be stored, while the database still has what it was."""
        if not self._watched(record):
            return None
        change = self._made.get(record.id) or Change(record.id, self._transaction.by_id(record.id))
        if deleted:
            change.tags = self._transaction.tags(record.arn)
        return change

    def made(self, change: Change | None) -> None:
        """What ``coming`` gave has been stored."""
        if change is not None:
            self._made[change.row] = change

    def tell(self) -> Callable[[], None]:
        """Let the observer take part in what was changed; gives what is to be done after the commit."""
        if self._observer is None or not self._made:
            return _nothing
        made, self._made = list(self._made.values()), {}
        return self._observer.tell(self._transaction, made)


def _nothing() -> None:
    """Nobody watches, or nothing was changed that is watched."""
