"""``Search``: one page of what satisfies an expression, in the order of any property.

What the database can tell, it tells; a page of an order that it keeps costs the same wherever it lies.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
"""

from __future__ import annotations

import base64
import binascii
import heapq
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

import orjson

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.search.evaluation import holds, place_of
from clary.services.sagemaker.search.expression import expressed, visible
from clary.services.sagemaker.search.placing import placed, scalars
from clary.services.sagemaker.search.properties import Leaf, find_property
from clary.services.sagemaker.search.subjects import Glimpse, Subject, subjects
from clary.services.sagemaker.search.suggestions import suggestions
from clary.state.search.clauses import All, Clause, Hit, Order, Position, Scalar, Search
from clary.state.transaction import Transaction
from clary.wire.catalog import service

COUNTED = 10_000
"""As far as this, hits are counted; of more it is told that there are at least so many."""
_BAD_TOKEN = "The pagination token is invalid."
_TIMES = {"CreationTime": "@created", "LastModifiedTime": "@modified"}


def operations(resources: Iterable[Resource]) -> dict[str, Handler]:
    """The handlers of the operations that search ``resources``."""
    declared = tuple(resources)

    @cache
    def known() -> Mapping[str, Subject]:
        return subjects(declared, service(SAGEMAKER.service).model)

    def search(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return _search(known()[params["Resource"]], context, params)

    def get_search_suggestions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        return suggestions(known()[params["Resource"]], context, params)

    return {"Search": search, "GetSearchSuggestions": get_search_suggestions}


def _search(subject: Subject, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    wanted = _wanted(subject, params)
    token = _read_token(params["NextToken"], wanted) if params.get("NextToken") else None
    if params.get("CrossAccountFilterOption") == "CrossAccount":
        # Nothing is shared between the accounts of an installation.
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    with context.platform.database.read() as transaction:
        page = _page(wanted, context, transaction, token)
        results = [subject.look(context, transaction, hit.record) for hit in page.hits[: wanted.size]]
    return {"Results": results, **page.ending}


@dataclass(frozen=True)
class _Wanted:
    """A search as it was asked for."""

    subject: Subject
    clause: Clause
    leaves: tuple[Leaf, ...]
    """What is sorted by, as Search shows it; nothing for the columns that every resource has."""
    scalars: tuple[Scalar, ...] | None
    """The same as the database has it, or ``None`` if that cannot sort by it."""
    descending: bool
    size: int
    checksum: int
    """Of the request, since the token of a page is good for no other."""


@dataclass(frozen=True)
class _Token:
    """Where the next page of a search starts."""

    checksum: int
    before: int
    """How many hits the pages up to there have."""
    total: int | None
    """How many hits there are in all, if they have been counted, up to one more than ``COUNTED``."""
    position: Position

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.checksum, self.before, self.total, self.position])).decode()


@dataclass(frozen=True)
class _Page:
    """The hits of a page and, if there is another, its first."""

    wanted: _Wanted
    hits: list[Hit]
    before: int
    total: int | None

    @property
    def ending(self) -> dict[str, Any]:
        """The members of the answer that stand beside the results."""
        seen = self.before + len(self.hits)
        if len(self.hits) <= self.wanted.size:
            return {"TotalHits": {"Value": seen, "Relation": "EqualTo"}}
        rows = self.before + self.wanted.size
        token = _Token(self.wanted.checksum, rows, self.total, self.hits[self.wanted.size - 1].position)
        is_exact = self.total is not None and self.total <= COUNTED
        known = max(seen, min(self.total or 0, COUNTED))
        relation = "EqualTo" if is_exact else "GreaterThanOrEqualTo"
        return {"TotalHits": {"Value": known, "Relation": relation}, "NextToken": str(token)}


def _wanted(subject: Subject, params: Mapping[str, Any]) -> _Wanted:
    expression = params.get("SearchExpression")
    parts = [expressed(subject, expression)] if expression is not None else []
    clause = All((*parts, visible(subject, params.get("VisibilityConditions", ()))))
    leaves, columns = _sorted_by(subject, params.get("SortBy", "LastModifiedTime"))
    about = {name: value for name, value in params.items() if name not in ("NextToken", "MaxResults")}
    return _Wanted(
        subject=subject,
        clause=clause,
        leaves=leaves,
        scalars=columns,
        descending=params.get("SortOrder", "Descending") == "Descending",
        size=params.get("MaxResults", SAGEMAKER.page),
        checksum=zlib.crc32(orjson.dumps(about, option=orjson.OPT_SORT_KEYS)),
    )


