"""What a search asks: conditions on columns, documents, tags and associated resources, and an order by any value.

A list asks about a few columns (``Query``); a search nests its conditions and looks into lists and maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from clary.state.records import Record

Path = tuple[str, ...]
"""Where a value stands: the members on the way through a document, or one column: ``@name``, ``@status``,
``@created``, ``@modified``, ``@parent``, ``@arn``. ``@name`` and a member is what the document has as that member, and
else the name, which may be spelled in small letters. ``@tags`` is the list of a resource's tags, each with ``Key`` and
``Value``. The empty path is the value itself."""


def is_column(path: Path) -> bool:
    """Whether a resource has ``path`` as a column."""
    return bool(path) and path[0].startswith("@")


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Clause, ...] = ()


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Clause, ...] = ()


@dataclass(frozen=True)
class Not:
    """The part does not hold; it does not where what it looks at is missing."""

    part: Clause


@dataclass(frozen=True)
class Some:
    """An element of the list at ``path`` satisfies ``part``, whose paths start at the element."""

    path: Path
    part: Clause
    of_map: bool = False
    """Whether there is a map at ``path``, of which a value satisfies ``part``."""


@dataclass(frozen=True)
class Linked:
    """The resource has an association to a resource of the type ``kind`` that satisfies ``part``."""

    association: str
    kind: str
    part: Clause
    incoming: bool = False
    """Whether the association comes from that resource instead."""


@dataclass(frozen=True)
class Present:
    """There is something at ``path``."""

    path: Path


@dataclass(frozen=True)
class Within:
    """The number at ``path`` lies between two bounds, which are ``None`` where there is none."""

    path: Path
    low: float | None = None
    high: float | None = None
    with_low: bool = True
    with_high: bool = True
    numeral: bool = False
    """Whether the number is kept as text, such as a hyperparameter's; other texts are not in the range."""


@dataclass(frozen=True)
class OneOf:
    """The text at ``path`` is one of ``values``."""

    path: Path
    values: tuple[str, ...]


@dataclass(frozen=True)
class Containing:
    """The text at ``path`` contains ``text``; capital and small letters differ."""

    path: Path
    text: str


@dataclass(frozen=True)
class Is:
    """The truth value at ``path`` is ``value``."""

    path: Path
    value: bool


Clause = All | AnyOf | Not | Some | Linked | Present | Within | OneOf | Containing | Is
Kind = Literal["text", "number", "numeral", "flag"]
"""A ``numeral`` is a number that is kept as text."""


@dataclass(frozen=True)
class First:
    """What stands at ``then`` in the first element of the list at ``path`` that satisfies ``part``."""

    path: Path
    part: Clause
    then: Path


@dataclass(frozen=True)
class Scalar:
    """A value to sort by."""

    place: Path | First
    kind: Kind

    @property
    def is_column(self) -> bool:
        """Whether it stands in a column, which every resource has."""
        return not isinstance(self.place, First) and is_column(self.place)


@dataclass(frozen=True)
class Order:
    """An order by the first of several values that a resource has; those that have none come last either way."""

    scalars: tuple[Scalar, ...]
    descending: bool = False


SORTED_LETTERS = 256
"""How much of a text decides the order, so that the place of a row fits into a token."""

Position = tuple[str | float | int, ...]
"""The place of a row in an order: the values that it is sorted by, and its id."""


@dataclass(frozen=True)
class Search:
    """Which resources of one kind are wanted, in which order, and how many."""

    account: str
    region: str
    service: str
    kind: str
    clause: Clause = All()
    order: Order | None = None
    """By default the rows come as they lie."""
    limit: int | None = None
    after: Position | None = None
    """The position of the last row of the page before."""


class Hit(NamedTuple):
    """A resource that a search found, and its place in the order asked for."""

    record: Record
    position: Position
