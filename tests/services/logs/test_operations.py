from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.logs.api import group_key, register_stream, stream_key
from clary.services.logs.retention import remove_old

ACCOUNT = "123456789012"
GROUP = "/aws/sagemaker/TrainingJobs"


def refused(call: Any, code: str, message: str | None = None, **params: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message


@pytest.fixture
def job(installation: Any, tmp_path: Path) -> Path:
    """The log of a job with 25 lines, one a millisecond from 1000 on."""
    path = tmp_path / "log"
    path.write_text("".join(f"{1000 + number} line {number}\n" for number in range(25)))
    register_stream(installation.platform, ACCOUNT, "us-east-1", GROUP, "job-1/algo-1-1", path)
    return path


def read(logs: Any, **params: Any) -> tuple[list[int], Any]:
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName="job-1/algo-1-1", **params)
    return [int(event["message"].split()[1]) for event in answer["events"]], answer


def test_job_streams(installation: Any, logs: Any, job: Path) -> None:
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="job-1/")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["job-1/algo-1-1"]
    assert streams[0]["firstEventTimestamp"] == 1000 and streams[0]["lastEventTimestamp"] == 1024
    assert streams[0]["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:log-stream:job-1/algo-1-1"
    assert streams[0]["storedBytes"] == 0 and "uploadSequenceToken" in streams[0]
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/sage")["logGroups"]
    assert groups[0]["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:*"
    assert groups[0]["storedBytes"] == job.stat().st_size
    # Again, and with another path, it is the same stream.
    other = job.with_name("other")
    with installation.database.write() as transaction:
        register_stream(transaction, ACCOUNT, "us-east-1", GROUP, "job-1/algo-1-1", other)
    assert read(logs, startFromHead=True)[0] == []
    assert installation.client("logs", region="eu-west-1").describe_log_groups()["logGroups"] == []


def test_reading_forward(logs: Any, job: Path) -> None:
    found, answer = read(logs, startFromHead=True, limit=10)
    assert found == list(range(10))
    assert answer["events"][0] == {"timestamp": 1000, "message": "line 0", "ingestionTime": 1000}
    seen = list(found)
    token = answer["nextForwardToken"]
    while True:
        found, answer = read(logs, startFromHead=True, limit=10, nextToken=token)
        seen += found
        if answer["nextForwardToken"] == token:
            break
        token = answer["nextForwardToken"]
    assert seen == list(range(25)) and found == []
    # What comes later is found with the token of the end; a line that is not complete is not there yet.
    with job.open("a") as target:
        target.write("1025 line 25\n1026 li")
    found, answer = read(logs, nextToken=token)
    assert found == [25]
    with job.open("a") as target:
        target.write("ne 26\n")
    assert read(logs, nextToken=answer["nextForwardToken"])[0] == [26]


def test_reading_backward(logs: Any, job: Path) -> None:
    found, answer = read(logs, limit=10)
    assert found == list(range(15, 25))
    assert read(logs, nextToken=answer["nextForwardToken"])[0] == []
    found, answer = read(logs, limit=10, nextToken=answer["nextBackwardToken"])
    assert found == list(range(5, 15))
    forward = answer["nextForwardToken"]
    found, answer = read(logs, limit=10, nextToken=answer["nextBackwardToken"])
    assert found == list(range(5))
    found, last = read(logs, limit=10, nextToken=answer["nextBackwardToken"])
    assert found == [] and last["nextBackwardToken"] == answer["nextBackwardToken"]
    assert read(logs, limit=10, nextToken=forward)[0] == list(range(15, 25))


def test_times(logs: Any, job: Path) -> None:
    assert read(logs, startTime=1005, endTime=1010)[0] == [5, 6, 7, 8, 9]
    found, answer = read(logs, startTime=1005, endTime=1010, startFromHead=True, limit=2)
    assert found == [5, 6]
    found, _ = read(logs, startTime=1005, endTime=1010, nextToken=answer["nextForwardToken"])
    assert found == [7, 8, 9]


def test_a_page_has_a_megabyte_at_most(logs: Any, job: Path) -> None:
    job.write_text("".join(f"1000 {number:03d}{'x' * 100_000}\n" for number in range(25)))
    total, token = 0, None
    for _ in range(10):
        more = {"nextToken": token} if token else {}
        answer = logs.get_log_events(logGroupName=GROUP, logStreamName="job-1/algo-1-1", startFromHead=True, **more)
        assert sum(len(event["message"]) for event in answer["events"]) <= 1024 * 1024
        total += len(answer["events"])
        token = answer["nextForwardToken"]
    assert total == 25


def test_what_is_not_there(logs: Any, job: Path) -> None:
    missing = {"logGroupName": "none", "logStreamName": "s"}
    group = "The specified log group does not exist."
    refused(logs.get_log_events, "ResourceNotFoundException", group, **missing)
    refused(logs.describe_log_streams, "ResourceNotFoundException", group, logGroupName="none")
    refused(logs.filter_log_events, "ResourceNotFoundException", group, logGroupName="none")
    refused(logs.create_log_stream, "ResourceNotFoundException", group, **missing)
    stream = "The specified log stream does not exist."
    refused(logs.get_log_events, "ResourceNotFoundException", stream, logGroupName=GROUP, logStreamName="s")
    refused(read, "InvalidParameterException", "The specified nextToken is invalid.", logs=logs, nextToken="x/1")
    refused(logs.get_log_events, "InvalidParameterException", logStreamName="s")


def test_groups(logs: Any) -> None:
    logs.create_log_group(logGroupName="g", tags={"a": "1"})
    refused(
        logs.create_log_group,
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
        logGroupName="g",
    )
    arn = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    logs.untag_log_group(logGroupName="g", tags=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"b": "2"}
    logs.put_retention_policy(logGroupName="g", retentionInDays=7)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7
    refused(logs.put_retention_policy, "InvalidParameterException", logGroupName="g", retentionInDays=8)
    logs.delete_retention_policy(logGroupName="g")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    logs.delete_log_group(logGroupName="g")
    assert logs.describe_log_groups()["logGroups"] == []
    for number in range(5):
        logs.create_log_group(logGroupName=f"group-{number}")
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["logGroups"]) for page in pages] == [2, 2, 1]
    assert [
        group["logGroupName"] for group in logs.list_log_groups(logGroupNamePattern="^group-3|p-4")["logGroups"]
    ] == [
        "group-3",
        "group-4",
    ]


