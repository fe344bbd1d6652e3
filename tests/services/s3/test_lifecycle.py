"""Lifecycle: the configuration as it is kept, and what a walk over the buckets lets expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clary.objects.errors import NoSuchKey
from clary.objects.model import Attributes
from clary.objects.store import ObjectStore
from clary.objects.versions import ENABLED
from clary.services.s3.expiry import Expiry
from clary.services.s3.lifecycle import DAY, Rule, ends
from clary.services.s3.notifications import Notifications

RULES: list[dict[str, Any]] = [
    {"ID": "days", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30}},
    {
        "ID": "date", "Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Status": "Disabled",
        "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)},
    },
    {
        "ID": "versions", "Filter": {"And": {"Prefix": "v/", "ObjectSizeGreaterThan": 5}}, "Status": "Enabled",
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
    },
    {
        "ID": "uploads", "Filter": {"Prefix": ""}, "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
]  # fmt: skip


def test_rules_are_given_back_as_they_came(s3: Any, bucket: str, fails: Any) -> None:
    fails("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, 404, Bucket=bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": RULES})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == RULES
    put = s3.put_object(Bucket=bucket, Key="logs/x", Body=b"x")
    assert 'rule-id="days"' in put["Expiration"]
    assert 'rule-id="days"' in s3.head_object(Bucket=bucket, Key="logs/x")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other", Body=b"x")
    s3.delete_bucket_lifecycle(Bucket=bucket)
    fails("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, 404, Bucket=bucket)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("InvalidArgument", {"Expiration": {"Days": 0}}),
        ("InvalidArgument", {"Expiration": {"Date": datetime(2030, 1, 1, 5, tzinfo=UTC)}}),
        ("InvalidArgument", {"Expiration": {"Days": 1}, "ID": "x" * 256}),
        ("InvalidRequest", {}),
        ("MalformedXML", {"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}),
        ("MalformedXML", {"Expiration": {"Days": 1}, "Status": "enabled"}),
        ("NotImplemented", {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}),
    ],
)
def test_rules_that_cannot_be(s3: Any, bucket: str, fails: Any, code: str, rule: dict[str, Any]) -> None:
    whole = {"Filter": {"Prefix": ""}, "Status": "Enabled", **rule}
    fails(code, s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": [whole]})


def test_ids_are_unique_and_are_given(s3: Any, bucket: str, fails: Any) -> None:
    rule = {"Filter": {"Prefix": ""}, "Status": "Enabled", "Expiration": {"Days": 1}}
    twice = {"Rules": [{**rule, "ID": "a"}, {**rule, "ID": "a"}]}
    fails("InvalidArgument", s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=twice)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["ID"]


def test_a_day_ends_at_midnight() -> None:
    noon = DAY * 1000 + DAY // 2
    assert ends(noon, 1) == DAY * 1002
    assert ends(DAY * 1000, 1) == DAY * 1001


async def body(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Walk:
    """A store whose lifecycle is walked over as many days later as a test wants."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    async def put(self, key: str, content: bytes = b"content", **attributes: Any) -> str:
        return (await self.store.put("bucket", key, body(content), Attributes(**attributes))).version

    async def rules(self, *rules: Rule) -> None:
        await self.store.set_document("bucket", "lifecycle", msgspec.json.encode(rules))

    async def after(self, days: float) -> int:
        """Walks so many days after the end of this one; how much has gone."""

        async def check(*_: Any) -> list[str]:
            return []

        modified = max(item.modified for item in (await self.store.list_versions("bucket")).versions)
        midnight = ends(modified, 0)
        return await Expiry(self.store, Notifications(check), lambda: midnight + int(days * DAY)).walk()

    async def keys(self) -> list[str]:
        return [item.key for item in (await self.store.list("bucket")).objects]

    async def versions(self) -> list[tuple[str, str, bool]]:
        page = await self.store.list_versions("bucket")
        return [(item.key, item.version, item.deleted) for item in page.versions]


@pytest.fixture
def walk(tmp_path: Path) -> Callable[[Callable[[Walk], Awaitable[None]]], None]:
    def run(scenario: Callable[[Walk], Awaitable[None]]) -> None:
        async def main() -> None:
            store = ObjectStore(tmp_path)
            await store.open()
            try:
                await store.create_bucket("bucket", "123456789012", "us-east-1")
                await scenario(Walk(store))
            finally:
                await store.close()

        asyncio.run(main())

    return run


