"""The tuning job as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from __future__ import annotations

import zlib
from typing import Any

from clary.core.errors import ResourceInUse, ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.tuning.autotune import autotune
from clary.services.sagemaker.tuning.checks import check_members, check_search, check_training
from clary.services.sagemaker.tuning.definitions import CONFIG, definitions
from clary.services.sagemaker.tuning.lifecycle import TUNING, TuningJobs
from clary.services.sagemaker.tuning.trials import (
    State,
    best_training_job,
    completion_details,
    objective_counters,
    overall_best,
    status_counters,
)
from clary.services.sagemaker.tuning.warm_start import best_of_parents, check_parents, observations, parent_names
from clary.state.records import Record
from clary.state.transaction import Transaction


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    check_members(params)
    autotune(params)
    check_search(params)
    for definition in definitions(params):
        definition.fill_in()
        check_training(context, transaction, definition)
    state = State(seed=params[CONFIG].get("RandomSeed", _seed(context, params)))
    if "WarmStartConfig" in params:
        parents = [tuning_jobs.find(context, transaction, name) for name in parent_names(params)]
        check_parents(params, parents)
        # The parents may be deleted while the job runs.
        state.parents = observations(params, parents)
        state.overall = best_of_parents(params, parents)
    params |= state.members()


def _seed(context: Context, params: dict[str, Any]) -> int:
    """A seed of this job's own: two jobs of the same name do not try the same values."""
    return zlib.crc32(f"{params[tuning_jobs.name_member]}/{context.platform.clock()}".encode())


def _stop(context: Context, record: Record) -> None:
    if record.status != "InProgress":
        raise ValidationException(
            f"The request was rejected because the hyperparameter tuning job is in status {record.status}."
        )
    TUNING.move(record, "Stopping")
    record.wake_at = context.platform.clock()


def _remove(context: Context, transaction: Transaction, record: Record) -> bool:
    if record.wake_at is not None:
        raise ValidationException(
            f"The request was rejected because the hyperparameter tuning job is in status {record.status}. Stop it "
            "first."
        )
    return True


def _seconds(context: Context, record: Record) -> int:
    end: float = record.document.get("HyperParameterTuningEndTime", context.platform.clock())
    return round(end - record.created)


tuning_jobs = Resource(
    SAGEMAKER,
    "HyperParameterTuningJob",
    status="HyperParameterTuningJobStatus",
    initial="InProgress",
    sort_by="@name",
    missing=lambda name, arn: ResourceNotFound(
        f"Amazon SageMaker can't find a tuning job called {name}. Type another name."
    ),
    present=lambda name, arn: ResourceInUse(
        f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
    ),
    paths={"Strategy": f"{CONFIG}.Strategy", "ResourceLimits": f"{CONFIG}.ResourceLimits"},
    prepare=_prepare,
    computed={
        "TrainingJobStatusCounters": lambda _, __, record: status_counters(record),
        "ObjectiveStatusCounters": lambda _, __, record: objective_counters(record),
        "BestTrainingJob": lambda _, __, record: best_training_job(record),
        "OverallBestTrainingJob": lambda _, __, record: overall_best(record),
        "TuningJobCompletionDetails": lambda _, __, record: completion_details(record),
        "ConsumedResources": lambda context, _, record: {"RuntimeInSeconds": _seconds(context, record)},
    },
    stop=_stop,
    remove=_remove,
    reconcile=TuningJobs(),
    tells=(StateChange("SageMaker HyperParameter Tuning Job State Change", members("HyperParameterTuningJobStatus")),),
)
RESOURCES = (tuning_jobs,)
