"""The three ways in which AWS writes a time: seconds since the epoch, ISO 8601 and RFC 822."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import formatdate, parsedate_to_datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,17}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)


def from_epoch(seconds: float) -> datetime:
    """``seconds`` since the epoch as an aware time in UTC, to the microsecond.

    Raises ``ValueError`` for what lies outside the years 1 to 9999.
    """
    # The shortest decimal text of a float is what its sender wrote; its binary value may be a microsecond off.
    return _from_decimal(repr(seconds))


def _from_decimal(text: str) -> datetime:
    try:
        microseconds = int((Decimal(text) * 1_000_000).to_integral_value())
        return EPOCH + timedelta(microseconds=microseconds)
    except (OverflowError, ArithmeticError, ValueError) as error:
        raise ValueError(f"not a time: {text}") from error


def parse_timestamp(text: str) -> datetime:
    """A time in any of the three formats, as an aware time in UTC; a time without an offset is UTC.

    Raises ``ValueError``.
    """
    text = text.strip()
    if match := _ISO.match(text):
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        microsecond = int((fraction or "0")[:6].ljust(6, "0"))
        zone: timezone = UTC
        if offset and offset not in "Zz":
            digits = offset[1:].replace(":", "").ljust(4, "0")
            shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            if shift >= timedelta(hours=24):
                raise ValueError(f"not a time: {text!r}")
            zone = timezone(-shift if offset[0] == "-" else shift)
        time = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            microsecond,
            tzinfo=zone,
        )
        try:
            return time.astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"not a time: {text!r}") from error
    if _NUMBER.match(text):
        return _from_decimal(text)
    if len(text) > 64:
        raise ValueError("not a time")
    try:
        time = parsedate_to_datetime(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not a time: {text!r}") from error


def as_datetime(value: datetime | float | str) -> datetime:
    """What a handler may give as a time: a ``datetime`` (UTC if it has no zone), seconds since the epoch, or text.

    Raises ``ValueError``.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        return parse_timestamp(value)
    return from_epoch(value)


def epoch_seconds(time: datetime) -> float:
    """Seconds since the epoch, cut to the millisecond, the finest step of the wire formats."""
    whole = calendar.timegm(time.utctimetuple())
    return (whole * 1000 + time.microsecond // 1000) / 1000


def format_timestamp(value: datetime | float | str, style: str) -> str:
    """A time as text; ``style`` is ``unixTimestamp``, ``iso8601`` or ``rfc822`` as in the service models, in any
    case."""
    time = as_datetime(value)
    style = style.lower()
    if style == "iso8601":
        return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z".rjust(24, "0")
    if style == "rfc822":
        return formatdate(calendar.timegm(time.utctimetuple()), usegmt=True)
    seconds = epoch_seconds(time)
    return str(int(seconds)) if seconds == int(seconds) else repr(seconds)
