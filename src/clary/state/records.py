"""What the database gives and takes: keys, records and questions about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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


Comparison = Literal["equals", "contains", "starts", "from", "to"]
"""``contains`` and ``starts`` look at text; ``from`` and ``to`` are bounds that belong to the range."""


class Condition(NamedTuple):
    """What must hold for a resource's column, or for the member of its document at a dotted path."""

    path: str
    """``@name``, ``@status``, ``@created``, ``@modified`` or ``@parent`` for a column; otherwise a path."""
    comparison: Comparison
    value: str | float | bool


class Link(NamedTuple):
    """Associations by which a resource is connected with another one, perhaps over others between the two."""

    types: tuple[str, ...]
    """The types of the associations on the way, from the resource to the other."""
    arn: str
    """The other."""
    incoming: bool = False
    """Whether the associations lead from the other to the resource."""


@dataclass(frozen=True)
class Query:
    """Which resources of one kind are wanted, in which order, and how many."""

    account: str
    region: str
    service: str
    kind: str
    conditions: tuple[Condition, ...] = ()
    """All of them must hold."""
    arns: tuple[str, ...] | None = None
    """Only resources with one of these ARNs."""
    linked: tuple[Link, ...] = ()
    """Only resources that have all these connections."""
    names: tuple[str, ...] | None = None
    """Only resources with one of these names."""
    sort_by: str = "@created"
    """A column or a path, as in a condition; what stands at a path is compared as text."""
    descending: bool = False
    limit: int | None = None
    after: tuple[str | float, int] | None = None
    """The sort value and row id of the last record of the page before."""

    def where(self, path: str, value: str | float | bool, comparison: Comparison = "equals") -> Query:
        """The same question with one condition more."""
        return replace(self, conditions=(*self.conditions, Condition(path, comparison, value)))

    def within(self, parent: str) -> Query:
        """The same question about the resources of one parent."""
        return self.where("@parent", parent)


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
