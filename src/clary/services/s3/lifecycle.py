"""Lifecycle configurations: rules by which objects, versions and uploads expire.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from clary.core.clock import iso
from clary.objects.model import Object

from . import xml
from .call import Call, Handler, xml_response
from .conditions import http_date
from .errors import InvalidArgument, InvalidRequest, MalformedXML, NoSuchLifecycleConfiguration, NotImplementedByS3
from .http import S3Response

DOCUMENT = "lifecycle"
DAY = 86_400_000
"""Milliseconds."""
_MOST_RULES = 1000
_LONGEST_ID = 255


class Rule(msgspec.Struct, omit_defaults=True):
    """One rule; 0 stands for what it does not say."""

    id: str
    enabled: bool
    prefix: str = ""
    tags: list[tuple[str, str]] = []
    larger_than: int | None = None
    smaller_than: int | None = None
    days: int = 0
    date: int = 0
    """Milliseconds since the epoch."""
    lone_markers: bool = False
    """Whether delete markers go that hide nothing any more."""
    noncurrent_days: int = 0
    newer_noncurrent: int = 0
    """How many versions that are no longer current stay in any case."""
    upload_days: int = 0
    filtered: bool = True
    """Whether it was sent with a filter, rather than with the prefix alone as older clients do."""

    def covers(self, item: Object) -> bool:
        """Whether the rule is for this version."""
        attributes = item.attributes
        return (
            self.enabled
            and item.key.startswith(self.prefix)
            and all(tag in attributes.tags for tag in self.tags)
            and (self.larger_than is None or item.size > self.larger_than)
            and (self.smaller_than is None or item.size < self.smaller_than)
        )

    def expiry(self, item: Object, day: int = DAY) -> int | None:
        """When the current version expires, in milliseconds since the epoch: the end of the day on which its days are
        over."""
        if self.date:
            return self.date
        return ends(item.modified, self.days, day) if self.days else None


def ends(start: int, days: int, day: int = DAY) -> int:
    """The first midnight (UTC) at least ``days`` after ``start``."""
    return -(-(start + days * day) // day) * day


def rules(document: bytes | None) -> list[Rule]:
    """The rules of a bucket's configuration, as it is kept."""
    return [] if document is None else _rules(document)


@lru_cache(maxsize=256)
def _rules(document: bytes) -> list[Rule]:
    return msgspec.json.decode(document, type=list[Rule])


def expiration_headers(call: Call, item: Object) -> list[tuple[str, str]]:
    """The header that says when an object will expire, and by which rule."""
    found: tuple[int, str] | None = None
    for rule in rules(call.store.bucket(call.bucket).documents.get(DOCUMENT)):
        moment = rule.expiry(item) if rule.covers(item) else None
        if moment is not None and (found is None or moment < found[0]):
            found = moment, rule.id
    return [] if found is None else [("x-amz-expiration", f'expiry-date="{http_date(found[0])}", rule-id="{found[1]}"')]


# -- operations


async def put_bucket_lifecycle(call: Call) -> S3Response:
    document = await call.document("LifecycleConfiguration")
    found = [_read(node) for node in document.all("Rule")]
    if not 1 <= len(found) <= _MOST_RULES:
        raise MalformedXML
    if len({rule.id for rule in found}) < len(found):
        raise InvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
    await call.store.set_document(call.bucket, DOCUMENT, msgspec.json.encode(found))
    return S3Response(200, [("Content-Length", "0")])


async def get_bucket_lifecycle(call: Call) -> S3Response:
    document = call.store.bucket(call.bucket).documents.get(DOCUMENT)
    if document is None:
        raise NoSuchLifecycleConfiguration(BucketName=call.bucket)
    return xml_response("LifecycleConfiguration", {"Rule": [_written(rule) for rule in rules(document)]})


async def delete_bucket_lifecycle(call: Call) -> S3Response:
    await call.store.set_document(call.bucket, DOCUMENT, None)
    return S3Response(204)


# -- reading and writing a rule


