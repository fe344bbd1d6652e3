"""How entities look in answers, and lists cut into pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from clary.core.errors import ValidationError
from clary.services.iam.errors import InvalidInput, LimitExceeded
from clary.state.records import Record
from clary.state.transaction import Transaction

Item = TypeVar("Item")
_MOST_TAGS = 50


def moment(seconds: float) -> datetime:
    """A time as the answers carry it."""
    return datetime.fromtimestamp(int(seconds), UTC)


def encoded(document: str) -> str:
    """A policy document as IAM answers it: URL-encoded."""
    return quote(document, safe="")


def user_view(record: Record, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The members of ``User``."""
    return _view(record, "User", tags)


def group_view(record: Record) -> dict[str, Any]:
    """The members of ``Group``."""
    return _view(record, "Group", None)


def role_view(record: Record, tags: Mapping[str, str] | None = None, *, details: bool = False) -> dict[str, Any]:
    """The members of ``Role``; lists leave the ``details`` out."""
    view = _view(record, "Role", tags)
    view["AssumeRolePolicyDocument"] = encoded(record.document["Trust"])
    view["MaxSessionDuration"] = record.document["MaxSessionDuration"]
    if record.document.get("Description"):
        view["Description"] = record.document["Description"]
    if details:
        view["RoleLastUsed"] = {}
    return view


def _view(record: Record, noun: str, tags: Mapping[str, str] | None) -> dict[str, Any]:
    view: dict[str, Any] = {
        "Path": record.document["Path"],
        f"{noun}Name": record.name,
        f"{noun}Id": record.document["Id"],
        "Arn": record.arn,
        "CreateDate": moment(record.created),
    }
    if record.document.get("Boundary"):
        view["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": record.document["Boundary"],
        }
    if tags:
        view["Tags"] = tag_list(tags)
    return view


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as IAM answers them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def read_tags(tags: Iterable[Mapping[str, str]], present: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags of a request; raises ``InvalidInput`` or, if there would be too many, ``LimitExceeded``."""
    found: dict[str, str] = {}
    lower: set[str] = set()
    for tag in tags:
        key = tag["Key"]
        if key.lower() in lower:
            raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        if key.lower().startswith("aws:"):
            raise InvalidInput("Tag keys with the prefix aws: are reserved for internal use.")
        lower.add(key.lower())
        found[key] = tag["Value"]
    if len({**(present or {}), **found}) > _MOST_TAGS:
        raise LimitExceeded(f"The number of tags has reached the maximum limit. Limit: {_MOST_TAGS}")
    return found


def add_tags(transaction: Transaction, record: Record, params: Mapping[str, Any]) -> dict[str, str]:
    """Give a new entity the tags of the request that makes it."""
    tags = read_tags(params.get("Tags", ()))
    transaction.set_tags(record.arn, tags)
    return tags


def page(
    items: Sequence[Item],
    params: Mapping[str, Any],
    member: str,
    name: Callable[[Item], str],
    show: Callable[[Item], Any],
) -> dict[str, Any]:
    """One page of ``items``, which are in the order of their ``name``, under ``member``.

    Raises ``ValidationError`` if ``Marker`` is not one that a page before gave.
    """
    marker = params.get("Marker")
    if marker:
        try:
            after = base64.urlsafe_b64decode(marker.encode()).decode()
        except (binascii.Error, UnicodeError) as error:
            raise ValidationError("Invalid Marker.") from error
        items = [item for item in items if name(item) > after]
    size = params.get("MaxItems", 100)
    answer: dict[str, Any] = {member: [show(item) for item in items[:size]], "IsTruncated": len(items) > size}
    if len(items) > size:
        answer["Marker"] = base64.urlsafe_b64encode(name(items[size - 1]).encode()).decode()
    return answer