def test_objects_expire_when_their_days_are_over(walk: Any) -> None:
    async def scenario(it: Walk) -> None:
        await it.rules(
            Rule("logs", enabled=True, prefix="logs/", days=2),
            Rule("tagged", enabled=True, tags=[("kind", "scratch")], days=1),
            Rule("large", enabled=True, larger_than=100, days=1),
            Rule("off", enabled=False, days=1),
        )
        await it.put("logs/a")
        await it.put("keep")
        await it.put("scratch", tags=[("kind", "scratch"), ("more", "1")])
        await it.put("large", b"x" * 101)
        assert await it.after(0.9) == 0
        assert await it.after(1.5) == 2
        assert await it.keys() == ["keep", "logs/a"]
        assert await it.after(2) == 1
        assert await it.keys() == ["keep"]

    walk(scenario)


def test_with_versions_an_expired_object_is_hidden(walk: Any) -> None:
    async def scenario(it: Walk) -> None:
        await it.store.set_versioning("bucket", ENABLED)
        await it.rules(Rule("all", enabled=True, days=1, noncurrent_days=2))
        version = await it.put("key")
        assert await it.after(1) == 1
        (marker, kept) = await it.versions()
        assert (marker[2], kept[1]) == (True, version)
        assert await it.after(1.9) == 0
        assert await it.after(2) == 1  # the version; the marker is alone from then on
        assert [entry[2] for entry in await it.versions()] == [True]
        assert await it.after(2) == 1
        assert await it.versions() == []

    walk(scenario)


def test_some_versions_stay_in_any_case(walk: Any) -> None:
    async def scenario(it: Walk) -> None:
        await it.store.set_versioning("bucket", ENABLED)
        await it.rules(Rule("old", enabled=True, prefix="key", noncurrent_days=1, newer_noncurrent=2))
        versions = [await it.put("key", str(number).encode()) for number in range(6)]
        await it.put("other")
        await it.put("other")
        assert await it.after(5) == 3
        assert [entry[1] for entry in (await it.versions())[:3]] == versions[:2:-1]
        assert len(await it.versions()) == 5

    walk(scenario)


def test_a_locked_version_does_not_expire(walk: Any) -> None:
    async def scenario(it: Walk) -> None:
        await it.store.set_versioning("bucket", ENABLED)
        await it.rules(Rule("old", enabled=True, noncurrent_days=1))
        await it.put("key", legal_hold=True)
        await it.put("key")
        assert await it.after(5) == 0
        assert len(await it.versions()) == 2

    walk(scenario)


def test_many_pages_of_versions(walk: Any) -> None:
    async def scenario(it: Walk) -> None:
        await it.store.set_versioning("bucket", ENABLED)
        await it.rules(Rule("markers", enabled=True, lone_markers=True), Rule("old", enabled=True, noncurrent_days=1))
        for number in range(700):
            await it.put(f"{number:04}")
            await it.put(f"{number:04}")
        for number in range(0, 700, 7):
            await it.store.delete("bucket", f"{number:04}")
        assert await it.after(3) == 700 + 100
        assert await it.after(3) == 100
        assert len(await it.versions()) == 600

    walk(scenario)


def test_uploads_that_nobody_ends_are_ended(walk: Any) -> None:
    async def scenario(it: Walk) -> None:
        await it.rules(Rule("uploads", enabled=True, prefix="up/", upload_days=1))
        await it.put("key")
        for key in ("up/a", "up/b", "down"):
            upload = await it.store.multipart.create("bucket", key, Attributes())
            await it.store.multipart.put_part("bucket", upload, 1, body(b"x" * 100_000))
        assert await it.after(0.5) == 0
        assert await it.after(2) == 2
        page = await it.store.multipart.list("bucket")
        assert [upload.key for upload in page.uploads] == ["down"]
        files = [path for path in (it.store.root / "blobs").rglob("*") if path.is_file()]
        assert len(files) == 1
        with pytest.raises(NoSuchKey):
            await it.store.head("bucket", "up/a")

    walk(scenario)
