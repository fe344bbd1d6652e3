"""The arguments that all List operations share: filters, order, page size and the token of the next page.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.state.records import Query, Record, SortBy
from clary.state.transaction import Transaction

DEFAULT_PAGE = 10
"""How many rows a page has when ``MaxResults`` is not given, as AWS documents it."""

_TIMES = {
    "CreationTimeAfter": "created_after",
    "CreatedAfter": "created_after",
    "CreationTimeBefore": "created_before",
    "CreatedBefore": "created_before",
    "LastModifiedTimeAfter": "modified_after",
    "ModifiedTimeAfter": "modified_after",
    "LastModifiedTimeBefore": "modified_before",
    "ModifiedTimeBefore": "modified_before",
}
_SORTS: Mapping[str, SortBy] = {
    "Name": "name",
    "CreationTime": "created",
    "CreatedAt": "created",
    "LastModifiedTime": "modified",
    "ModifiedTime": "modified",
    "LastModifiedAt": "modified",
    "Status": "status",
}


def query(resource: Resource, context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Query:
    """What a List request asks for, with room for one row more than the page to see whether another follows.

    Raises ``ValidationException`` for a token that no page ended with.
    """
    values: dict[str, Any] = {"descending": resource.descending}
    members = []
    for member, value in params.items():
        if member in _TIMES:
            values[_TIMES[member]] = value.timestamp() if isinstance(value, datetime) else float(value)
        elif member == "NameContains":
            values["name_contains"] = value
        elif member == "StatusEquals":
            values["status"] = value
        elif member == "SortBy":
            values["sort_by"] = _sort_by(resource, value)
        elif member == "SortOrder":
            values["descending"] = value == "Descending"
        elif member == "NextToken":
            values["after"] = _read_token(value)
        elif member == "MaxResults":
            continue
        elif member == resource.parent:
            values["parent"] = value
        elif member in resource.filters:
            members.append((resource.filters[member], str(value)))
        elif member in resource.related:
            arns = set(resource.related[member](context, transaction, value))
            values["arns"] = tuple(arns.intersection(values.get("arns", arns)))
        else:
            raise NotAvailableYet(f"The filter {member} is not available in Clary yet.")
    limit = int(params.get("MaxResults", DEFAULT_PAGE)) + 1
    return Query(
        context.account,
        context.region,
        resource.service,
        resource.noun,
        members=tuple(members),
        limit=limit,
        **values,
    )


def page(query: Query, records: list[Record]) -> tuple[list[Record], str | None]:
    """The rows of this page, and the token of the next where there is one."""
    assert query.limit is not None
    rows = records[: query.limit - 1]
    if len(records) < query.limit:
        return rows, None
    last = rows[-1]
    value = {"name": last.name, "created": last.created, "modified": last.modified, "status": last.status}[
        query.sort_by
    ]
    return rows, base64.urlsafe_b64encode(orjson.dumps([value, last.id])).decode()


def _sort_by(resource: Resource, value: str) -> SortBy:
    column = _SORTS.get(value.removeprefix(resource.noun))
    if column is None:
        raise NotAvailableYet(f"Sorting by {value} is not available in Clary yet.")
    return column


def _read_token(token: str) -> tuple[str | float, int]:
    try:
        value, row = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise ValidationException("The pagination token is invalid.") from None
    if not isinstance(value, str | float | int) or not isinstance(row, int) or isinstance(value, bool):
        raise ValidationException("The pagination token is invalid.")
    return value, row
