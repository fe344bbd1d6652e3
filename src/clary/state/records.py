"""What the database gives and takes: keys, records and questions about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


class Key(NamedTuple):
    """What names a resource. ``parent`` is empty where it stands alone; ``region`` is empty for global services."""

    account: str
    region: str
    service: str
    kind: str
    parent: str
    name: str


@dataclass(slots=True)
class Record:
    """One resource as it is stored; times are seconds since the epoch."""

    key: Key
    arn: str
    created: float
    modified: float
    document: dict[str, Any]
    status: str = ""
    wake_at: float | None = None
    version: int = 0
    """Grows with every change; an update that starts from an older version is refused."""
    id: int = 0
    fence: int = 0

    @property
    def name(self) -> str:
        return self.key.name


SortBy = Literal["name", "created", "modified", "status"]


@dataclass(frozen=True)
class Query:
    """Which resources of one kind are wanted, in which order, and how many."""

    account: str
    region: str
    service: str
    kind: str
    parent: str | None = None
    name_contains: str | None = None
    status: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    members: tuple[tuple[str, str], ...] = ()
    """Pairs of a dotted path in the document and the text that its value must equal."""
    arns: tuple[str, ...] | None = None
    """Only resources with one of these ARNs."""
    sort_by: SortBy = "created"
    descending: bool = False
    limit: int | None = None
    after: tuple[str | float, int] | None = None
    """The sort value and row id of the last record of the page before."""


@dataclass(frozen=True)
class Association:
    """An edge of the lineage graph."""

    source: str
    destination: str
    type: str
    created: float
    document: dict[str, Any] = field(default_factory=dict)


class AlreadyExists(Exception):
    """A resource with this key is there."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.arn)
        self.record = record


class VersionConflict(Exception):
    """The record changed, was deleted, or belongs to another lease holder since it was read."""
