"""Composite alarms: their rules, and when they are judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from clockwork import Clockwork, refused

from clary.services.cloudwatch.alarms.rule import read_rule
from clary.services.cloudwatch.errors import ValidationError

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "d e": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("TRUE", True),
        ("FALSE", False),
        ("NOT FALSE", True),
        ("ALARM(a)", True),
        ('ALARM("a")', True),
        ("OK(a)", False),
        ("INSUFFICIENT_DATA(c)", True),
        ("ALARM(d e)", True),
        ('ALARM( "d e" )', True),
        ("ALARM(none) OR OK(none) OR INSUFFICIENT_DATA(none)", False),
        ("ALARM(a) AND OK(b)", True),
        ("ALARM(a) AND OK(c)", False),
        ("OK(a) OR OK(b)", True),
        ("NOT ALARM(a) OR OK(b)", True),
        ("NOT (ALARM(a) OR OK(b))", False),
        ("TRUE OR FALSE AND FALSE", True),
        ("(TRUE OR FALSE) AND FALSE", False),
        ("NOT NOT ALARM(a)", True),
        ("((ALARM(a)))", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
        ("AT_LEAST(2, ALARM, (a, b, d e))", True),
        ("AT_LEAST(3, ALARM, (a, b, d e))", False),
        ("AT_LEAST(50%, ALARM, (a, b, c))", False),
        ("AT_LEAST(30%, ALARM, (a, b, c))", True),
        ("AT_LEAST(2, NOT ALARM, (a, b, c)) AND TRUE", True),
    ],
)
def test_rules(rule: str, holds: bool) -> None:
    assert read_rule(rule).holds(STATES) is holds


@pytest.mark.parametrize(
    "rule",
    [
        " ALARM(a)", "ALARM(a) ", "ALARM(a) AND", "ALARM", "ALARM()", "ALARM(a", "alarm(a)", "ALARM(a) ALARM(b)",
        "(TRUE",
        "TRUE)", "AND", "BAD(a)", 'ALARM("a)', "AT_LEAST(4, ALARM, (a, b))", "AT_LEAST(0, ALARM, (a))",
        "AT_LEAST(1, BAD, (a))", "NOT",
    ],
)  # fmt: skip
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ValidationError):
        read_rule(rule)


def test_how_large_a_rule_may_be() -> None:
    assert len(read_rule(" OR ".join(f"OK(a{number})" for number in range(100))).alarms) == 100
    with pytest.raises(ValidationError, match="more than 100"):
        read_rule(" OR ".join(f"OK(a{number})" for number in range(101)))
    with pytest.raises(ValidationError, match="more than 500"):
        read_rule(" OR ".join(["TRUE"] * 501))


def put(clockwork: Clockwork, rule: str, name: str = "whole", **members: Any) -> None:
    clockwork.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule, **members)


@pytest.fixture
def children(clockwork: Clockwork) -> Clockwork:
    """Two alarms whose state stays as it is set: they ignore that there is nothing to look at."""
    for name in ("a", "b"):
        clockwork.alarm(name, TreatMissingData="ignore")
        clockwork.force("OK", name)
    return clockwork


def test_a_composite_alarm_follows_its_children(children: Clockwork) -> None:
    put(children, "ALARM(a) AND ALARM(b)", AlarmDescription="both")
    assert children.state("whole") == "INSUFFICIENT_DATA"
    children.look()
    shown = children.shown("whole")
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
    assert (shown["StateValue"], shown["StateReason"]) == (
        "OK", f"{arn}whole was created and its alarm rule evaluates to OK",
    )  # fmt: skip
    assert [each["arn"] for each in orjson.loads(shown["StateReasonData"])["triggeringAlarms"]] == [
        f"{arn}a",
        f"{arn}b",
    ]
    children.force("ALARM", "a")
    children.later(1)
    assert children.state("whole") == "OK"
    children.force("ALARM", "b")
    at = datetime.fromtimestamp(children.now, UTC)
    children.later(1)
    shown = children.shown("whole")
    assert (shown["StateValue"], shown["AlarmRule"]) == ("ALARM", "ALARM(a) AND ALARM(b)")
    assert shown["StateReason"] == f"{arn}b transitioned to ALARM at {at:%A %d %B, %Y %H:%M:%S} UTC"
    [child] = orjson.loads(shown["StateReasonData"])["triggeringAlarms"]
    assert (child["arn"], child["state"]["value"]) == (f"{arn}b", "ALARM")
    children.force("OK", "a")
    children.later(1)
    assert children.state("whole") == "OK"
    assert children.history("whole", AlarmTypes=["CompositeAlarm"]) == [
        'Alarm "whole" created', "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ]  # fmt: skip


def test_another_rule_is_judged_anew(children: Clockwork) -> None:
    put(children, "ALARM(a)")
    children.look()
    put(children, "OK(a)")
    children.look()
    shown = children.shown("whole")
    assert shown["StateValue"] == "ALARM"
    assert shown["StateReason"].endswith(":alarm:whole was updated and its alarm rule evaluates to ALARM")


def test_a_state_set_by_hand_stays_until_a_child_changes(children: Clockwork) -> None:
    put(children, "ALARM(a) OR ALARM(b)")
    children.look()
    children.force("ALARM", "whole")
    children.later(60)
    assert children.state("whole") == "ALARM"
    children.installation.now += 1
    children.force("INSUFFICIENT_DATA", "b")
    children.look()
    assert children.state("whole") == "OK"


def test_composites_of_composites_and_circles(children: Clockwork) -> None:
    put(children, "ALARM(a)", "inner")
    put(children, "NOT ALARM(inner)", "outer")
    children.look()
    assert (children.state("inner"), children.state("outer")) == ("OK", "ALARM")
    children.force("ALARM", "a")
    children.later(1)
    children.later(1)
    assert (children.state("inner"), children.state("outer")) == ("ALARM", "OK")
    put(children, "ALARM(a) AND ALARM(outer)", "inner")
    for _ in range(3):
        children.later(1)
    assert (children.state("inner"), children.state("outer")) == ("ALARM", "OK")
    # Neither can go; the one that closes the circle can be put without it.
    refused("ValidationError", children.cloudwatch.delete_alarms, AlarmNames=["inner"])
    put(children, "ALARM(a)", "inner")
    children.cloudwatch.delete_alarms(AlarmNames=["outer"])
    children.cloudwatch.delete_alarms(AlarmNames=["inner"])


def test_relatives(children: Clockwork) -> None:
    put(children, "ALARM(b) OR ALARM(a)", "whole")
    put(children, "ALARM(whole)", "above")
    client = children.cloudwatch
    below = client.describe_alarms(ChildrenOfAlarmName="whole")
    assert [alarm["AlarmName"] for alarm in below["MetricAlarms"]] == ["a", "b"]
    assert set(below["MetricAlarms"][0]) == {"AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"}
    assert [alarm["AlarmName"] for alarm in client.describe_alarms(ParentsOfAlarmName="a")["CompositeAlarms"]] == [
        "whole"
    ]
    first = client.describe_alarms(ChildrenOfAlarmName="whole", MaxRecords=1)
    rest = client.describe_alarms(ChildrenOfAlarmName="whole", NextToken=first["NextToken"])
    assert [alarm["AlarmName"] for alarm in rest["MetricAlarms"]] == ["b"]
    refused("ValidationError", client.describe_alarms, ChildrenOfAlarmName="whole", StateValue="OK")
    refused("ResourceNotFound", client.describe_alarms, ChildrenOfAlarmName="none")
    assert client.describe_alarms()["CompositeAlarms"] == []
    every = client.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    assert [len(every[kind]) for kind in ("MetricAlarms", "CompositeAlarms")] == [2, 2]


def test_what_is_refused(children: Clockwork) -> None:
    client = children.cloudwatch

    def wrong(code: str, **members: Any) -> str:
        return refused(code, client.put_composite_alarm, **{"AlarmName": "whole", "AlarmRule": "OK(a)", **members})

    assert wrong("ValidationError", AlarmRule="OK(a) OR OK(x) OR OK(y)") == (
        "Could not save the composite alarm as alarms [x, y] in the alarm rule do not exist"
    )
    assert wrong("ValidationError", AlarmRule=" OK(a)") == (
        "AlarmRule must not contain leading or trailing whitespace or be null"
    )
    wrong("ValidationError", AlarmRule="OK(a) AND")
    wrong("InvalidParameterCombination", ActionsSuppressor="a")
    wrong("ValidationError", ActionsSuppressor="x", ActionsSuppressorWaitPeriod=1, ActionsSuppressorExtensionPeriod=1)
    wrong("ValidationError", AlarmName="a")
    put(children, "OK(a)")
    refused("ValidationError", children.alarm, name="whole")
    assert refused("ValidationError", client.delete_alarms, AlarmNames=["a"]) == (
        "Cannot delete a as there are composite alarm(s) depending on it."
    )
    client.delete_alarms(AlarmNames=["a", "whole"])
