"""Times in the formats of the wire."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.utils import parse_timestamp as botocore_parse
from hypothesis import given
from hypothesis import strategies as st

from clary.wire.timestamps import as_datetime, epoch_seconds, format_timestamp, from_epoch, parse_timestamp

WHEN = datetime(2026, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    st.sampled_from(["iso8601", "unixTimestamp"]),
)
def test_formatting_and_parsing(when: datetime, style: str) -> None:
    when -= timedelta(microseconds=when.microsecond % 1000)
    text = format_timestamp(when, style)
    assert parse_timestamp(text) == when
    if 1900 < when.year < 2100:
        assert botocore_parse(text) == when
    assert from_epoch(epoch_seconds(when)) == when


def test_the_three_styles() -> None:
    assert format_timestamp(WHEN, "iso8601") == "2026-11-20T10:00:00.123Z"
    assert format_timestamp(WHEN, "rfc822") == "Fri, 20 Nov 2026 10:00:00 GMT"
    assert format_timestamp(WHEN, "unixTimestamp") == "1795168800.123"
    assert format_timestamp(WHEN.replace(microsecond=0), "unixTimestamp") == "1795168800"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T10:00:00.123Z",
        "2026-11-20T11:00:00.123+01:00",
        "2026-11-20 10:00:00.123",
        "20 Nov 2026 10:00:00 GMT",
        "Fri, 20 Nov 2026 10:00:00 +0000",
        "1795168800.123",
        "1.795168800123E9",
    ],
)
def test_what_clients_write(text: str) -> None:
    assert abs(parse_timestamp(text) - WHEN) < timedelta(seconds=0.2)


@given(st.text(max_size=80) | st.text("0123456789-:TZ.+eE ,JanGMT", max_size=40))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_timestamp(text).tzinfo is UTC


def test_what_handlers_may_give() -> None:
    assert (
        as_datetime(WHEN.timestamp())
        == as_datetime(WHEN.replace(tzinfo=None))
        == as_datetime("2026-11-20T10:00:00.123Z")
        == WHEN
    )
    assert as_datetime(WHEN.astimezone(timezone(timedelta(hours=3)))) == WHEN
    with pytest.raises(ValueError, match="not a time"):
        as_datetime(float("nan"))
