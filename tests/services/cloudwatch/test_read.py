"""``GetMetricStatistics``, ``GetMetricData`` and ``ListMetrics``: what they answer and what they refuse."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest


def test_periods_begin_with_the_start(watch: Any) -> None:
    minute = watch.minute
    watch.put(*({"Value": 1.0, "Timestamp": watch.at(minute + 60 * number)} for number in range(5)))
    asked = watch.range(minute - 60 + 13, minute + 240 + 1)
    points = watch.statistics("Sum", period=180, **asked)
    assert [(point["Timestamp"].timestamp(), point["Sum"]) for point in points] == [(minute - 60, 2), (minute + 120, 3)]
    assert [point["Sum"] for point in watch.statistics("Sum", **watch.range(minute, minute + 120))] == [1, 1]
    assert watch.statistics("Sum", **watch.range(minute + 300, minute + 360)) == []
    label = watch.client.get_metric_statistics(
        Namespace="Mine", MetricName="none", Period=60, Statistics=["Sum"], **watch.range()
    )
    assert (label["Label"], label["Datapoints"]) == ("none", [])


def test_percentiles_of_random_values(watch: Any) -> None:
    source = random.Random(0)
    values = [source.lognormvariate(5, 2) for _ in range(3_000)]
    for first in range(0, len(values), 150):
        watch.put({"Values": values[first : first + 150]})
    names = ("p0", "p1", "p50", "p90", "p99", "p99.9", "p100")
    [point] = watch.statistics(*names)
    ordered = sorted(values)
    for name in names:
        # numpy.percentile(values, percent, method="lower")
        exact = ordered[math.floor(float(name[1:]) / 100 * (len(values) - 1))]
        assert point["ExtendedStatistics"][name] == pytest.approx(exact, rel=0.01), name
    [result] = watch.data(watch.query(stat="p90"))["MetricDataResults"]
    assert result["Values"] == [point["ExtendedStatistics"]["p90"]]


def test_what_statistics_cannot_be_asked_for(watch: Any, refused: Callable[..., str]) -> None:
    asked = {"Namespace": "Mine", "MetricName": "m", "Period": 60, "Statistics": ["Sum"], **watch.range()}
    get = watch.client.get_metric_statistics
    now, minute = watch.at(watch.now), watch.at(watch.minute)

    def wrong(code: str, **members: Any) -> str:
        given = {name: value for name, value in {**asked, **members}.items() if value is not None}
        return refused(code, get, **given)

    assert wrong("InvalidParameterValue", StartTime=now, EndTime=now) == (
        "The parameter StartTime must not equal parameter EndTime."
    )
    wrong("InvalidParameterCombination", StartTime=now, EndTime=minute)
    assert wrong("InvalidParameterCombination", Period=1, **watch.range(watch.now - 86_400, watch.now)) == (
        "You have requested up to 86400 datapoints, which exceeds the limit of 1440. "
        "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
    )
    assert len(get(**{**asked, **watch.range(watch.now - 86_400, watch.now)})["Datapoints"]) == 0
    for period in (2, 59, 90):
        wrong("InvalidParameterValue", Period=period)
    wrong("ValidationError", Period=0)
    wrong("MissingParameter", Statistics=None)
    wrong("InvalidParameterCombination", ExtendedStatistics=["p50"])
    for name in ("p101", "p", "q50", "p1.", "tm"):
        wrong("InvalidParameterValue", Statistics=None, ExtendedStatistics=[name])
    wrong("UnknownOperationException", Statistics=None, ExtendedStatistics=["tm99"])
    wrong("ValidationError", Statistics=["Median"])


@pytest.mark.parametrize("order", ["TimestampAscending", "TimestampDescending"])
def test_data_comes_page_by_page(watch: Any, order: str) -> None:
    def at(number: int) -> float:
        return float(watch.minute - 60 * number)

    watch.put(*({"Value": number, "Timestamp": watch.at(at(number))} for number in range(7)))
    watch.put(*({"Value": number, "Timestamp": watch.at(at(number)), "MetricName": "n"} for number in range(3)))
    queries = [watch.query(), watch.query("none"), watch.query("n"), watch.query("m", Id="hidden", ReturnData=False)]
    whole = watch.data(*queries, ScanBy=order)
    assert "NextToken" not in whole
    expected = {"m": list(range(7)), "none": [], "n": list(range(3))}
    descending = order == "TimestampDescending"
    for result in whole["MetricDataResults"]:
        numbers = expected[result["Id"]] if descending else expected[result["Id"]][::-1]
        assert result["Values"] == numbers
        assert [time.timestamp() for time in result["Timestamps"]] == [at(number) for number in numbers]
        assert (result["Label"], result["StatusCode"]) == (result["Id"], "Complete")
    assert [result["Id"] for result in whole["MetricDataResults"]] == list(expected)

    collected: dict[str, list[float]] = {name: [] for name in expected}
    states: list[tuple[str, str]] = []
    token: dict[str, str] = {}
    while True:
        page = watch.data(*queries, ScanBy=order, MaxDatapoints=3, **token)
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= 3
        for result in page["MetricDataResults"]:
            collected[result["Id"]] += result["Values"]
            states.append((result["Id"], result["StatusCode"]))
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
        if len(states) == 1:
            # What is put meanwhile does not move the pages.
            watch.put({"Value": 99, "Timestamp": watch.at(watch.minute + (60 if descending else -600))})
    assert collected == {result["Id"]: result["Values"] for result in whole["MetricDataResults"]}
    assert states[:3] == [("m", "PartialData"), ("m", "PartialData"), ("m", "Complete")]


def test_labels_tell_of_the_metric_and_its_values(watch: Any) -> None:
    dimensions = [{"Name": "Shop", "Value": "Rome"}]
    minute = watch.minute
    for number, value in enumerate((3, 9, 6)):
        watch.put({"Value": value, "Timestamp": watch.at(minute + 60 * number), "Dimensions": dimensions})

    def label(text: str, **others: Any) -> str:
        query = watch.query(Metric={"Dimensions": dimensions}, Label=text)
        return str(watch.data(query, **others)["MetricDataResults"][0]["Label"])

    assert label("plain") == "plain"
    assert label("${LABEL} ${MIN}-${MAX} ${AVG} ${SUM} ${FIRST} ${LAST} ${DATAPOINT_COUNT}") == "m 3-9 6 18 3 6 3"
    properties = ("Dim.Shop", "Dim.No", "MetricName", "Namespace", "Stat", "Period", "Region", "AccountId")
    assert label(" ".join(f"${{PROP('{name}')}}" for name in properties)) == (
        "Rome -- m Mine Sum 60 us-east-1 123456789012"
    )
    assert label("${MAX_TIME}") == watch.at(minute + 60).isoformat()
    assert label("${LAST_TIME}", LabelOptions={"Timezone": "-0130"}).endswith("-01:30")
    assert label("${MAX} ${WHAT}", **watch.range(minute - 600, minute - 540)) == "-- ${WHAT}"


def test_what_data_cannot_be_asked_for(watch: Any, refused: Callable[..., str]) -> None:
    get = watch.client.get_metric_data
    good = {"MetricDataQueries": [watch.query()], **watch.range()}

    def wrong(code: str, *queries: dict[str, Any], **members: Any) -> str:
        return refused(code, get, **{**good, **({"MetricDataQueries": list(queries)} if queries else {}), **members})

    now = watch.at(watch.now)
    assert wrong("UnknownOperationException", {"Id": "e", "Expression": "m * 2"}).endswith("with MetricStat are.")
    assert wrong("ValidationError", watch.query(), watch.query()) == (
        "The values for parameter Id in MetricDataQueries are not unique."
    )
    assert "not matching the expected pattern" in wrong("ValidationError", watch.query(Id="M"))
    wrong("ValidationError", watch.query(Expression="1"))
    wrong("ValidationError", {"Id": "m"})
    wrong("ValidationError", watch.query(ReturnData=False))
    wrong("ValidationError", watch.query(stat="Median"))
    wrong("UnknownOperationException", watch.query(stat="TM(10%:90%)"))
    wrong("UnknownOperationException", watch.query(AccountId="210987654321"))
    wrong("ValidationError", watch.query(period=61))
    nameless = watch.query()
    del nameless["MetricStat"]["Metric"]["MetricName"]
    wrong("ValidationError", nameless)
    wrong("ValidationError", StartTime=now, EndTime=now)
    wrong("ValidationError", StartTime=now, EndTime=watch.at(watch.minute))
    wrong("ValidationError", MetricDataQueries=[])
    wrong("ValidationError", *(watch.query(Id=f"m{number}") for number in range(501)))
    wrong("ValidationError", MaxDatapoints=0)
    wrong("ValidationError", MaxDatapoints=100_801)
    for zone in ("1:30", "+2500", "+0175"):
        wrong("ValidationError", LabelOptions={"Timezone": zone})
    for token in ("nonsense", "e30=", "WzEsMiwzXQ==", "WyJhIiwxXQ=="):
        wrong("InvalidNextToken", NextToken=token)


def test_metrics_are_listed(watch: Any, refused: Callable[..., str]) -> None:
    a, b = {"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}
    watch.put({"Value": 1}, {"Value": 1, "Dimensions": [b, a]}, {"Value": 1, "MetricName": "n", "Dimensions": [a]})

    def listed(**wanted: Any) -> list[tuple[str, list[dict[str, str]]]]:
        metrics = watch.client.list_metrics(**wanted)["Metrics"]
        found = [(metric["MetricName"], metric["Dimensions"]) for metric in metrics]
        return sorted(found, key=lambda metric: (metric[0], len(metric[1])))

    everything = [("m", []), ("m", [a, b]), ("n", [a])]
    assert listed() == listed(Namespace="Mine", RecentlyActive="PT3H") == everything
    assert listed(Namespace="Other") == []
    assert listed(MetricName="n") == everything[2:]
    assert listed(Dimensions=[a]) == listed(Dimensions=[{"Name": "a"}]) == everything[1:]
    assert listed(Dimensions=[a, {"Name": "b"}]) == everything[1:2]
    assert listed(Dimensions=[{"Name": "a", "Value": "2"}]) == []
    assert watch.client.list_metrics(IncludeLinkedAccounts=True)["OwningAccounts"] == ["123456789012"] * 3
    assert watch.client.list_metrics(OwningAccount="210987654321")["Metrics"] == []
    refused("InvalidParameterValue", watch.client.list_metrics, NextToken="nonsense")
    for first in range(0, 1100, 550):
        watch.put(*({"Value": 1, "MetricName": f"many{number:04}"} for number in range(first, first + 550)))
    pages = list(watch.client.get_paginator("list_metrics").paginate())
    assert [len(page["Metrics"]) for page in pages] == [500, 500, 103]
    names = [metric["MetricName"] for page in pages for metric in page["Metrics"]]
    assert names == ["m", "m", *(f"many{number:04}" for number in range(1100)), "n"]