def _sorted_by(subject: Subject, name: str) -> tuple[tuple[Leaf, ...], tuple[Scalar, ...] | None]:
    """What an order by the property ``name`` compares; raises ``ValidationException`` if it has no single value."""
    if name in _TIMES and name not in subject.shape.members:
        # The default order is there for all types, also for those that do not show the time.
        return (), (Scalar((_TIMES[name],), "number"),)
    property_ = find_property(subject, name)
    if not property_.leaves:
        raise ValidationException(f"Search results cannot be sorted by {name}, which is not a single value.")
    leaves: list[Leaf] = []
    for leaf in property_.leaves:
        # Of hyperparameters the numbers come in their order, and then the texts.
        leaves += [leaf, leaf._replace(kind="text")] if leaf.kind == "numeral" else [leaf]
    return tuple(leaves), scalars(tuple(leaves), subject)


def _page(wanted: _Wanted, context: Context, transaction: Transaction, token: _Token | None) -> _Page:
    resource = wanted.subject.resource
    clause, is_exact = placed(wanted.clause, wanted.subject)
    search = Search(context.account, context.region, resource.service, resource.noun, clause)
    before, total = (token.before, token.total) if token is not None else (0, None)
    if wanted.scalars is None:
        found = _seen(wanted, transaction.search(search), context, transaction, is_exact)
        hits, count = _sorted_page(wanted, found, token)
        return _Page(wanted, hits, before, count if token is None else total)
    search = replace(
        search,
        order=Order(wanted.scalars, wanted.descending),
        limit=wanted.size + 1 if is_exact else None,
        after=token.position if token is not None else None,
    )
    if not is_exact:
        found = _seen(wanted, transaction.search(search), context, transaction, is_exact)
        return _Page(wanted, [hit for hit, _ in islice(found, wanted.size + 1)], before, None)
    hits = list(transaction.search(search))
    if token is None and len(hits) > wanted.size:
        total = transaction.count_hits(replace(search, order=None, after=None, limit=None), COUNTED + 1)
    return _Page(wanted, hits, before, total)


def _seen(
    wanted: _Wanted, hits: Iterable[Hit], context: Context, transaction: Transaction, is_exact: bool
) -> Iterator[tuple[Hit, Glimpse]]:
    """The hits that satisfy the search when they are looked at, with what they look like."""
    for hit in hits:
        glimpse = Glimpse(wanted.subject, context, transaction, hit.record)
        if is_exact or holds(wanted.clause, glimpse):
            yield hit, glimpse


def _sorted_page(wanted: _Wanted, found: Iterable[tuple[Hit, Glimpse]], token: _Token | None) -> tuple[list[Hit], int]:
    """The first hits after ``token`` in an order that the database does not have, and how many hits there are in all.

    All of them are looked at, and no more kept than a page has.
    """
    counted = 0

    def following() -> Iterator[Hit]:
        nonlocal counted
        for hit, glimpse in found:
            counted += 1
            position = place_of(glimpse, wanted.leaves, wanted.descending, hit.record.id)
            if token is None or (position < token.position if wanted.descending else position > token.position):
                yield Hit(hit.record, position)

    choose = heapq.nlargest if wanted.descending else heapq.nsmallest
    hits = choose(wanted.size + 1, following(), key=lambda hit: hit.position)
    return hits, min(counted, COUNTED + 1)


def _read_token(token: str, wanted: _Wanted) -> _Token:
    try:
        checksum, before, total, position = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        read = _Token(checksum, before, total, tuple(position))
    except (binascii.Error, ValueError, TypeError):
        raise ValidationException(_BAD_TOKEN) from None
    kinds = [str if each.kind == "text" else float for each in wanted.scalars or wanted.leaves]
    if not (wanted.scalars is not None and wanted.scalars[0].is_column):
        kinds.insert(0, float)
    fitting = len(kinds) + 1 == len(read.position) and all(map(_is_a, read.position, [*kinds, float]))
    counts = _is_a(read.before, float) and (read.total is None or _is_a(read.total, float))
    if not fitting or not counts or read.checksum != wanted.checksum:
        raise ValidationException(_BAD_TOKEN)
    return read


def _is_a(value: object, kind: type) -> bool:
    """Whether a part of a token is a text or, as ``float`` says, a number."""
    return isinstance(value, str) if kind is str else isinstance(value, int | float) and not isinstance(value, bool)
