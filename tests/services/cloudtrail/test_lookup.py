"""Looking for records in files of the trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clary.core.errors import ServiceError
from clary.core.settings import load
from clary.services.cloudtrail import lookup
from clary.services.cloudtrail.kept import Kind, segment_path
from clary.services.cloudtrail.lookup import (
    InvalidLookupAttributesException,
    InvalidNextTokenException,
    InvalidTimeRangeException,
    Wanted,
    data_events,
    look_up,
    wanted,
)

ACCOUNT, REGION, START = "123456789012", "us-east-1", 1_700_000_000_000


def record(number: int, **members: Any) -> dict[str, Any]:
    return {
        "eventID": f"id-{number}",
        "eventName": "CreateModel",
        "eventTime": "2023-11-14T22:13:20Z",
        "eventSource": "sagemaker.amazonaws.com",
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "readOnly": False,
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accessKeyId": "AKIAX"},
        "resources": [{"ARN": f"arn:aws:sagemaker:us-east-1:1:model/m{number}", "type": "AWS::SageMaker::Model"}],
        **members,
    }


def write(folder: Path, kind: Kind, segment: int, *records: tuple[int, dict[str, Any]]) -> None:
    lines = [b"%d %s\n" % (moment, json.dumps(each).encode()) for moment, each in records]
    segment_path(folder, kind, segment).write_bytes(b"".join(lines))


def ids(answer: dict[str, Any]) -> list[str]:
    return [event["EventId"] for event in answer["Events"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of changes and one of looks, a second between any two calls."""
    times = [START + 1000 * number for number in range(9)]
    write(tmp_path, "write", times[0], *((times[n], record(n)) for n in (0, 1)))
    write(tmp_path, "write", times[3], *((times[n], record(n)) for n in (3, 5, 7)))
    write(
        tmp_path,
        "read",
        times[2],
        *((times[n], record(n, eventName="ListModels", readOnly=True)) for n in (2, 4, 6, 8)),
    )
    return tmp_path


def all_of(folder: Path, **members: Any) -> list[str]:
    asked = Wanted(ACCOUNT, REGION, START, START + 100_000, **members)
    return ids(look_up(folder, asked, {}))


def test_the_latest_come_first_whatever_file_they_are_in(folder: Path) -> None:
    assert all_of(folder) == [f"id-{number}" for number in range(8, -1, -1)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9, 50])
def test_pages_have_every_record_once(folder: Path, size: int) -> None:
    asked = Wanted(ACCOUNT, REGION, START, START + 100_000)
    found, params = [], {"MaxResults": size}
    while True:
        answer = look_up(folder, asked, params)
        assert len(answer["Events"]) <= size
        found += ids(answer)
        # What is called meanwhile is not on the pages that follow.
        write(folder, "read", START + 200_000, (START + 200_000, record(99)))
        if "NextToken" not in answer:
            break
        params["NextToken"] = answer["NextToken"]
    assert found == [f"id-{number}" for number in range(8, -1, -1)]


def test_a_call_looks_at_so_many_records_and_no_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MOST_LOOKED_AT", 2)
    asked = Wanted(ACCOUNT, REGION, START, START + 100_000, "ResourceName", "m0")
    params: dict[str, Any] = {}
    pages = []
    while True:
        answer = look_up(folder, asked, params)
        pages.append(ids(answer))
        if "NextToken" not in answer:
            break
        params = {"NextToken": answer["NextToken"]}
    assert pages == [[], [], [], [], ["id-0"]]


def test_times_are_seconds_and_both_ends_count(folder: Path) -> None:
    asked = Wanted(ACCOUNT, REGION, START + 3000, START + 6000)
    assert ids(look_up(folder, asked, {})) == ["id-5", "id-4", "id-3"]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("EventId", "id-3", ["id-3"]),
        ("EventName", "ListModels", ["id-8", "id-6", "id-4", "id-2"]),
        ("ReadOnly", "false", ["id-7", "id-5", "id-3", "id-1", "id-0"]),
        ("Username", "ann", [f"id-{number}" for number in range(8, -1, -1)]),
        ("Username", "an", []),
        ("ResourceName", "m5", ["id-5"]),
        ("ResourceName", "arn:aws:sagemaker:us-east-1:1:model/m5", ["id-5"]),
        ("ResourceType", "AWS::SageMaker::Endpoint", []),
        ("EventSource", "iam.amazonaws.com", []),
        ("AccessKeyId", "AKIAX", [f"id-{number}" for number in range(8, -1, -1)]),
    ],
)
def test_attributes(folder: Path, key: str, value: str, found: list[str]) -> None:
    assert all_of(folder, key=key, value=value) == found


def test_each_account_and_region_sees_its_own(folder: Path) -> None:
    others = (
        (START + 9000, record(9, recipientAccountId="210987654321")),
        (START + 9000, record(10, awsRegion="eu-west-1")),
    )
    write(folder, "write", START + 9000, *others)
    assert all_of(folder)[0] == "id-8"
    other = Wanted("210987654321", REGION, START, START + 100_000)
    assert ids(look_up(folder, other, {})) == ["id-9"]


def test_a_line_that_was_cut_off_is_passed_over(folder: Path) -> None:
    with segment_path(folder, "write", START + 3000).open("ab") as file:
        file.write(b'1700000007500 {"eventID":"id-half",\n1700000009000 ' + json.dumps(record(9)).encode() + b"\n1700")
    assert all_of(folder)[:2] == ["id-9", "id-8"]


def test_an_empty_trail_has_no_events(tmp_path: Path) -> None:
    assert all_of(tmp_path / "none") == []


@pytest.mark.parametrize("token", ["", "x", "e30=", "W10=", "WyIiLDEse31d", "WzEsMiwzLDRd", "é"])
def test_tokens_of_others_are_refused(folder: Path, token: str) -> None:
    with pytest.raises(InvalidNextTokenException):
        look_up(folder, Wanted(ACCOUNT, REGION, START, START + 100_000), {"NextToken": token})


def test_a_token_is_for_the_same_question(folder: Path) -> None:
    token = look_up(folder, Wanted(ACCOUNT, REGION, START, START + 100_000), {"MaxResults": 1})["NextToken"]
    for other in (
        Wanted("210987654321", REGION, START, START + 100_000),
        Wanted(ACCOUNT, REGION, START, START, "EventName", "a"),
    ):
        with pytest.raises(InvalidNextTokenException):
            look_up(folder, other, {"NextToken": token})


def test_wrong_questions_are_refused(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={})
    two = [{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2
    with pytest.raises(InvalidLookupAttributesException):
        wanted(settings, ACCOUNT, REGION, 1.0, {"LookupAttributes": two})
    for members in (
        {"MaxResults": 0},
        {"MaxResults": "x"},
        {"LookupAttributes": [{"AttributeKey": "x"}]},
        {"StartTime": []},
    ):
        with pytest.raises(ServiceError) as refused:
            data_events(settings, ACCOUNT, REGION, 1.0, members)
        assert refused.value.status == 400
    with pytest.raises(InvalidTimeRangeException):
        data_events(settings, ACCOUNT, REGION, 1.0, {"StartTime": 20, "EndTime": 10})
