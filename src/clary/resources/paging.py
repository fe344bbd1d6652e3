"""The arguments that all List operations share: filters, order, page size and the token of the next page.

What a filter looks at is told by its name: ``NameContains``, ``StatusEquals``, ``CreationTimeAfter``, ``ActionType``.
Only members that stand elsewhere in the document are declared, as the resource's ``paths``.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import orjson

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.view import at_path
from clary.state.records import Comparison, Condition, Link, Query, Record
from clary.state.transaction import Transaction

Row = TypeVar("Row")
TOKENS = ("NextToken", "nextToken")
SIZES = ("MaxResults", "maxResults", "Limit")
_COMPARISONS: Mapping[str, Comparison] = {
    "Contains": "contains",
    "Equals": "equals",
    "Prefix": "starts",
    "After": "from",
    "Before": "to",
}
_COLUMNS = {
    "Name": "@name",
    "Status": "@status",
    "CreationTime": "@created",
    "Created": "@created",
    "CreatedAt": "@created",
    "CreateDate": "@created",
    "LastModifiedTime": "@modified",
    "LastModifiedAt": "@modified",
    "Modified": "@modified",
    "ModifiedTime": "@modified",
}


def query(resource: Resource, context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Query:
    """What a List request asks for, with room for one row more than the page to see whether another follows.

    Raises ``ValidationException`` for a token that no page ended with.
    """
    wanted = replace(resource.query(context), sort_by=resource.sort_by, descending=resource.descending)
    parents = dict(resource.unnamed)
    conditions: list[Condition] = []
    for member, value in params.items():
        if member in SIZES or member in TOKENS or member in resource.dialect.ignored:
            continue
        if member == "SortBy":
            wanted = replace(wanted, sort_by=column(resource, value))
        elif member == "SortOrder":
            wanted = replace(wanted, descending=value.lower() == "descending")
        elif member in resource.related:
            found = resource.related[member](context, transaction, value)
            if isinstance(found, Link):
                wanted = replace(wanted, linked=(*wanted.linked, found))
            else:
                arns = set(found)
                wanted = replace(wanted, arns=tuple(arns.intersection(arns if wanted.arns is None else wanted.arns)))
        elif (named := resource.aliases.get(member, member).removesuffix("Equals")) in resource.parents:
            parents[named] = value
        elif isinstance(value, list) and member.removesuffix("s") == resource.name_member:
            wanted = replace(wanted, names=tuple(value))
        elif isinstance(value, (dict, list)):
            # Left aside, it would show what was not asked for.
            raise NotAvailableYet(f"The filter {member} is not available in Clary yet.")
        else:
            conditions.append(_condition(resource, member, value))
    # One look at an index where a request says what the resources belong to, else a condition for each part of that.
    if resource.parents and all(member in parents for member in resource.parents):
        conditions.append(Condition("@parent", "equals", "/".join(resource.called(parents)[1])))
    else:
        conditions.extend(Condition(member, "equals", value) for member, value in parents.items())
    size = next((params[member] for member in SIZES if member in params), resource.page or resource.dialect.page)
    if token := next((params[member] for member in TOKENS if params.get(member)), None):
        wanted = replace(wanted, after=read_token(token, wanted.sort_by, wanted.descending))
    return replace(wanted, conditions=tuple(conditions), limit=int(size) + 1)


def page(
    query: Query, records: list[Record], context: Context, transaction: Transaction
) -> tuple[list[Record], str | None]:
    """The rows of this page, and the token of the next where there is one."""
    assert query.limit is not None
    rows = records[: query.limit - 1]
    if len(records) < query.limit or not rows:  # A page of none has no last row that the next could begin behind.
        return rows, None
    last = rows[-1]
    value = at_path(query.sort_by)(context, transaction, last)
    return rows, write_token("" if value is None else value, last.id, query.sort_by, query.descending)


def cut(rows: Sequence[Row], params: Mapping[str, Any], size: int) -> tuple[Sequence[Row], str | None]:
    """A page of rows that do not come from the database one by one, and the token of the next; ``size`` is the page's
    where the request does not say.

    Raises ``ValidationException`` for a token that no page ended with.
    """
    start, end = bounds(params, size)
    return rows[start:end], str(end) if end < len(rows) else None


def bounds(params: Mapping[str, Any], size: int) -> tuple[int, int]:
    """Where the page that ``cut`` gives begins and ends among the rows; raises as that."""
    token = next((params[member] for member in TOKENS if params.get(member)), "0")
    if not (token.isascii() and token.isdigit() and len(token) < 16):
        raise ValidationException("The pagination token is invalid.")
    start = int(token)
    return start, start + int(next((params[member] for member in SIZES if member in params), size))


def column(resource: Resource, member: str) -> str:
    """The column or the dotted path of what a filter or a sort key calls ``member``: ``CREATION_TIME``, ``HubName``."""
    if member in resource.paths:
        return resource.paths[member]
    if member.isupper():
        member = member.title().replace("_", "")
    short = member.removeprefix(resource.noun)
    for name in (member, short):
        if name in resource.paths:
            return resource.paths[name]
        if name == resource.status:
            return "@status"
        if name == resource.name_member:
            return "@name"
        # Without a status of its own, a noun's ``…Status`` is what a request said.
        if name in _COLUMNS and (name != "Status" or resource.status is not None):
            return _COLUMNS[name]
    return member


def _condition(resource: Resource, member: str, value: Any) -> Condition:
    if isinstance(value, datetime):
        value = value.timestamp()
    if member in resource.paths:
        return Condition(resource.paths[member], "equals", value)
    for suffix, comparison in _COMPARISONS.items():
        if (base := member.removesuffix(suffix)) != member and base:
            return Condition(column(resource, base), comparison, value)
    return Condition(column(resource, member), "equals", value)


def write_token(value: str | float, row: int, sort_by: str, descending: bool) -> str:
    """The token of the page after the row that has this id and, in this order, comes with ``value``."""
    return base64.urlsafe_b64encode(orjson.dumps([value, row, sort_by, descending])).decode()


def read_token(token: str, sort_by: str, descending: bool) -> tuple[str | float, int]:
    """The value and the row that ``write_token`` was given.

    Raises ``ValidationException`` for a token that it did not give, or not for a list in this order.
    """
    try:
        value, row, *order = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise ValidationException("The pagination token is invalid.") from None
    if not isinstance(value, str | float | int) or not isinstance(row, int) or isinstance(value, bool):
        raise ValidationException("The pagination token is invalid.")
    if order != [sort_by, descending]:
        raise ValidationException("The pagination token is invalid: it belongs to a list in another order.")
    return value, row
