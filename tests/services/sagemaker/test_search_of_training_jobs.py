"""``Search`` over training jobs as a database keeps them: the same is found whether the database or Python looks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from clary.resources.context import Context
from clary.services.sagemaker.search import operations as search_operations
from clary.services.sagemaker.service import RESOURCES
from clary.state.records import Key, Record
from clary.state.search.clauses import All, Hit, Search
from clary.state.transaction import Transaction

START = 1_700_000_000.0
LONG = "x" * 300
HANDLERS = search_operations.operations(RESOURCES)


def job(number: int) -> dict[str, Any]:
    """The document of a training job; no two are alike, and not all have everything."""
    document: dict[str, Any] = {
        "TrainingJobName": f"Job-{number:02}",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
        "HyperParameters": {"rate": f"{number / 8}", "depth": str(number), "name.dotted": "a", 'odd "key"': "é"},
        "InputDataConfig": [
            {
                "ChannelName": name,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{name}/{number % 3}"}},
            }
            for name in ("train", "test")[: 1 + number % 2]
        ],
        "FinalMetricDataList": [
            {"MetricName": name, "Value": value, "Timestamp": START + number}
            for name, value in (("loss", 1 / (number + 1)), ("val:auc.roc", float(number % 5)))
        ],
        "ResourceConfig": {"InstanceType": ("ml.m5.large", "ml.c5.large")[number % 2], "InstanceCount": 1},
        "EnableNetworkIsolation": number % 3 == 0,
        "TrainingStartTime": START + number,
        "SecondaryStatusTransitions": [{"Status": "Starting", "StartTime": START + number + 0.25}],
        "Environment": {"LEVEL": str(number)},
    }
    if number % 4 == 0:
        del document["FinalMetricDataList"], document["EnableNetworkIsolation"], document["TrainingStartTime"]
        document["HyperParameters"] |= {"rate": ("auto", " 0.5 ", "1e-1", ".5", "")[number // 4 % 5]}
    if number % 5 == 0:
        document["BillableTimeInSeconds"] = number * 100
        document["FailureReason"] = f"{LONG}{number}"
    if number % 7 == 0:
        document |= {"HyperParameters": {}, "InputDataConfig": []}
    return document


@pytest.fixture
def context(installation: Any) -> Context:
    context: Context = installation.context()
    with context.platform.database.write() as transaction:
        for number in range(40):
            key = Key(context.account, context.region, "sagemaker", "TrainingJob", "", f"Job-{number:02}")
            arn = f"arn:aws:sagemaker:us-east-1:{context.account}:training-job/{key.name}"
            status = ("Completed", "Failed", "InProgress")[number % 3]
            transaction.insert(Record(key, arn, START + number, START + 100 - number % 6, job(number), status))
            if number % 3:
                transaction.set_tags(arn, {"team": "ab"[number % 2], "n": str(number)})
    return context


def pages(context: Context, **params: Any) -> list[int]:
    """The numbers of all jobs that a search finds, page by page."""
    numbers: list[int] = []
    for _ in range(100):
        answer = HANDLERS["Search"](context, {"Resource": "TrainingJob", **params})
        numbers += [int(result["TrainingJob"]["TrainingJobName"][-2:]) for result in answer["Results"]]
        if "NextToken" not in answer:
            assert answer["TotalHits"] == {"Value": len(numbers), "Relation": "EqualTo"}
            return numbers
        params["NextToken"] = answer["NextToken"]
    raise AssertionError("the pages do not end")


def every_filter() -> Iterator[dict[str, str]]:
    texts = ("TrainingJobName", "TrainingJobStatus", "TrainingJobArn", "ResourceConfig.InstanceType", "FailureReason")
    texts += ("InputDataConfig.ChannelName", "InputDataConfig.DataSource.S3DataSource.S3Uri", "Tags.team", "Tags.none")
    texts += ("HyperParameters.name.dotted", 'HyperParameters.odd "key"', "Environment.LEVEL", "HyperParameters.rate")
    numbers = ("BillableTimeInSeconds", "Metrics.loss", "Metrics.val:auc.roc", "HyperParameters.rate")
    numbers += ("HyperParameters.depth", "ResourceConfig.InstanceCount", "HyperParameters.none")
    times = ("CreationTime", "LastModifiedTime", "TrainingStartTime", "SecondaryStatusTransitions.StartTime")
    for name in (*texts, *numbers, *times, "EnableNetworkIsolation", "InputDataConfig", "HyperParameters", "Tags"):
        yield {"Name": name, "Operator": "Exists"}
        yield {"Name": name, "Operator": "NotExists"}
    words = ("Job-07", "Completed", "ml.c5.large", "train", "s3://bucket/train/1", "a", "é", "auto", "7", "0.5", LONG)
    for name, operator, value in itertools.product(texts, ("Equals", "NotEquals", "Contains", "In"), (*words, "a,b,7")):
        yield {"Name": name, "Operator": operator, "Value": value}
    order = ("Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
    for name, operator, value in itertools.product(numbers, order, ("0", "2", "-1", "0.5", ".25", "1500", "1e-1")):
        yield {"Name": name, "Operator": operator, "Value": value}
    moments = ("2023-11-14T22:13:40", "2023-11-14T22:13:40.250", "2023-11-14T23:13:45+01:00", "2023-11-14")
    for name, operator, value in itertools.product(times, order, moments):
        yield {"Name": name, "Operator": operator, "Value": value}
    for operator, value in itertools.product(("Equals", "NotEquals"), ("true", "False")):
        yield {"Name": "EnableNetworkIsolation", "Operator": operator, "Value": value}


NESTED = [
    [("InputDataConfig.ChannelName", "Equals", channel), ("InputDataConfig.DataSource.S3DataSource.S3Uri", *test)]
    for channel in ("train", "test", "none")
    for test in (("Contains", "/1"), ("NotEquals", "s3://bucket/train/2"), ("Exists",))
]
ORDERS = ["CreationTime", "LastModifiedTime", "TrainingJobName", "TrainingJobStatus", "ResourceConfig.InstanceType"]
ORDERS += [
    "HyperParameters.rate",
    "HyperParameters.depth",
    "Metrics.loss",
    "Metrics.val:auc.roc",
    "Tags.team",
    "Tags.n",
]
ORDERS += ["EnableNetworkIsolation", "BillableTimeInSeconds", "FailureReason", "TrainingStartTime", "Environment.LEVEL"]
ORDERS += ["InputDataConfig.ChannelName", "SecondaryStatusTransitions.StartTime", 'HyperParameters.odd "key"']


def test_the_database_and_python_find_the_same(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    expressions: list[dict[str, Any]] = [{"Filters": [each]} for each in every_filter()]
    for tests in NESTED:
        filters = [dict(zip(("Name", "Operator", "Value"), test, strict=False)) for test in tests]
        expressions.append({"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": filters}]})
    wanted = [{"SearchExpression": each, "SortBy": "CreationTime", "MaxResults": 100} for each in expressions]
    told = [pages(context, **each) for each in wanted]
    monkeypatch.setattr(search_operations, "placed", lambda clause, subject: (All(), False))
    for each, numbers in zip(wanted, told, strict=True):
        assert pages(context, **each) == numbers, each
    assert len({tuple(numbers) for numbers in told}) > 100


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_the_database_and_python_sort_the_same(context: Context, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    wanted = [{"SortBy": each, "SortOrder": order} for each in ORDERS]
    told = [pages(context, **each, MaxResults=100) for each in wanted]
    for each, numbers in zip(wanted, told, strict=True):
        assert sorted(numbers) == list(range(40))
        assert pages(context, **each, MaxResults=7) == numbers, each
    monkeypatch.setattr(search_operations, "scalars", lambda leaves, subject: None)
    for each, numbers in zip(wanted, told, strict=True):
        assert pages(context, **each, MaxResults=7) == numbers, each


def find(context: Context, name: str, operator: str, value: str) -> list[int]:
    filters = [{"Name": name, "Operator": operator, "Value": value}]
    return sorted(pages(context, SearchExpression={"Filters": filters}, MaxResults=100))


def test_hyperparameters_are_compared_as_the_value_is(context: Context) -> None:
    numbers = {number: rate for number in range(40) if (rate := _rate(job(number))) is not None}
    assert find(context, "HyperParameters.rate", "LessThan", "0.5") == [n for n, rate in numbers.items() if rate < 0.5]
    # Beside an integer, decimals are what stands before the point.
    assert find(context, "HyperParameters.rate", "GreaterThan", "1") == [n for n, rate in numbers.items() if rate >= 2]
    assert find(context, "HyperParameters.rate", "Equals", "1") == [n for n, rate in numbers.items() if 1 <= rate < 2]
    assert find(context, "HyperParameters.rate", "Equals", "auto") == [20]
    assert find(context, "HyperParameters.rate", "Equals", "1.125") == [9]
    assert find(context, "HyperParameters.name.dotted", "Equals", "a") == [n for n in range(40) if n % 7]


def _rate(document: dict[str, Any]) -> float | None:
    text = document["HyperParameters"].get("rate", "")
    return float(text) if text.strip()[:1].isdigit() else None


def test_metrics_and_lists(context: Context) -> None:
    assert find(context, "Metrics.val:auc.roc", "GreaterThan", "3") == [n for n in range(40) if n % 4 and n % 5 == 4]
    both = [n for n in range(40) if n % 7 and n % 2 and n % 3 == 1]
    assert find(context, "InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "test/1") == both
    assert find(context, "TrainingJobArn", "Equals", ",".join(_arn(context, n) for n in (3, 5))) == [3, 5]
    assert find(context, "TrainingJobName", "Equals", "job-03") == []


def _arn(context: Context, number: int) -> str:
    return f"arn:aws:sagemaker:us-east-1:{context.account}:training-job/Job-{number:02}"


def test_numbers_come_before_texts_and_both_before_nothing(context: Context) -> None:
    rates = [job(number)["HyperParameters"].get("rate") for number in pages(context, SortBy="HyperParameters.rate")]
    texts, numbers = rates.index(".5"), rates.index("4.875")
    assert texts < numbers < rates.index(None)
    assert set(rates[rates.index(None) :]) == {None}


def test_all_rows_are_looked_at_one_by_one(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more rows are read than a page needs, and no more kept than a page has."""
    taken = 0
    original = Transaction.search

    def counting(self: Transaction, search: Search) -> Iterator[Hit]:
        nonlocal taken
        for hit in original(self, search):
            taken += 1
            yield hit

    monkeypatch.setattr(Transaction, "search", counting)
    HANDLERS["Search"](context, {"Resource": "TrainingJob", "MaxResults": 5})
    assert taken == 6
    HANDLERS["Search"](context, {"Resource": "TrainingJob", "MaxResults": 5, "SortBy": "Metrics.loss"})
    assert taken == 12