def _read(node: xml.Node) -> Rule:
    name = node.value("ID") or secrets.token_urlsafe(24)
    if len(name) > _LONGEST_ID:
        raise InvalidArgument("ID length should not exceed allowed limit of 255")
    status = node.value("Status")
    if status not in ("Enabled", "Disabled"):
        raise MalformedXML
    if node.find("Transition") is not None or node.find("NoncurrentVersionTransition") is not None:
        raise NotImplementedByS3(
            "Transitions to other storage classes are not implemented; this store has but one class."
        )
    rule = Rule(name, status == "Enabled")
    _read_filter(node, rule)
    _read_expiration(node, rule)
    if (noncurrent := node.find("NoncurrentVersionExpiration")) is not None:
        rule.noncurrent_days = _positive(noncurrent.required("NoncurrentDays"), "NoncurrentVersionExpiration")
        if (newer := noncurrent.value("NewerNoncurrentVersions")) is not None:
            rule.newer_noncurrent = _positive(newer, "NoncurrentVersionExpiration")
    if (abort := node.find("AbortIncompleteMultipartUpload")) is not None:
        rule.upload_days = _positive(abort.required("DaysAfterInitiation"), "AbortIncompleteMultipartUpload")
        if rule.tags:
            raise InvalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.")
    if not (rule.days or rule.date or rule.lone_markers or rule.noncurrent_days or rule.upload_days):
        raise InvalidRequest("At least one action needs to be specified in a rule")
    return rule


def _read_filter(node: xml.Node, rule: Rule) -> None:
    chosen, prefix = node.find("Filter"), node.value("Prefix")
    if (chosen is None) == (prefix is None):
        raise MalformedXML
    if chosen is None:
        rule.prefix, rule.filtered = prefix or "", False
        return
    if len(chosen.children) > 1:
        raise MalformedXML
    joined = chosen.find("And")
    source = chosen if joined is None else joined
    rule.prefix = source.value("Prefix") or ""
    rule.tags = [(tag.required("Key"), tag.required("Value")) for tag in source.all("Tag")]
    if (larger := source.value("ObjectSizeGreaterThan")) is not None:
        rule.larger_than = _number(larger)
    if (smaller := source.value("ObjectSizeLessThan")) is not None:
        rule.smaller_than = _number(smaller)


def _read_expiration(node: xml.Node, rule: Rule) -> None:
    expiration = node.find("Expiration")
    if expiration is None:
        return
    days, date = expiration.value("Days"), expiration.value("Date")
    marker = (expiration.value("ExpiredObjectDeleteMarker") or "").lower()
    if sum((days is not None, date is not None, bool(marker))) != 1:
        raise MalformedXML
    if days is not None:
        rule.days = _positive(days, "Expiration")
    elif date is not None:
        rule.date = _midnight(date)
    elif rule.tags:
        raise InvalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.")
    else:
        rule.lone_markers = marker == "true"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise MalformedXML
    return int(text)


def _positive(text: str, action: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise MalformedXML from None
    if not 0 < number < 2**31:
        raise InvalidArgument(f"'Days' for {action} action must be a positive integer")
    return number


def _midnight(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise MalformedXML from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    milliseconds = int(moment.timestamp() * 1000)
    if milliseconds % DAY:
        raise InvalidArgument("'Date' must be at midnight GMT")
    return milliseconds


def _written(rule: Rule) -> dict[str, Any]:
    content: dict[str, Any] = {"ID": rule.id}
    tags = [{"Key": key, "Value": value} for key, value in rule.tags]
    conditions: dict[str, Any] = {"Prefix": rule.prefix} if rule.prefix else {}
    conditions |= {"Tag": tags} if tags else {}
    conditions |= {"ObjectSizeGreaterThan": rule.larger_than} if rule.larger_than is not None else {}
    conditions |= {"ObjectSizeLessThan": rule.smaller_than} if rule.smaller_than is not None else {}
    if not rule.filtered:
        content["Prefix"] = rule.prefix
    elif len(conditions) + max(len(tags) - 1, 0) > 1:
        content["Filter"] = {"And": conditions}
    else:
        content["Filter"] = conditions or {"Prefix": ""}
    content["Status"] = "Enabled" if rule.enabled else "Disabled"
    if rule.days:
        content["Expiration"] = {"Days": rule.days}
    elif rule.date:
        content["Expiration"] = {"Date": iso(rule.date / 1000)}
    elif rule.lone_markers:
        content["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if rule.noncurrent_days:
        newer = {"NewerNoncurrentVersions": rule.newer_noncurrent} if rule.newer_noncurrent else {}
        content["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.noncurrent_days} | newer
    if rule.upload_days:
        content["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.upload_days}
    return content


HANDLERS: dict[str, Handler] = {
    "PutBucketLifecycleConfiguration": put_bucket_lifecycle,
    "GetBucketLifecycleConfiguration": get_bucket_lifecycle,
    "DeleteBucketLifecycle": delete_bucket_lifecycle,
}
