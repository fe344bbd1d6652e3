"""EventBridge by plain boto3: buses, rules, targets, and which events a pattern is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.events.patterns import InvalidEventPatternException, fits, parsed
from clary.testing.server import Server

PATTERN = json.dumps({"source": ["aws.sagemaker"]})


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_rules_and_targets(clary_aws: Server) -> None:
    events = clary_aws.client("events")
    arn = events.put_rule(Name="jobs", EventPattern=PATTERN, Description="d", Tags=[{"Key": "a", "Value": "b"}])[
        "RuleArn"
    ]
    assert arn == "arn:aws:events:us-east-1:123456789012:rule/jobs"
    shown = events.describe_rule(Name="jobs")
    assert (shown["State"], shown["EventPattern"], shown["EventBusName"]) == ("ENABLED", PATTERN, "default")
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    target = {"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:queue"}
    assert events.put_targets(Rule="jobs", Targets=[target])["FailedEntryCount"] == 0
    events.disable_rule(Name="jobs")
    events.put_rule(Name="jobs", ScheduleExpression="rate(5 minutes)")
    shown = events.describe_rule(Name="jobs")
    assert ("EventPattern" in shown, "Description" in shown, shown["State"]) == (False, False, "ENABLED")
    assert events.list_targets_by_rule(Rule="jobs")["Targets"] == [target]
    assert events.list_rule_names_by_target(TargetArn=target["Arn"])["RuleNames"] == ["jobs"]
    events.put_rule(Name="nights", ScheduleExpression="cron(0 3 * * ? *)")
    assert [rule["Name"] for rule in events.list_rules()["Rules"]] == ["jobs", "nights"]
    assert [rule["Name"] for rule in events.list_rules(NamePrefix="n")["Rules"]] == ["nights"]

    assert refused(events.delete_rule, Name="jobs") == "ValidationException"
    failed = events.remove_targets(Rule="jobs", Ids=["1", "2"])["FailedEntries"]
    assert [each["TargetId"] for each in failed] == ["2"]
    events.delete_rule(Name="jobs")
    assert refused(events.describe_rule, Name="jobs") == "ResourceNotFoundException"
    for wrong in ({}, {"EventPattern": "{"}, {"EventPattern": '{"a": "b"}'}, {"ScheduleExpression": "often"}):
        code = refused(events.put_rule, Name="w", **wrong)
        assert code in ("ValidationException", "InvalidEventPatternException")


def test_buses(clary_aws: Server) -> None:
    events = clary_aws.client("events")
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
    assert refused(events.create_event_bus, Name="default") == "ResourceAlreadyExistsException"
    events.create_event_bus(Name="ours")
    arn = events.put_rule(Name="r", EventPattern=PATTERN, EventBusName="ours")["RuleArn"]
    assert arn == "arn:aws:events:us-east-1:123456789012:rule/ours/r"
    assert events.list_rules()["Rules"] == []
    assert [rule["Name"] for rule in events.list_rules(EventBusName="ours")["Rules"]] == ["r"]
    assert events.describe_event_bus(Name="ours")["Arn"].endswith("event-bus/ours")
    assert events.describe_event_bus()["Name"] == "default"
    assert refused(events.put_rule, Name="r", EventPattern=PATTERN, EventBusName="none") == "ResourceNotFoundException"
    scheduled = {"Name": "s", "ScheduleExpression": "rate(1 hour)", "EventBusName": "ours"}
    assert refused(events.put_rule, **scheduled) == "ValidationException"
    assert refused(events.delete_event_bus, Name="ours") == "ValidationException"
    events.delete_rule(Name="r", EventBusName="ours")
    events.delete_event_bus(Name="ours")
    answer = events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "ours"}])
    assert answer["Entries"][0]["ErrorCode"] == "InvalidArgument"


EVENT = {
    "id": "1",
    "detail-type": "SageMaker Training Job State Change",
    "source": "aws.sagemaker",
    "account": "123456789012",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:a", "arn:b"],
    "detail": {"TrainingJobStatus": "Failed", "seconds": 12.5, "ip": "10.0.1.7", "tags": {"team": "A"}, "empty": None},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.sagemaker"]}, True),
        ({"source": ["aws.s3", "aws.sagemaker"], "resources": ["arn:b"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"detail": {"TrainingJobStatus": [{"prefix": "Fail"}]}}, True),
        ({"detail": {"TrainingJobStatus": [{"suffix": "ED"}]}}, False),
        ({"detail": {"TrainingJobStatus": [{"prefix": {"equals-ignore-case": "fAIL"}}]}}, True),
        ({"detail": {"TrainingJobStatus": [{"equals-ignore-case": "failed"}]}}, True),
        ({"detail": {"TrainingJobStatus": [{"anything-but": ["Completed", "Stopped"]}]}}, True),
        ({"detail": {"TrainingJobStatus": [{"anything-but": {"prefix": "Fa"}}]}}, False),
        ({"detail": {"TrainingJobStatus": [{"wildcard": "F*d"}]}}, True),
        ({"detail": {"seconds": [{"numeric": [">", 10, "<=", 12.5]}]}}, True),
        ({"detail": {"seconds": [{"numeric": ["=", 12]}]}}, False),
        ({"detail": {"seconds": [12.5]}}, True),
        ({"detail": {"ip": [{"cidr": "10.0.0.0/16"}]}}, True),
        ({"detail": {"ip": [{"cidr": "10.1.0.0/16"}]}}, False),
        ({"detail": {"missing": [{"exists": False}]}}, True),
        ({"detail": {"ip": [{"exists": False}]}}, False),
        ({"detail": {"tags": {"team": ["A"]}}}, True),
        ({"detail": {"tags": {"none": {"deeper": [{"exists": False}]}}}}, True),
        ({"detail": {"empty": [None]}}, True),
        ({"$or": [{"source": ["x"]}, {"region": ["us-east-1"]}]}, True),
        ({"$or": [{"source": ["x"]}, {"region": ["eu"]}]}, False),
    ],
)
def test_patterns(clary_aws: Server, pattern: Any, expected: bool) -> None:
    assert fits(parsed(json.dumps(pattern)), EVENT) is expected
    answer = clary_aws.client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))
    assert answer["Result"] is expected


WRONG = (
    *("", "[]", "{}", '{"a": "b"}', '{"a": []}', '{"a": [[1]]}', '{"a": [{"near": 1}]}', '{"a": [{"prefix": 1}]}'),
    *('{"a": [{"numeric": [">"]}]}', '{"a": [{"cidr": "x"}]}', '{"a": [{"exists": 1}]}'),
    '{"a":' * 200 + "1" + "}" * 200,
)


@pytest.mark.parametrize("pattern", WRONG)
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(InvalidEventPatternException):
        parsed(pattern)
