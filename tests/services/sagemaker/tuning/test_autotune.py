"""What Autotune fills in."""

from __future__ import annotations

from typing import Any

import pytest

from clary.core.errors import ValidationException
from clary.services.sagemaker.tuning.autotune import autotune
from clary.services.sagemaker.tuning.definitions import definitions

KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"


def request(image: str, static: dict[str, str] | None = None, mode: str = "Enabled", **hints: str) -> dict[str, Any]:
    auto = [{"Name": name, "ValueHint": hint} for name, hint in hints.items()]
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "test:msd"},
            "ParameterRanges": {"AutoParameters": auto},
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {"TrainingImage": image},
            "StaticHyperParameters": dict(static or {}),
        },
        **({"Autotune": {"Mode": mode}} if mode else {}),
    }


def chosen(params: dict[str, Any]) -> dict[str, Any]:
    autotune(params)
    config = params["HyperParameterTuningJobConfig"]
    assert "AutoParameters" not in config["ParameterRanges"]
    [definition] = definitions(params)
    assert definition.ranges
    return {
        each["Name"]: each.get("Values") or [each["MinValue"], each["MaxValue"]]
        for member, ranges in definition.parameter_ranges.items()
        if member != "AutoParameters"
        for each in ranges
    }


def test_a_built_in_algorithm_gets_what_its_page_recommends() -> None:
    params = request(KMEANS, {"k": "3", "feature_dim": "4", "epochs": "2"})
    assert chosen(params) == {
        "extra_center_factor": ["4", "10"],
        "init_method": ["kmeans++", "random"],
        "mini_batch_size": ["3000", "15000"],
    }
    config = params["HyperParameterTuningJobConfig"]
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    assert config["TuningJobCompletionCriteria"] == {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}


def test_only_what_is_named_is_tuned() -> None:
    assert chosen(request(KMEANS, epochs="7")) == {"epochs": ["1", "10"]}


def test_examples_of_a_script_become_ranges_around_them() -> None:
    hints = {
        "depth": "6",
        "rate": "0.05",
        "share": '"0.5"',
        "scale": "20.0",
        "zero": "0",
        "flag": "True",
        "kind": "tree",
    }
    params = request("own:1", **hints)
    assert chosen(params) == {
        "depth": ["1", "60"],
        "rate": ["0.005", "0.5"],
        "share": ["0.05", "0.99"],
        "scale": ["2.0", "200.0"],
        "zero": ["0", "10"],
        "flag": ["True", "False"],
    }
    assert params["TrainingJobDefinition"]["StaticHyperParameters"] == {"kind": "tree"}


def test_what_is_given_stays() -> None:
    params = request("own:1", depth="6")
    given = {"Name": "depth", "MinValue": "2", "MaxValue": "3"}
    config = params["HyperParameterTuningJobConfig"]
    config["ParameterRanges"]["IntegerParameterRanges"] = [given]
    config["TrainingJobEarlyStoppingType"] = "Off"
    assert chosen(params) == {"depth": ["2", "3"]}
    assert config["TrainingJobEarlyStoppingType"] == "Off"


def test_examples_alone_are_refused() -> None:
    with pytest.raises(ValidationException, match="Mode of Autotune"):
        autotune(request("own:1", mode="", depth="6"))
    params = request("own:1", mode="")
    autotune(params)
    assert "TuningJobCompletionCriteria" not in params["HyperParameterTuningJobConfig"]
