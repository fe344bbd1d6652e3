"""Listings against a plain model: sorted keys, prefixes rolled up, pages that join without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.objects import index, listing
from clary.objects.model import Attributes, Object, Upload
from clary.objects.transaction import Place, Transaction

BUCKET = Place(1, "")
KEYS = st.text(st.sampled_from("ab/-ü\x7f😀"), min_size=1, max_size=6)


def model(keys: set[str], prefix: str, delimiter: str, after: str) -> list[tuple[str, bool]]:
    """Entries in order: an object's key, or a common prefix with ``True``."""
    entries = set()
    for key in keys:
        if not key.startswith(prefix):
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = (key, False) if cut < 0 else (key[: cut + len(delimiter)], True)
        if entry[0].encode() > after.encode():
            entries.add(entry)
    return sorted(entries, key=lambda entry: entry[0].encode())


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transaction]:
    path: Path = tmp_path_factory.mktemp("listing") / "index.db"
    with closing(index.connect(path, write=True)) as connection:
        yield Transaction(connection)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    keys=st.sets(KEYS, max_size=40),
    prefix=st.text(st.sampled_from("ab/ü"), max_size=3),
    delimiter=st.sampled_from(["", "/", "a", "//", "ü"]),
    after=st.one_of(st.just(""), KEYS),
    limit=st.integers(1, 7),
)
def test_pages_join_to_the_model(
    connection: Transaction, keys: set[str], prefix: str, delimiter: str, after: str, limit: int
) -> None:
    database = connection.connection
    Transaction.begin(database)
    try:
        for number, key in enumerate(sorted(keys)):
            connection.put(BUCKET, Object(key, number, "null", 0, "", 0, None, 0, Attributes()))
            connection.add_upload(1, Upload(f"id{number}", key, 0, Attributes()))
        expected = model(keys, prefix, delimiter, after)
        for kind in ("objects", "uploads"):
            found: list[tuple[str, bool]] = []
            marker, upload_id = after, ""
            while True:
                if kind == "objects":
                    page = listing.objects(database, 1, prefix, delimiter, marker, limit)
                    names, last, truncated = [item.key for item in page.objects], page.last, page.truncated
                    prefixes = page.prefixes
                else:
                    uploads = listing.uploads(database, 1, prefix, delimiter, (marker, upload_id), limit)
                    names, last, truncated = [item.key for item in uploads.uploads], uploads.last_key, uploads.truncated
                    prefixes, upload_id = uploads.prefixes, uploads.last_id
                assert len(names) + len(prefixes) <= limit
                entries = [(name, False) for name in names] + [(name, True) for name in prefixes]
                found += sorted(entries, key=lambda entry: entry[0].encode())
                if not truncated:
                    break
                assert last
                marker = last
            assert found == expected, kind
    finally:
        Transaction.rollback(database)


def test_several_uploads_of_one_key_are_paged_by_id(connection: Transaction) -> None:
    database = connection.connection
    Transaction.begin(database)
    try:
        for name in "abcde":
            connection.add_upload(1, Upload(name, "key", 0, Attributes()))
        found: list[str] = []
        marker = ("", "")
        while True:
            page = listing.uploads(database, 1, "", "", marker, 2)
            found += [upload.id for upload in page.uploads]
            marker = (page.last_key, page.last_id)
            if not page.truncated:
                break
        assert found == list("abcde")
    finally:
        Transaction.rollback(database)


def test_a_delimiter_jumps_over_what_it_hides(connection: Transaction) -> None:
    database = connection.connection
    Transaction.begin(database)
    try:
        for number in range(3000):
            key = f"{number % 3}/{number:05}"
            connection.put(BUCKET, Object(key, number, "null", 0, "", 0, None, 0, Attributes()))
        statements: list[str] = []
        database.set_trace_callback(statements.append)
        page = listing.objects(database, 1, "", "/", "", 1000)
        assert page.prefixes == ["0/", "1/", "2/"]
        assert not page.truncated
        assert len(statements) <= 4
    finally:
        database.set_trace_callback(None)
        Transaction.rollback(database)
