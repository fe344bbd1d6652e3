"""What the trials of a tuning job are: the definitions that it has, and the training jobs that follow from them.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobDefinition.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTuningResourceConfig.html
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clary.services.sagemaker.tuning.ranges import Range, read_ranges

CONFIG = "HyperParameterTuningJobConfig"
CHOSEN = "_chosen"
"""Beside ranges: those together with the ones that Autotune has chosen."""
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
_TAKEN_OVER = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)
"""The members of a definition that a training job has too, under the same names."""


@dataclass(frozen=True)
class Definition:
    """One kind of training job that a tuning job launches."""

    name: str
    """Empty where there is only one, which has no name."""
    given: dict[str, Any]
    """The ``HyperParameterTrainingJobDefinition``."""
    objective: Mapping[str, str]
    """The ``HyperParameterTuningJobObjective``."""
    parameter_ranges: Mapping[str, Any]

    @cached_property
    def ranges(self) -> list[Range]:
        """What is searched; raises ``ValidationException`` when they were not checked before."""
        return read_ranges(self.parameter_ranges)

    @property
    def metric(self) -> str:
        return self.objective["MetricName"]

    @property
    def maximizes(self) -> bool:
        return self.objective["Type"] == "Maximize"

    @property
    def static(self) -> Mapping[str, str]:
        """The hyperparameters that are the same for all of its jobs."""
        values: Mapping[str, str] = self.given.get("StaticHyperParameters", {})
        return values

    def fill_in(self) -> None:
        """Add what Describe shows of a definition beyond the request: the hyperparameter by which the training jobs
        hear what they are judged by, and what the SDK reads from there to attach to a tuning job."""
        self.given.setdefault("StaticHyperParameters", {})[OBJECTIVE_HYPERPARAMETER] = self.metric
        if "ResourceConfig" not in self.given:
            self.given["ResourceConfig"] = _resources(self.given)
        self.given["OutputDataConfig"].setdefault("KmsKeyId", "")

    def better(self, one: float, other: float) -> bool:
        """Whether ``one`` is a better value of the objective than ``other``."""
        return one > other if self.maximizes else one < other

    def training_job(self, name: str, tuned: Mapping[str, str]) -> dict[str, Any]:
        """The members of the ``CreateTrainingJob`` request for these values of the tuned hyperparameters."""
        taken = {member: self.given[member] for member in _TAKEN_OVER if member in self.given}
        return {
            "TrainingJobName": name,
            "HyperParameters": {**self.static, **tuned},
            # What is filled in for a job is not to be seen in the definition.
            **deepcopy(taken),
        }


def definitions(document: Mapping[str, Any]) -> list[Definition]:
    """The definitions of a tuning job, from the members of its Create request that has been checked."""
    config = document[CONFIG]
    if "TrainingJobDefinitions" in document:
        return [
            Definition(
                each.get("DefinitionName", ""), each, each["TuningObjective"], _ranges(each, "HyperParameterRanges")
            )
            for each in document["TrainingJobDefinitions"]
        ]
    return [
        Definition(
            "",
            document["TrainingJobDefinition"],
            config["HyperParameterTuningJobObjective"],
            _ranges(config, "ParameterRanges"),
        )
    ]


def _ranges(holder: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = holder.get(CHOSEN) or holder.get(member, {})
    return found


def _resources(given: Mapping[str, Any]) -> dict[str, Any]:
    """The ``ResourceConfig`` of a ``HyperParameterTuningResourceConfig``: of several instance configurations, which AWS
    tries in their order, there is always capacity for the first."""
    flexible = given["HyperParameterTuningResourceConfig"]
    chosen = (flexible.get("InstanceConfigs") or [flexible])[0]
    resources = {name: chosen[name] for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB") if name in chosen}
    if "VolumeKmsKeyId" in flexible:
        resources["VolumeKmsKeyId"] = flexible["VolumeKmsKeyId"]
    return resources
