"""The clauses of a search as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    ColumnElement,
    Float,
    Select,
    and_,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from clary.state.search.clauses import (
    SORTED_LETTERS,
    All,
    AnyOf,
    Clause,
    Containing,
    First,
    Is,
    Kind,
    Linked,
    Not,
    OneOf,
    Path,
    Present,
    Search,
    Some,
    Within,
    is_column,
)
from clary.state.search.functions import elements, itself, numeral, pairs, position
from clary.state.tables import associations, resources, tags

TAGS: Path = ("@tags",)


class Ground(Protocol):
    """What paths start at."""

    def text(self, path: Path) -> ColumnElement[str]:
        """What stands at ``path``, as text."""

    def number(self, path: Path) -> ColumnElement[float]:
        """What stands at ``path``, as a number."""

    def flag(self, path: Path) -> ColumnElement[bool]:
        """What stands at ``path``, as a truth value."""


class RowGround:
    """A resource among those that a search looks through."""

    def __init__(self, table: Any, search: Search) -> None:
        self.search = search
        self.arn: ColumnElement[str] = table.c.arn
        self._columns: Mapping[str, Any] = table.c

    def text(self, path: Path) -> ColumnElement[str]:
        if path[0] == "@name" and len(path) > 1:
            return func.coalesce(self.text(path[1:]), self._at(path))
        found: ColumnElement[str] = self._at(path) if is_column(path) else self._at(path).as_string()
        return found

    def number(self, path: Path) -> ColumnElement[float]:
        found: ColumnElement[float] = self._at(path) if is_column(path) else self._at(path).as_float()
        return found

    def flag(self, path: Path) -> ColumnElement[bool]:
        found: ColumnElement[bool] = self._at(path).as_boolean()
        return found

    def _at(self, path: Path) -> Any:
        return self._columns[path[0][1:]] if is_column(path) else self._columns["document"][path]


class ElementGround:
    """An element of a list in a document."""

    def __init__(self, value: ColumnElement[Any]) -> None:
        self._value: Any = value

    def text(self, path: Path) -> ColumnElement[str]:
        return self._value[path].as_string() if path else itself(self._value)

    def number(self, path: Path) -> ColumnElement[float]:
        return self._value[path].as_float() if path else cast(itself(self._value), Float)

    def flag(self, path: Path) -> ColumnElement[bool]:
        found: ColumnElement[bool] = self._value[path].as_boolean()
        return found


class _TagGround:
    """A tag of a resource."""

    def text(self, path: Path) -> ColumnElement[str]:
        return tags.c.key if path == ("Key",) else tags.c.value

    def number(self, path: Path) -> ColumnElement[float]:
        raise TypeError("tags are texts")

    def flag(self, path: Path) -> ColumnElement[bool]:
        raise TypeError("tags are texts")


def holds(clause: Clause, ground: Ground) -> ColumnElement[bool]:
    """That ``clause`` holds for what its paths start at."""
    match clause:
        case All(parts):
            return and_(true(), *(holds(part, ground) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(holds(part, ground) for part in parts))
        case Not(part):
            return not_(func.coalesce(holds(part, ground), false()))
        case Some(path, part, of_map):
            return exists(_each(path, part, ground, literal(1), of_map))
        case Linked():
            assert isinstance(ground, RowGround)
            return ground.arn.in_(apart(clause, ground.search))
        case Present(("@parent",) as path):
            return ground.text(path) != ""
        case Present(path):
            return ground.text(path).is_not(None)
        case Within():
            return _within(clause, ground)
        case OneOf(("@name", _) as path, values):
            # By the column, which has an index, and then by how the name is spelled.
            spelled = {*values, *(value.lower() for value in values)}
            return and_(ground.text(path[:1]).in_(sorted(spelled)), ground.text(path).in_(values))
        case OneOf(path, values):
            return ground.text(path).in_(values) if len(values) != 1 else ground.text(path) == values[0]
        case Containing(path, text):
            return position(ground.text(path), text) > 0
        case Is(path, value):
            return ground.flag(path) == value


def _within(clause: Within, ground: Ground) -> ColumnElement[bool]:
    number = scalar(clause.path, "numeral" if clause.numeral else "number", ground)
    conditions = []
    if clause.low is not None:
        conditions.append(number >= clause.low if clause.with_low else number > clause.low)
    if clause.high is not None:
        conditions.append(number <= clause.high if clause.with_high else number < clause.high)
    return and_(true(), *conditions)


def _each(
    path: Path, part: Clause, ground: Ground, wanted: ColumnElement[Any] | Path, of_map: bool = False
) -> Select[Any]:
    """What is ``wanted`` of each element of a list that satisfies ``part``: a value, or what stands at a path."""
    if path == TAGS:
        assert isinstance(ground, RowGround)
        element: Ground = _TagGround()
        source: Any = tags
        condition = and_(tags.c.arn == ground.arn, holds(part, element))
    else:
        function = pairs if of_map else elements
        source = function(ground.text(path)).table_valued(column("value", JSON)).alias()
        element = ElementGround(source.c.value)
        condition = holds(part, element)
    if isinstance(wanted, tuple):
        wanted = element.text(wanted)
    return select(wanted).select_from(source).where(condition)


def scalar(place: Path | First, kind: Kind, ground: Ground) -> ColumnElement[Any]:
    """One value of what paths start at; truth values are 0 and 1."""
    if isinstance(place, First):
        return _converted(_each(place.path, place.part, ground, place.then).limit(1).scalar_subquery(), kind)
    if kind == "number":
        return ground.number(place)
    if kind == "flag":
        return case((ground.flag(place), 1), (ground.flag(place).is_not(None), 0))
    return ground.text(place) if is_column(place) else _converted(ground.text(place), kind)


def _converted(text: ColumnElement[str], kind: Kind) -> ColumnElement[Any]:
    """A value that was read as text; numbers and truth values of a document come so out of its lists."""
    if kind == "text":
        return func.substr(text, 1, SORTED_LETTERS)
    if kind == "flag":
        return case((text.in_(("1", "true")), 1), (text.is_not(None), 0))
    return numeral(text) if kind == "numeral" else cast(text, Float)


def of_kind(search: Search, table: Any = resources) -> list[ColumnElement[bool]]:
    """That a row is one of those that ``search`` looks through."""
    return [table.c[name] == getattr(search, name) for name in ("account", "region", "service", "kind")]


def is_apart(clause: Clause) -> bool:
    """Whether another table tells of which resources ``clause`` holds."""
    return isinstance(clause, Linked) or (isinstance(clause, Some) and clause.path == TAGS)


def apart(clause: Clause, search: Search) -> Select[Any]:
    """The ARNs of the resources for which such a clause holds, those of other nouns among them."""
    if isinstance(clause, Some):
        return select(tags.c.arn).where(holds(clause.part, _TagGround()))
    assert isinstance(clause, Linked)
    there = replace(search, kind=clause.kind)
    other, edge = resources.alias(), associations.c
    near, far = (edge.destination, edge.source) if clause.incoming else (edge.source, edge.destination)
    of_the_type = (edge.account == search.account, edge.region == search.region, edge.type == clause.association)
    found = select(near).join_from(other, associations, far == other.c.arn)
    return found.where(*of_kind(there, other), *of_the_type, holds(clause.part, RowGround(other, there)))
