"""What Studio tells of the built-in algorithms: everything that they declare, and a text for each of it."""

from __future__ import annotations

from typing import Any

import pytest

from clary.compute.images.catalog import catalogue
from clary.edge.studio.algorithms import described, is_machinery
from clary_runtimes.algorithms import registry

ALGORITHMS: dict[str, dict[str, Any]] = {each["name"]: each for each in described()["algorithms"]}
every_algorithm = pytest.mark.parametrize("name", registry.ALGORITHMS)


def test_all_of_them_are_told_by_title() -> None:
    assert set(ALGORITHMS) == set(registry.ALGORITHMS)
    titles = [each["title"].lower() for each in described()["algorithms"]]
    assert titles == sorted(titles)


@every_algorithm
def test_every_hyperparameter_is_explained_and_nothing_else(name: str) -> None:
    text = registry.Algorithm(name).description()
    told = {each["name"] for each in ALGORITHMS[name]["hyperparameters"]}
    assert set(text["hyperparameters"]) == told
    assert set(text.get("start", {})) <= told
    assert not any(is_machinery(each) for each in told)


@every_algorithm
def test_what_one_begins_with_is_allowed(name: str) -> None:
    given = {each["name"]: each["start"] for each in ALGORITHMS[name]["hyperparameters"] if each["required"]}
    # What only the person who has the data knows.
    given |= {each: "1000" for each, value in given.items() if not value}
    algorithm = registry.find(name)
    assert algorithm is not None
    assert algorithm.validate(given) == []


@every_algorithm
def test_images_are_those_that_train_with_it(name: str) -> None:
    algorithm = ALGORITHMS[name]
    for image in algorithm["images"]:
        found = catalogue().find(image).image
        assert found.variables["CLARY_RUNTIME"] == name
        assert set(found.repositories) <= set(algorithm["repositories"])
    assert algorithm["page"].startswith("https://docs.aws.amazon.com/sagemaker/")


@every_algorithm
def test_channels_and_metrics(name: str) -> None:
    algorithm = ALGORITHMS[name]
    assert [channel["required"] for channel in algorithm["channels"]].count(True) == 1
    assert all(channel["content_types"] and channel["description"] for channel in algorithm["channels"])
    assert {metric["direction"] for metric in algorithm["metrics"]} <= {"Maximize", "Minimize"}
    declared = registry.find(name)
    assert declared is not None
    assert [metric["name"] for metric in algorithm["metrics"]] == [
        each["Name"] for each in declared.metric_definitions()
    ]


@pytest.mark.parametrize(
    ("algorithm", "name", "shown"),
    [
        ("xgboost", "num_round", {"type": "Integer", "required": True, "range": "at least 1", "start": "100"}),
        ("xgboost", "eta", {"type": "Continuous", "range": "0 to 1", "recommended": ["0.1", "0.5"]}),
        ("xgboost", "eta", {"aliases": ["learning_rate"], "tunable": True, "default": None}),
        ("xgboost", "subsample", {"range": "more than 0, at most 1"}),
        ("xgboost", "booster", {"type": "Categorical", "range": "gbtree, gblinear, dart", "tunable": False}),
        ("linear-learner", "feature_dim", {"range": "at least 1 or auto", "default": "auto"}),
        ("linear-learner", "num_classes", {"range": "1 to 1,000,000"}),
        ("linear-learner", "init_bias", {"range": ""}),
        ("catboost", "eval_metric", {"type": "FreeText", "range": ""}),
    ],
)
def test_ranges_in_words(algorithm: str, name: str, shown: dict[str, Any]) -> None:
    parameter = next(each for each in ALGORITHMS[algorithm]["hyperparameters"] if each["name"] == name)
    assert {key: parameter[key] for key in shown} == shown
