"""Object lock: what is written once stays, for as long as it was said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


@pytest.fixture
def locked(s3: Any, bucket: str) -> str:
    name = f"{bucket}-locked"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def soon(**later: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**(later or {"hours": 1}))


def test_a_bucket_with_object_lock_has_versions(s3: Any, locked: str, fails: Any) -> None:
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    configuration = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert configuration == {"ObjectLockEnabled": "Enabled"}
    suspended = {"Status": "Suspended"}
    fails("InvalidBucketState", s3.put_bucket_versioning, 409, Bucket=locked, VersioningConfiguration=suspended)


def test_retention_keeps_a_version(s3: Any, locked: str, fails: Any) -> None:
    at = {"Bucket": locked, "Key": "key"}
    until = soon()
    put = s3.put_object(**at, Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    one = {**at, "VersionId": put["VersionId"]}
    head = s3.head_object(**at)
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    assert s3.delete_object(**at)["DeleteMarker"]  # it hides the version and removes nothing
    fails("AccessDenied", s3.delete_object, 403, **one)
    errors = s3.delete_objects(Bucket=locked, Delete={"Objects": [{"Key": "key", "VersionId": put["VersionId"]}]})
    assert [error["Code"] for error in errors["Errors"]] == ["AccessDenied"]
    assert s3.get_object(**one)["Body"].read() == b"x"
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": soon(minutes=1)}
    fails("AccessDenied", s3.put_object_retention, 403, **one, Retention=shorter)
    s3.put_object_retention(**one, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": soon(hours=2)})
    s3.put_object_retention(**one, Retention=shorter, BypassGovernanceRetention=True)
    assert s3.get_object_retention(**one)["Retention"] == shorter
    s3.delete_object(**one, BypassGovernanceRetention=True)
    fails("NoSuchVersion", s3.get_object, 404, **one)


def test_compliance_has_no_exception(s3: Any, locked: str, fails: Any) -> None:
    put = s3.put_object(
        Bucket=locked, Key="key", Body=b"x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=soon()
    )
    one = {"Bucket": locked, "Key": "key", "VersionId": put["VersionId"]}
    fails("AccessDenied", s3.delete_object, 403, **one, BypassGovernanceRetention=True)
    for weaker in ({"Mode": "GOVERNANCE", "RetainUntilDate": soon(hours=5)}, {}):
        fails(
            "AccessDenied", s3.put_object_retention, 403, **one, Retention=weaker, BypassGovernanceRetention=True
        )  # fmt: skip
    s3.put_object_retention(**one, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon(hours=2)})


def test_a_legal_hold_has_no_end(s3: Any, locked: str, fails: Any) -> None:
    put = s3.put_object(Bucket=locked, Key="key", Body=b"x", ObjectLockLegalHoldStatus="ON")
    one = {"Bucket": locked, "Key": "key", "VersionId": put["VersionId"]}
    assert s3.get_object_legal_hold(**one)["LegalHold"]["Status"] == "ON"
    fails("AccessDenied", s3.delete_object, 403, **one, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(**one, LegalHold={"Status": "OFF"})
    s3.delete_object(**one)


def test_the_default_of_the_bucket(s3: Any, locked: str) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"] == configuration
    s3.put_object(Bucket=locked, Key="key", Body=b"x")
    retention = s3.get_object_retention(Bucket=locked, Key="key")["Retention"]
    assert retention["Mode"] == "GOVERNANCE"
    assert timedelta(days=1, hours=23) < retention["RetainUntilDate"] - datetime.now(UTC) <= timedelta(days=2)


def test_what_cannot_be_locked(s3: Any, bucket: str, locked: str, fails: Any) -> None:
    at = {"Bucket": bucket, "Key": "key", "Body": b"x"}
    fails("InvalidRequest", s3.put_object, 400, **at, ObjectLockLegalHoldStatus="ON")
    fails("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration, 404, Bucket=bucket)
    configuration = {"ObjectLockEnabled": "Enabled"}
    fails(
        "InvalidBucketState", s3.put_object_lock_configuration, 409, Bucket=bucket,
        ObjectLockConfiguration=configuration,
    )  # fmt: skip
    at = {"Bucket": locked, "Key": "key", "Body": b"x"}
    fails("InvalidArgument", s3.put_object, 400, **at, ObjectLockMode="GOVERNANCE")
    past = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": soon(hours=-1)}
    fails("InvalidArgument", s3.put_object, 400, **at, **past)
    odd = {"ObjectLockMode": "SOMETIMES", "ObjectLockRetainUntilDate": soon()}
    fails("InvalidArgument", s3.put_object, 400, **at, **odd)
    both = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}
    none = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 0}}
    for code, rule in (("MalformedXML", both), ("InvalidRetentionPeriod", none)):
        wrong = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        fails(code, s3.put_object_lock_configuration, 400, Bucket=locked, ObjectLockConfiguration=wrong)
    s3.put_object(Bucket=locked, Key="free", Body=b"x")
    fails("NoSuchObjectLockConfiguration", s3.get_object_retention, 404, Bucket=locked, Key="free")
