"""Training requests that the algorithm they name does not take."""

from __future__ import annotations

from typing import Any

import pytest

from clary.core.errors import ValidationException
from clary.services.sagemaker.algorithms.requests import check_request, hyperparameters

NUMBERS = {"MinValue": "-1", "MaxValue": "10"}
SPECIFICATION: dict[str, Any] = {
    "TrainingImage": "image",
    "SupportedTrainingInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
    "SupportsDistributedTraining": False,
    "SupportedHyperParameters": [
        {"Name": "depth", "Type": "Integer", "Range": {"IntegerParameterRangeSpecification": NUMBERS}},
        {"Name": "rate", "Type": "Continuous", "Range": {"ContinuousParameterRangeSpecification": NUMBERS}},
        {
            "Name": "loss",
            "Type": "Categorical",
            "Range": {"CategoricalParameterRangeSpecification": {"Values": ["l1"]}},
        },
        {"Name": "note", "Type": "FreeText"},
        {"Name": "rounds", "Type": "Integer", "IsRequired": True},
        {"Name": "seed", "Type": "Integer", "DefaultValue": "7"},
    ],
    "TrainingChannels": [
        {
            "Name": "train",
            "IsRequired": True,
            "SupportedContentTypes": ["text/csv"],
            "SupportedCompressionTypes": ["None"],
            "SupportedInputModes": ["File"],
        },
        {"Name": "more", "SupportedContentTypes": [], "SupportedInputModes": ["File", "Pipe"]},
    ],
}
REQUEST: dict[str, Any] = {
    "AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
}


def test_values_within_bounds_are_taken_and_defaults_added() -> None:
    given = {"depth": "-1", "rate": "1e1", "loss": "l1", "note": "", "rounds": "0", "_tuning_objective_metric": "loss"}
    assert hyperparameters("mine", SPECIFICATION, given) == {**given, "seed": "7"}
    assert hyperparameters("mine", {}, {"any": "thing"}) == {"any": "thing"}


@pytest.mark.parametrize(
    ("message", "given"),
    [
        (r"\['a', 'b'\] are not supported by the algorithm mine", {"rounds": "1", "b": "1", "a": "2"}),
        ("rounds is required by the algorithm mine", {}),
        ("'x' of the hyperparameter rounds .* type Integer", {"rounds": "x"}),
        ("'1.0' of the hyperparameter rounds .* type Integer", {"rounds": "1.0"}),
        ("'' of the hyperparameter rounds .* type Integer", {"rounds": ""}),
        ("'11' of the hyperparameter depth .* between -1 and 10", {"rounds": "1", "depth": "11"}),
        ("'inf' of the hyperparameter rate .* type Continuous", {"rounds": "1", "rate": "inf"}),
        ("'-1.01' of the hyperparameter rate .* between -1 and 10", {"rounds": "1", "rate": "-1.01"}),
        (r"'L1' of the hyperparameter loss .* one of \['l1'\]", {"rounds": "1", "loss": "L1"}),
    ],
)
def test_hyperparameters_that_are_refused(message: str, given: dict[str, str]) -> None:
    with pytest.raises(ValidationException, match=message):
        hyperparameters("mine", SPECIFICATION, given)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("instance type ml.c5.xlarge is not supported", {"ResourceConfig": {"InstanceType": "ml.c5.xlarge"}}),
        (
            "instance type ml.c5.xlarge is not supported",
            {"ResourceConfig": {"InstanceGroups": [{"InstanceType": "ml.c5.xlarge", "InstanceCount": 1}]}},
        ),
        ("distributed", {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2}}),
        ("channel train is required", {"InputDataConfig": [{"ChannelName": "more"}]}),
        ("channel other is not supported", {"InputDataConfig": [{"ChannelName": "other"}]}),
        (
            "content type text/libsvm of channel train is not supported",
            {"InputDataConfig": [{"ChannelName": "train", "ContentType": "text/libsvm"}]},
        ),
        (
            "compression type Gzip of channel train is not supported",
            {"InputDataConfig": [{"ChannelName": "train", "CompressionType": "Gzip"}]},
        ),
        (
            "input mode Pipe of channel train is not supported",
            {"InputDataConfig": [{"ChannelName": "train", "InputMode": "Pipe"}]},
        ),
        (
            "input mode FastFile of channel train is not supported",
            {"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "FastFile"}},
        ),
    ],
)
def test_requests_that_are_refused(message: str, change: dict[str, Any]) -> None:
    check_request("mine", SPECIFICATION, REQUEST)
    with pytest.raises(ValidationException, match=message):
        check_request("mine", SPECIFICATION, REQUEST | change)