@pytest.fixture
def now(installation: Any) -> int:
    return int(installation.now * 1000)


def put(logs: Any, stream: str, *events: tuple[int, str]) -> Any:
    batch = [{"timestamp": time, "message": message} for time, message in events]
    return logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=batch)


def messages(logs: Any, stream: str, **params: Any) -> list[str]:
    answer = logs.get_log_events(logGroupName="g", logStreamName=stream, startFromHead=True, **params)
    return [event["message"] for event in answer["events"]]


def test_putting_events(installation: Any, logs: Any, now: int) -> None:
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="../s")
    refused(logs.create_log_stream, "ResourceAlreadyExistsException", logGroupName="g", logStreamName="../s")
    assert put(logs, "../s", (now - 5, "a"), (now - 3, "two\nlines"))["nextSequenceToken"]
    put(logs, "../s", (now - 1, "d"))
    put(logs, "../s", (now - 4, "b"), (now - 2, "c é"))
    assert messages(logs, "../s") == ["a", "b", "two\nlines", "c é", "d"]
    folder = installation.settings.home / "logs"
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    rejected = put(logs, "../s", (now - 15 * 86_400_000, "old"))["rejectedLogEventsInfo"]
    assert rejected == {"tooOldLogEventEndIndex": 1}
    rejected = put(logs, "../s", (now, "e"), (now + 3 * 3_600_000, "new"))["rejectedLogEventsInfo"]
    assert rejected == {"tooNewLogEventStartIndex": 1}
    with pytest.raises(ClientError, match="chronological order"):
        put(logs, "../s", (now, "e"), (now - 1, "f"))
    assert messages(logs, "../s") == ["a", "b", "two\nlines", "c é", "d", "e"]
    logs.delete_log_stream(logGroupName="g", logStreamName="../s")
    assert list(folder.iterdir()) == []


def test_a_write_that_was_cut_off(installation: Any, logs: Any, now: int) -> None:
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    put(logs, "s", (now, "a"))
    (file,) = (installation.settings.home / "logs").glob("*.log")
    with file.open("a") as target:
        target.write(f"{now} half")
    put(logs, "s", (now, "b"))
    assert messages(logs, "s") == ["a", "b"]


def test_streams_by_time(logs: Any, now: int) -> None:
    logs.create_log_group(logGroupName="g")
    for index, name in enumerate(("b", "c", "a")):
        logs.create_log_stream(logGroupName="g", logStreamName=name)
        put(logs, name, (now + index, "x"))

    def names(**params: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName="g", PaginationConfig={"PageSize": 2}, **params
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert names() == ["a", "b", "c"]
    assert names(descending=True) == ["c", "b", "a"]
    assert names(orderBy="LastEventTime") == ["b", "c", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "c", "b"]
    with pytest.raises(ClientError, match="Cannot order by LastEventTime with a logStreamNamePrefix"):
        names(orderBy="LastEventTime", logStreamNamePrefix="a")


def test_filtering(logs: Any, now: int) -> None:
    logs.create_log_group(logGroupName="g")
    for index, name in enumerate(("x/1", "x/2", "y")):
        logs.create_log_stream(logGroupName="g", logStreamName=name)
        put(
            logs,
            name,
            *[(now + 3 * number + index, f"{name} {'ERROR' if number % 2 else 'ok'}") for number in range(4)],
        )

    def find(**params: Any) -> list[tuple[int, str]]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="g", PaginationConfig={"PageSize": 3}, **params
        )
        events = [event for page in pages for event in page["events"]]
        assert len({event["eventId"] for event in events}) == len(events)
        assert all(len(event["eventId"]) == 56 for event in events)
        return [(event["timestamp"] - now, event["logStreamName"]) for event in events]

    assert find() == [(number, ("x/1", "x/2", "y")[number % 3]) for number in range(12)]
    assert find(filterPattern="ERROR") == [
        (3, "x/1"),
        (4, "x/2"),
        (5, "y"),
        (9, "x/1"),
        (10, "x/2"),
        (11, "y"),
    ]
    assert find(logStreamNamePrefix="x/", filterPattern="ok") == [(0, "x/1"), (1, "x/2"), (6, "x/1"), (7, "x/2")]
    assert find(logStreamNames=["y"], startTime=now + 3, endTime=now + 11) == [(5, "y"), (8, "y")]
    refused(logs.filter_log_events, "ResourceNotFoundException", logGroupName="g", logStreamNames=["z"])


