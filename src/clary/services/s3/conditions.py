"""Conditional requests and ranges.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html, RFC 9110 sections 13 and 14
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime

from clary.objects.errors import NoSuchKey
from clary.objects.model import Object

from .errors import InvalidRange, NotModified, PreconditionFailed

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def http_date(milliseconds: int) -> str:
    """A time as ``Last-Modified`` has it, for example ``Fri, 20 Nov 2026 10:00:00 GMT``."""
    return formatdate(milliseconds // 1000, usegmt=True)


def _date(text: str | None) -> int | None:
    """Seconds since the epoch; ``None`` for none and for one that cannot be read, which is to be ignored."""
    if not text:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _matches(listed: str, etag: str) -> bool:
    return any(item.strip().removeprefix("W/").strip('"') in (etag, "*") for item in listed.split(","))


def check_read(headers: Mapping[str, str], item: Object, prefix: str = "") -> None:
    """The conditions of a read on ``item``; with ``prefix`` ``x-amz-copy-source-`` those of a copy on its source.

    Raises ``PreconditionFailed``, or ``NotModified`` with what its answer has to carry.
    """
    modified = item.modified // 1000
    match, none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    if match is not None:
        if not _matches(match, item.etag):
            raise PreconditionFailed(Condition="If-Match")
    elif (since := _date(headers.get(f"{prefix}if-unmodified-since"))) is not None and modified > since:
        raise PreconditionFailed(Condition="If-Unmodified-Since")
    if none_match is not None:
        unchanged, condition = _matches(none_match, item.etag), "If-None-Match"
    else:
        since = _date(headers.get(f"{prefix}if-modified-since"))
        unchanged, condition = since is not None and modified <= since, "If-Modified-Since"
    if unchanged:
        if prefix:
            raise PreconditionFailed(Condition=condition)
        raise NotModified(ETag=item.etag, LastModified=http_date(item.modified))


def write_condition(headers: Mapping[str, str], key: str) -> Callable[[Object | None], None] | None:
    """What a write demands of the object that is there; ``None`` if it demands nothing.

    S3 itself knows ``If-None-Match`` only with an asterisk; here ETags have the meaning of RFC 9110 too.
    """
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match is None and none_match is None:
        return None

    def check(existing: Object | None) -> None:
        if none_match is not None and existing is not None and _matches(none_match, existing.etag):
            raise PreconditionFailed(Condition="If-None-Match")
        if match is not None:
            if existing is None:
                raise NoSuchKey(key)
            if not _matches(match, existing.etag):
                raise PreconditionFailed(Condition="If-Match")

    return check


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes asked for, from the first up to, without, the last; ``None`` for all of them.

    A header that is no single range of bytes is ignored, as RFC 9110 has it. Raises ``InvalidRange``.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if first and last and int(last) < int(first):
        return None
    start, stop = (int(first), int(last) + 1 if last else size) if first else (max(size - int(last), 0), size)
    if start >= size:
        raise InvalidRange(RangeRequested=header, ActualObjectSize=str(size))
    return start, min(stop, size)
