"""Where the database keeps what a search asks about: conditions on what Search shows become conditions on rows.

Some of what Search shows is worked out from other things. What a search asks of that the database cannot tell, so it
gives every row that may satisfy the search, and the rest is looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from clary.resources.resource import Resource
from clary.resources.view import place
from clary.services.sagemaker.search.nouns import LISTED, PARTS
from clary.services.sagemaker.search.properties import Leaf, first
from clary.services.sagemaker.search.subjects import Subject
from clary.state.search.clauses import (
    All,
    AnyOf,
    Clause,
    Containing,
    First,
    Is,
    Linked,
    Not,
    OneOf,
    Path,
    Present,
    Scalar,
    Some,
    Within,
)

if TYPE_CHECKING:
    from botocore.model import StructureShape

_PLAIN = re.compile(r"(?!(?i:null)$)[\w:/@+-][\w:/@+. -]*(?<! )", re.ASCII)
"""Keys that stand for themselves in a path of either database."""
_TEXTS = ("@name", "@status", "@arn")
_TIMES = ("@created", "@modified")
_Placed = Callable[[Path, bool], Path | None]
"""Gives the place of a path, or ``None`` where it has none; a column has either a text or a number."""


def placed(clause: Clause, subject: Subject) -> tuple[Clause, bool]:
    """A condition on rows that holds wherever ``clause`` does, and whether it holds only there."""

    def place_of(path: Path, is_text: bool) -> Path | None:
        return _place(path, is_text, subject.resource, subject.shape)

    found = _placed(clause, place_of, subject.resource.noun)
    return found if found is not None else (All(), False)


def scalars(leaves: tuple[Leaf, ...], subject: Subject) -> tuple[Scalar, ...] | None:
    """The values of rows that an order compares; ``None`` if one of them is worked out."""
    found = []
    for leaf in leaves:
        at = first(leaf.steps)
        is_text = leaf.kind in ("text", "numeral")
        start = at.path if isinstance(at, First) else at
        here = None if start is None else _place(start, is_text, subject.resource, subject.shape)
        if here is not None and here[0] == "@name":
            here = here[:1]  # in the order of the index
        if here is None or here == ("@parent",) or at is None or (isinstance(at, First) and not _is_plain(at.then)):
            return None
        where = First(here, at.part, at.then) if isinstance(at, First) else here
        found.append(Scalar(where, "number" if leaf.kind == "time" else leaf.kind))
    return tuple(found)


def list_place(path: Path, subject: Subject) -> Path | None:
    """Where rows have the list or the map that Search shows at ``path``, if they have it as it is."""
    return _place(path, True, subject.resource, subject.shape)


def _placed(clause: Clause, place_of: _Placed, noun: str) -> tuple[Clause, bool] | None:
    match clause:
        case All(parts):
            placed_parts = [_placed(part, place_of, noun) for part in parts]
            known = [part for part in placed_parts if part is not None]
            exact = len(known) == len(parts) and all(exact for _, exact in known)
            return All(tuple(part for part, _ in known)), exact
        case AnyOf(parts):
            placed_parts = [_placed(part, place_of, noun) for part in parts]
            if any(part is None for part in placed_parts):
                return None
            known = [part for part in placed_parts if part is not None]
            return AnyOf(tuple(part for part, _ in known)), all(exact for _, exact in known)
        case Not(part):
            found = _placed(part, place_of, noun)
            # What is not in too large a set may be in the right one.
            return (Not(found[0]), True) if found is not None and found[1] else None
        case Some(path, part, of_map):
            return _placed_list(path, part, of_map, place_of, noun)
        case Present(path):
            if (noun, *path) in LISTED or path == ("Tags",):
                return _placed_list(path, All(), False, place_of, noun)
            here = place_of(path, True) or place_of(path, False)
            return (Present(here), True) if here is not None else None
        case OneOf(path, values) if whole := PARTS.get((noun, ".".join(path))):
            return AnyOf(tuple(Containing(whole, value) for value in values)), False
        case Containing(path, text) if whole := PARTS.get((noun, ".".join(path))):
            return Containing(whole, text), False
        case OneOf(path, values):
            here = place_of(path, True)
            return (OneOf(here, values), True) if here is not None else None
        case Containing(path, text):
            here = place_of(path, True)
            return (Containing(here, text), True) if here is not None else None
        case Is(path, value):
            here = place_of(path, False)
            return (Is(here, value), True) if here is not None else None
        case Within():
            here = place_of(clause.path, clause.numeral)
            bounds = (clause.low, clause.high, clause.with_low, clause.with_high, clause.numeral)
            return (Within(here, *bounds), True) if here is not None else None
        case Linked():
            return clause, True


def _placed_list(path: Path, part: Clause, of_map: bool, place_of: _Placed, noun: str) -> tuple[Clause, bool] | None:
    if (listed := LISTED.get((noun, ".".join(path)))) is not None:
        found = _placed(part, lambda inner, _: _linked_place(inner, listed.places), "")
        if found is None:
            return None
        return Linked(listed.association, listed.noun, found[0], listed.incoming), found[1]
    here = place_of(path, True)
    found = _placed(part, lambda inner, _: inner if _is_plain(inner) else None, "")
    if here is None or found is None:
        return None
    return Some(here, found[0], of_map), found[1]


def _place(path: Path, is_text: bool, resource: Resource, shape: StructureShape) -> Path | None:
    """Where the database keeps what Search shows at ``path``."""
    member, rest = path[0], path[1:]
    inner = shape.members[member]
    if member == "Tags" and member not in resource.computed:
        return ("@tags",) if not rest else None
    if rest and inner.type_name == "structure" and member == resource.noun and member not in resource.computed:
        return _place(rest, is_text, resource, inner)
    where = place(resource, member, inner)
    if where is None:
        is_parent = resource.parents == (member,) and not {member}.intersection(resource.computed, resource.paths)
        return ("@parent",) if is_parent and is_text else None
    if member == resource.name_member and where in ("@name", member):
        if not is_text:
            return (member,)  # a number, of which the name is the text
        return ("@name", member) if resource.any_case else ("@name",)
    if where.startswith("@"):
        return (where,) if not rest and where in (_TEXTS if is_text else _TIMES) else None
    here = (*where.split("."), *rest)
    return here if _is_plain(here) else None


def _linked_place(path: Path, places: Mapping[str, Path]) -> Path | None:
    """Where a resource of another noun keeps what a member shows of it at ``path``."""
    return places[path[0]] if len(path) == 1 and path[0] in places else None


def _is_plain(path: Path) -> bool:
    return all(_PLAIN.fullmatch(part) for part in path)
