"""Whom an alarm tells: subscribers of its topics, and rules of EventBridge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
import pytest
from clockwork import Clockwork

from clary.services.events.service import app as events_app
from clary.services.sns.service import SERVICE as SNS
from clary.services.sqs.service import SERVICE as SQS

TO_QUEUE = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    },
}


class People:
    """A topic, the queue that subscribes to it, and what has arrived there."""

    def __init__(self, clockwork: Clockwork) -> None:
        self.sns, self.sqs = clockwork.client(SNS), clockwork.client(SQS)
        self.topic = self.sns.create_topic(Name="people")["TopicArn"]
        self.url = self.sqs.create_queue(QueueName="inbox", Attributes={"Policy": orjson.dumps(TO_QUEUE).decode()})[
            "QueueUrl"
        ]
        self.queue = "arn:aws:sqs:us-east-1:123456789012:inbox"
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue)

    def heard(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        return [orjson.loads(each["Body"]) for each in found]


@pytest.fixture
def people(clockwork: Clockwork) -> People:
    return People(clockwork)


def test_a_topic_of_the_same_account_is_told(clockwork: Clockwork, people: People) -> None:
    """Its default policy is enough, as on AWS."""
    clockwork.alarm(AlarmActions=[people.topic], AlarmDescription="Look at it")
    clockwork.force("ALARM")
    [notice] = people.heard()
    assert (notice["TopicArn"], notice["Subject"]) == (people.topic, 'ALARM: "a" in US East (N. Virginia)')
    told = orjson.loads(notice["Message"])
    assert told["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
    assert (told["AlarmName"], told["AlarmDescription"], told["AWSAccountId"]) == ("a", "Look at it", "123456789012")
    assert (told["OldStateValue"], told["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert told["NewStateReason"] == "by hand" and told["AlarmActions"] == [people.topic] and told["OKActions"] == []
    assert datetime.fromisoformat(told["StateChangeTime"]).timestamp() == pytest.approx(clockwork.now, abs=0.002)
    shown = clockwork.shown()
    trigger = told["Trigger"]
    assert (trigger["MetricName"], trigger["Namespace"]) == (shown["MetricName"], shown["Namespace"])
    assert trigger["StatisticType"] == "Statistic" and trigger["Statistic"] == shown["Statistic"].upper()
    assert (trigger["Period"], trigger["EvaluationPeriods"], trigger["Threshold"]) == (
        shown["Period"],
        shown["EvaluationPeriods"],
        shown["Threshold"],
    )
    assert clockwork.history(HistoryItemType="Action") == [f"Successfully executed action {people.topic}"]


def test_what_crosses_the_threshold_tells_as_well(clockwork: Clockwork, people: People) -> None:
    clockwork.alarm(AlarmActions=[people.topic], OKActions=[people.topic])
    clockwork.put([7.0])
    clockwork.look()
    assert clockwork.state() == "ALARM"
    clockwork.installation.now += 60
    clockwork.put([1.0])
    clockwork.look()
    assert clockwork.state() == "OK"
    told = [orjson.loads(notice["Message"]) for notice in people.heard()]
    assert sorted(each["NewStateValue"] for each in told) == ["ALARM", "OK"]
    assert all("Threshold Crossed" in each["NewStateReason"] for each in told)


def test_a_topic_that_does_not_take_it_is_in_the_history(clockwork: Clockwork, people: People) -> None:
    nobody = "arn:aws:sns:us-east-1:123456789012:nobody"
    closed = people.sns.create_topic(
        Name="closed",
        Attributes={
            "Policy": orjson.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "s3.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": "*",
                    },
                }
            ).decode()
        },
    )["TopicArn"]
    clockwork.alarm(AlarmActions=[nobody, closed])
    clockwork.force("ALARM")
    history = clockwork.history(HistoryItemType="Action")
    assert any(line == f'Failed to execute action {nobody}. Received error: "Topic does not exist"' for line in history)
    assert any(line.startswith(f"Failed to execute action {closed}.") and "not authorized" in line for line in history)
    assert people.heard() == []


def test_disabled_actions_tell_nobody(clockwork: Clockwork, people: People) -> None:
    clockwork.alarm(AlarmActions=[people.topic], ActionsEnabled=False)
    clockwork.force("ALARM")
    assert people.heard() == []


def test_eventbridge_hears_of_every_change(clockwork: Clockwork, people: People) -> None:
    events = clockwork.client(events_app())
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    events.put_rule(Name="alarms", EventPattern=orjson.dumps(pattern).decode())
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": people.queue}])
    clockwork.alarm(ActionsEnabled=False, AlarmDescription="Look at it")
    clockwork.force("ALARM")
    clockwork.force("ALARM")
    [event] = people.heard()
    assert event["resources"] == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"]
    detail = event["detail"]
    assert detail["alarmName"] == "a" and detail["configuration"]["description"] == "Look at it"
    assert (detail["previousState"]["value"], detail["state"]["value"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert detail["state"]["reason"] == "by hand"
    [metric] = detail["configuration"]["metrics"]
    shown = clockwork.shown()
    assert metric["returnData"] is True and metric["metricStat"]["period"] == shown["Period"]
    assert metric["metricStat"]["metric"]["name"] == shown["MetricName"]


def test_composite_alarms_tell_their_rule(clockwork: Clockwork, people: People) -> None:
    clockwork.alarm()
    clockwork.cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a)", AlarmActions=[people.topic])
    clockwork.force("ALARM", "both")
    told = [orjson.loads(notice["Message"]) for notice in people.heard()]
    assert told[-1]["AlarmRule"] == "ALARM(a)" and "Trigger" not in told[-1]