def test_retention_hides_old_events(installation: Any, logs: Any, now: int) -> None:
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    put(logs, "s", (now - 2 * 86_400_000, "old"))
    put(logs, "s", (now, "new"))
    assert messages(logs, "s") == ["old", "new"]
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    assert messages(logs, "s") == ["new"]
    rejected = put(logs, "s", (now - 2 * 86_400_000, "old"))["rejectedLogEventsInfo"]
    assert rejected == {"expiredLogEventEndIndex": 1}


class Look:
    """A look at a group, as the scheduler takes it."""

    def __init__(self, installation: Any, group: str) -> None:
        self.platform = installation.platform
        with self.platform.database.read() as transaction:
            self.record = transaction.get(group_key(ACCOUNT, "us-east-1", group))


def file_behind(installation: Any, stream: str, group: str = "g") -> Path:
    with installation.database.read() as transaction:
        return Path(transaction.get(stream_key(ACCOUNT, "us-east-1", group, stream)).document["Path"])


def test_retention_removes_old_events_and_a_follower_goes_on(installation: Any, logs: Any, now: int) -> None:
    logs.create_log_group(logGroupName="g")
    for stream in ("s", "empty"):
        logs.create_log_stream(logGroupName="g", logStreamName=stream)
    put(logs, "s", (now, "old one"))
    put(logs, "s", (now + 3_600_000, "new one"))
    read = logs.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True)
    [_, kept] = logs.filter_log_events(logGroupName="g")["events"]
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    installation.now += 86_400 + 60
    look = Look(installation, "g")
    assert look.record.wake_at is not None and remove_old(look) is None  # type: ignore[arg-type]
    assert b"old one" not in file_behind(installation, "s").read_bytes()
    assert messages(logs, "s") == ["new one"]
    # Places that were given before are still the same.
    assert logs.filter_log_events(logGroupName="g")["events"] == [kept]
    put(logs, "s", (int(installation.now * 1000), "newest"))
    following = logs.get_log_events(logGroupName="g", logStreamName="s", nextToken=read["nextForwardToken"])
    assert [event["message"] for event in following["events"]] == ["newest"]
    back = logs.get_log_events(logGroupName="g", logStreamName="s", nextToken=following["nextBackwardToken"])
    assert [event["message"] for event in back["events"]] == ["new one"]

    assert look.record.wake_at == installation.now + 6 * 3_600
    installation.now += 30 * 86_400
    remove_old(Look(installation, "g"))  # type: ignore[arg-type]
    assert file_behind(installation, "s").read_bytes() == b""
    assert "firstEventTimestamp" not in logs.describe_log_streams(logGroupName="g")["logStreams"][1]
    logs.delete_retention_policy(logGroupName="g")
    remove_old(look := Look(installation, "g"))  # type: ignore[arg-type]
    assert look.record.wake_at is None


def test_the_log_of_a_job_is_emptied_once_all_of_it_is_too_old(installation: Any, logs: Any, tmp_path: Path) -> None:
    path, began = tmp_path / "algo-1.log", int(installation.now * 1000)
    path.write_text(f"{began} first\n{began + 1} second\n")
    register_stream(installation.platform, ACCOUNT, "us-east-1", "/jobs", "j/algo-1", path)
    logs.put_retention_policy(logGroupName="/jobs", retentionInDays=1)
    for hours, expected in ((23, 2), (25, 0)):
        installation.now = began / 1000 + hours * 3_600
        os.utime(path, (began / 1000, began / 1000))
        remove_old(Look(installation, "/jobs"))  # type: ignore[arg-type]
        assert len(path.read_text().splitlines()) == expected
    # An agent that is still there goes on behind what is gone.
    with path.open("a") as file:
        file.write(f"{int(installation.now * 1000)} third\n")
    [event] = logs.get_log_events(logGroupName="/jobs", logStreamName="j/algo-1", startFromHead=True)["events"]
    assert event["message"] == "third"


def test_permission_of_one_stream(installation: Any, logs: Any, iam: Any, job: Path) -> None:
    iam.create_user(UserName="ann")
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:log-stream:job-1/*"
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": arn}}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    own = installation.client("logs", installation.identities.resolve(key).principal)
    assert read(own, limit=1)[0] == [24]
    refused(own.get_log_events, "AccessDeniedException", logGroupName=GROUP, logStreamName="job-2")
    refused(own.describe_log_streams, "AccessDeniedException", logGroupName=GROUP)
