"""One thing to delete, and what must hold for it to be deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import index
from .model import Deletion, Object
from .transaction import Place, Transaction

Precondition = Callable[[Object | None], None]
"""Looks at the object as it is in the very transaction that would change it, and raises to prevent the change."""


@dataclass(frozen=True)
class Removal:
    """One thing to delete: an object, or with a ``version`` that one alone."""

    key: str
    version: str | None = None
    precondition: Precondition | None = None
    allowed: Callable[[Object], None] | None = None
    """Sees a version before it is removed, and raises to keep it."""

    def apply(self, transaction: Transaction, place: Place, sequence: Callable[[], int], owner: str) -> Deletion:
        """Does it. Raises what ``precondition`` and ``allowed`` raise, and has done nothing then."""
        if self.precondition is not None:
            connection = transaction.connection
            self.precondition(
                index.find(connection, place.id, self.key)
                if self.version is None
                else index.find_version(connection, place.id, self.key, self.version)
            )
        if self.version is None:
            return transaction.delete(place, self.key, sequence, owner)
        return transaction.delete_version(place, self.key, self.version, self.allowed)
