"""Alarms by plain boto3: judged by what is stored, with a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from clockwork import Clockwork, refused


def test_every_change_of_state(clockwork: Clockwork) -> None:
    clockwork.alarm(AlarmDescription="too much", Tags=[{"Key": "team", "Value": "ml"}])
    new = clockwork.shown()
    assert (new["StateValue"], new["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert new["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
    assert (new["ActionsEnabled"], new["OKActions"], new["Dimensions"]) == (True, [], [])
    assert "TreatMissingData" not in new and "DatapointsToAlarm" not in new
    clockwork.look()
    assert clockwork.state() == "INSUFFICIENT_DATA"
    clockwork.put([1.0])
    clockwork.look()
    assert clockwork.state() == "OK"
    for value, state in ((9.0, "ALARM"), (1.0, "OK"), (9.0, "ALARM")):
        clockwork.later(60)
        clockwork.put([value])
        clockwork.look()
        assert clockwork.state() == state
    shown = clockwork.shown()
    at = datetime.fromtimestamp(clockwork.minute + 120, UTC)
    assert shown["StateReason"] == (
        f"Threshold Crossed: 1 datapoint [9.0 ({at:%d/%m/%y %H:%M:%S})] was greater than the threshold (5.0)."
    )
    data = orjson.loads(shown["StateReasonData"])
    assert (data["recentDatapoints"], data["statistic"], data["period"]) == ([9.0], "Average", 60)
    assert shown["StateTransitionedTimestamp"].timestamp() == clockwork.now
    # The newest point stays in the range of what is looked at for two minutes more.
    clockwork.later(120)
    assert clockwork.state() == "ALARM"
    clockwork.later(60)
    assert clockwork.state() == "INSUFFICIENT_DATA"
    assert clockwork.shown()["StateReason"] == "Insufficient Data: 1 datapoint was unknown."
    clockwork.put([9.0])
    clockwork.look()
    assert clockwork.state() == "ALARM"
    changes = clockwork.history(HistoryItemType="StateUpdate")
    assert changes == [
        f"Alarm updated from {before} to {after}"
        for before, after in (
            ("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "OK"), ("OK", "ALARM"),
            ("ALARM", "INSUFFICIENT_DATA"), ("INSUFFICIENT_DATA", "ALARM"),
        )
    ]  # fmt: skip


def test_the_current_minute_does_not_count_yet(clockwork: Clockwork) -> None:
    clockwork.alarm()
    at = datetime.fromtimestamp(clockwork.now, UTC)
    clockwork.cloudwatch.put_metric_data(
        Namespace="Mine", MetricData=[{"MetricName": "m", "Value": 9.0, "Timestamp": at}]
    )
    clockwork.look()
    assert clockwork.state() == "INSUFFICIENT_DATA"
    # What endpoints measure is told a little after the minute is over.
    clockwork.later(57)
    assert clockwork.state() == "INSUFFICIENT_DATA"
    clockwork.later(2)
    assert clockwork.state() == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "state"),
    [(None, "INSUFFICIENT_DATA"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "OK"), ("breaching", "ALARM"),
     ("notBreaching", "OK")],
)  # fmt: skip
def test_when_nothing_comes_any_more(clockwork: Clockwork, treatment: str | None, state: str) -> None:
    clockwork.put([1.0])
    clockwork.alarm(TreatMissingData=treatment)
    clockwork.look()
    assert clockwork.state() == "OK"
    clockwork.later(300)
    assert clockwork.state() == state


def test_m_of_n(clockwork: Clockwork) -> None:
    clockwork.alarm(EvaluationPeriods=5, DatapointsToAlarm=3)
    clockwork.put([9.0, 1.0, 9.0, 1.0, 1.0])
    clockwork.look()
    assert clockwork.state() == "OK"
    clockwork.later(60)
    clockwork.put([9.0])
    clockwork.look()
    assert clockwork.state() == "OK"  # 1 9 1 1 9
    clockwork.later(60)
    clockwork.put([9.0])
    clockwork.look()
    assert clockwork.state() == "ALARM"  # 9 1 1 9 9
    clockwork.later(60)
    clockwork.put([1.0])
    clockwork.look()
    assert clockwork.state() == "OK"  # 1 1 9 9 1


def test_statistics_dimensions_units_and_longer_periods(clockwork: Clockwork) -> None:
    city = [{"Name": "City", "Value": "Rome"}]
    for statistic in ("Sum", "Maximum", "Minimum", "SampleCount", "Average"):
        clockwork.alarm(statistic, Statistic=statistic, Dimensions=city, Period=180)
    clockwork.alarm("p90", Statistic=None, ExtendedStatistic="p90", Dimensions=city, Period=180)
    clockwork.alarm("unit", Dimensions=city, Unit="Percent", Statistic="Maximum")
    clockwork.alarm("other", Statistic="Maximum")
    clockwork.alarm(
        "metrics", MetricName=None, Namespace=None, Statistic=None, Period=None,
        Metrics=[{"Id": "x", "MetricStat": {
            "Metric": {"Namespace": "Mine", "MetricName": "m", "Dimensions": city}, "Period": 60, "Stat": "Maximum"}}],
    )  # fmt: skip
    clockwork.put([2.0, 2.0, 9.0], Dimensions=city, Unit="Count")
    clockwork.look()
    states = {
        name: clockwork.state(name)
        for name in ("Sum", "Maximum", "Minimum", "SampleCount", "Average", "p90", "unit", "other", "metrics")
    }
    assert states == {
        "Sum": "ALARM", "Maximum": "ALARM", "Minimum": "OK", "SampleCount": "OK", "Average": "OK", "p90": "OK",
        "unit": "INSUFFICIENT_DATA", "other": "INSUFFICIENT_DATA", "metrics": "ALARM",
    }  # fmt: skip
    found = clockwork.cloudwatch.describe_alarms_for_metric(Namespace="Mine", MetricName="m", Dimensions=city)
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == [
        "Average", "Maximum", "Minimum", "SampleCount", "Sum", "p90", "unit",
    ]  # fmt: skip
    found = clockwork.cloudwatch.describe_alarms_for_metric(
        Namespace="Mine", MetricName="m", Dimensions=city, Statistic="Maximum", Period=180
    )
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == ["Maximum"]
    assert clockwork.shown("metrics")["Metrics"][0]["MetricStat"]["Stat"] == "Maximum"


def test_periods_of_seconds(clockwork: Clockwork) -> None:
    clockwork.alarm(Period=10, EvaluationPeriods=2)
    clockwork.alarm("standard", Period=10, MetricName="standard")
    clockwork.put([9.0, 9.0], period=10)
    clockwork.put([9.0], "standard")
    clockwork.look()
    assert clockwork.state() == "ALARM"
    # A metric of whole minutes has no points so short.
    assert clockwork.state("standard") == "INSUFFICIENT_DATA"
    clockwork.later(10)
    clockwork.put([1.0], period=10)
    clockwork.look()
    assert clockwork.state() == "OK"


def test_percentiles_of_few_values(clockwork: Clockwork) -> None:
    clockwork.put([9.0])
    common = {"Statistic": None, "ExtendedStatistic": "p90"}
    clockwork.alarm("evaluate", EvaluateLowSampleCountPercentile="evaluate", **common)
    clockwork.alarm("ignore", EvaluateLowSampleCountPercentile="ignore", **common)
    clockwork.look()
    assert (clockwork.state("evaluate"), clockwork.state("ignore")) == ("ALARM", "INSUFFICIENT_DATA")
    clockwork.put([9.0], Values=[9.0], Counts=[100.0])
    clockwork.look()
    assert clockwork.state("ignore") == "ALARM"


def test_the_state_can_be_set(clockwork: Clockwork) -> None:
    clockwork.put([1.0])
    clockwork.alarm()
    clockwork.look()
    clockwork.force("ALARM", StateReasonData='{"recentDatapoints": [7]}')
    shown = clockwork.shown()
    assert (shown["StateValue"], shown["StateReason"]) == ("ALARM", "by hand")
    assert shown["StateReasonData"] == '{"recentDatapoints": [7]}'
    # Until the alarm is judged next.
    clockwork.later(10)
    assert clockwork.state() == "OK"
    assert clockwork.history(HistoryItemType="StateUpdate")[1:] == [
        "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK",
    ]  # fmt: skip
    forced = {"StateValue": "OK", "StateReason": ""}
    assert "none" in refused("ResourceNotFound", clockwork.cloudwatch.set_alarm_state, AlarmName="none", **forced)
    for data in ("{", "3"):
        refused("InvalidFormat", clockwork.cloudwatch.set_alarm_state, AlarmName="a", StateReasonData=data, **forced)


def test_putting_again_keeps_the_state_and_replaces_the_rest(clockwork: Clockwork) -> None:
    clockwork.put([9.0])
    clockwork.alarm(AlarmDescription="first", Tags=[{"Key": "a", "Value": "b"}])
    clockwork.look()
    before = clockwork.shown()
    clockwork.installation.now += 10
    clockwork.alarm(Threshold=100.0, Tags=[{"Key": "c", "Value": "d"}])
    after = clockwork.shown()
    assert "AlarmDescription" not in after and after["Threshold"] == 100
    for member in ("StateValue", "StateReason", "StateUpdatedTimestamp", "StateTransitionedTimestamp"):
        assert after[member] == before[member]
    assert after["AlarmConfigurationUpdatedTimestamp"] > before["AlarmConfigurationUpdatedTimestamp"]
    tags = clockwork.cloudwatch.list_tags_for_resource(ResourceARN=after["AlarmArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    clockwork.look()
    assert clockwork.state() == "OK"


def test_tags(clockwork: Clockwork) -> None:
    clockwork.alarm()
    client, arn = clockwork.cloudwatch, clockwork.shown()["AlarmArn"]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    refused("ResourceNotFoundException", client.list_tags_for_resource, ResourceARN=f"{arn}-none")
    refused("InvalidParameterValue", client.tag_resource, ResourceARN=arn, Tags=[{"Key": "aws:x", "Value": "1"}])


def test_history(clockwork: Clockwork) -> None:
    clockwork.alarm()
    clockwork.installation.now += 1
    clockwork.alarm(Threshold=1.0)
    clockwork.installation.now += 1
    clockwork.force("OK")
    clockwork.installation.now += 1
    clockwork.cloudwatch.delete_alarms(AlarmNames=["a"])
    expected = [
        'Alarm "a" created', 'Alarm "a" updated', "Alarm updated from INSUFFICIENT_DATA to OK", 'Alarm "a" deleted',
    ]  # fmt: skip
    assert clockwork.history() == expected
    client = clockwork.cloudwatch
    [newest, *_] = client.describe_alarm_history(AlarmName="a")["AlarmHistoryItems"]
    assert newest["HistorySummary"] == expected[-1] and newest["AlarmType"] == "MetricAlarm"
    assert newest["Timestamp"].timestamp() == pytest.approx(clockwork.now)
    paged = []
    token: dict[str, str] = {}
    while len(paged) < 10:
        page = client.describe_alarm_history(MaxRecords=1, ScanBy="TimestampAscending", **token)
        paged += page["AlarmHistoryItems"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [item["HistorySummary"] for item in paged] == expected
    update = orjson.loads(paged[2]["HistoryData"])
    assert update["newState"] == {"stateValue": "OK", "stateReason": "by hand"}
    assert update["oldState"]["stateReason"] == "Unchecked: Initial alarm creation"
    end = datetime.fromtimestamp(clockwork.now, UTC) - timedelta(seconds=2)
    assert len(client.describe_alarm_history(EndDate=end)["AlarmHistoryItems"]) == 2
    assert len(client.describe_alarm_history(StartDate=end)["AlarmHistoryItems"]) == 3
    assert client.describe_alarm_history(AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"] == []
    refused("InvalidNextToken", client.describe_alarm_history, NextToken="x")
    # After 30 days it is forgotten.
    clockwork.installation.now += 31 * 86_400
    clockwork.alarm()
    assert clockwork.history() == ['Alarm "a" created']


def test_actions(clockwork: Clockwork) -> None:
    topic = "arn:aws:swf:us-east-1:123456789012:action/people"
    clockwork.alarm(AlarmActions=[topic], OKActions=[f"{topic}-ok"])
    clockwork.force("ALARM")
    actions = clockwork.history(HistoryItemType="Action")
    assert actions == [
        f'Failed to execute action {topic}. Received error: "Clary does not perform this kind of action yet"'
    ]
    client = clockwork.cloudwatch
    client.disable_alarm_actions(AlarmNames=["a", "none"])
    assert clockwork.shown()["ActionsEnabled"] is False
    clockwork.force("OK")
    assert len(clockwork.history(HistoryItemType="Action")) == 1
    client.enable_alarm_actions(AlarmNames=["a"])
    assert clockwork.shown()["ActionsEnabled"] is True
    clockwork.force("ALARM")
    clockwork.force("ALARM")
    assert len(clockwork.history(HistoryItemType="Action")) == 2
    names = [each["AlarmName"] for each in client.describe_alarms(ActionPrefix=f"{topic}-o")["MetricAlarms"]]
    assert names == ["a"]
    assert client.describe_alarms(ActionPrefix="arn:aws:sns")["MetricAlarms"] == []


def test_what_is_described(clockwork: Clockwork) -> None:
    for number in range(5):
        clockwork.alarm(f"a{number}")
    clockwork.alarm("b_")
    clockwork.force("ALARM", "a3")
    client = clockwork.cloudwatch
    pages = list(client.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2}))
    assert [[alarm["AlarmName"] for alarm in page["MetricAlarms"]] for page in pages] == [
        ["a0", "a1"], ["a2", "a3"], ["a4", "b_"],
    ]  # fmt: skip

    def names(**members: Any) -> list[str]:
        return [alarm["AlarmName"] for alarm in client.describe_alarms(**members)["MetricAlarms"]]

    assert names(AlarmNamePrefix="b_") == ["b_"]
    assert names(AlarmNamePrefix="A") == []
    assert names(StateValue="ALARM") == ["a3"]
    assert names(AlarmNames=["a1", "none"]) == ["a1"]
    assert names(AlarmTypes=["CompositeAlarm"]) == []
    refused("InvalidParameterCombination", client.describe_alarms, AlarmNames=["a1"], AlarmNamePrefix="a")
    refused("InvalidNextToken", client.describe_alarms, NextToken="x")
    client.get_waiter("alarm_exists").wait(AlarmNames=["a1"], WaiterConfig={"MaxAttempts": 1})


def test_deleting(clockwork: Clockwork) -> None:
    clockwork.alarm()
    assert "none" in refused("ResourceNotFound", clockwork.cloudwatch.delete_alarms, AlarmNames=["a", "none"])
    assert clockwork.state() == "INSUFFICIENT_DATA"
    clockwork.cloudwatch.delete_alarms(AlarmNames=["a"])
    assert clockwork.cloudwatch.describe_alarms()["MetricAlarms"] == []
    clockwork.look()


QUERY = {"Id": "x", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}}
ON_METRICS = {"Namespace": None, "MetricName": None, "Statistic": None, "Period": None}


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("ValidationError", {"EvaluationPeriods": None}),
        ("ValidationError", {"EvaluationPeriods": 0}),
        ("ValidationError", {"ComparisonOperator": None}),
        ("ValidationError", {"ComparisonOperator": "Equal"}),
        ("ValidationError", {"Threshold": None}),
        ("ValidationError", {"Namespace": None}),
        ("ValidationError", {"MetricName": None}),
        ("ValidationError", {"Period": None}),
        ("ValidationError", {"Period": 45}),
        ("ValidationError", {"Period": 5}),
        ("ValidationError", {"DatapointsToAlarm": 2}),
        ("ValidationError", {"AlarmActions": ["a"] * 6}),
        ("InvalidParameterCombination", {"Statistic": None}),
        ("InvalidParameterCombination", {"ExtendedStatistic": "p90"}),
        ("InvalidParameterCombination", {"EvaluateLowSampleCountPercentile": "ignore"}),
        ("InvalidParameterValue", {"Statistic": None, "ExtendedStatistic": "p101"}),
        ("InvalidParameterValue", {"TreatMissingData": "other"}),
        ("InvalidParameterValue", {"Dimensions": [{"Name": ":x", "Value": "y"}]}),
        ("InvalidParameterCombination", {"Metrics": [QUERY]}),
        ("ValidationError", {**ON_METRICS, "Metrics": [QUERY, {**QUERY, "Id": "y"}]}),
        ("ValidationError", {**ON_METRICS, "Metrics": [{**QUERY, "ReturnData": False}]}),
        ("ValidationError", {**ON_METRICS, "Metrics": [{"Id": "x"}]}),
        ("UnknownOperationException", {**ON_METRICS, "Metrics": [{"Id": "x", "Expression": "1 + 1"}]}),
        ("UnknownOperationException", {"ThresholdMetricId": "x"}),
        ("UnknownOperationException", {"ComparisonOperator": "GreaterThanUpperThreshold"}),
        ("UnknownOperationException", {"Statistic": None, "ExtendedStatistic": "tm90"}),
    ],
)
def test_what_is_no_alarm(clockwork: Clockwork, code: str, members: dict[str, Any]) -> None:
    refused(code, clockwork.alarm, **members)
    assert clockwork.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_how_far_back_an_alarm_looks(clockwork: Clockwork) -> None:
    assert refused("ValidationError", clockwork.alarm, EvaluationPeriods=1_441) == (
        "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) "
        "for alarms using period < 3600"
    )
    assert refused("ValidationError", clockwork.alarm, EvaluationPeriods=8, Period=86_400) == (
        "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800) "
        "for alarms using period >= 3600"
    )
    clockwork.alarm("day", EvaluationPeriods=1_440)
    clockwork.alarm("week", EvaluationPeriods=7, Period=86_400)
    clockwork.look()
