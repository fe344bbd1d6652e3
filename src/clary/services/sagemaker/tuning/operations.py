"""``ListTrainingJobsForHyperParameterTuningJob``: the trials of a tuning job.

Reference:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobsForHyperParameterTuningJob.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clary.resources.context import Context
from clary.resources.paging import cut
from clary.services.sagemaker.tuning.definitions import definitions
from clary.services.sagemaker.tuning.resources import tuning_jobs
from clary.services.sagemaker.tuning.trials import State, Trial, summary

_PAGE = 10
_BY_OBJECTIVE = "FinalObjectiveMetricValue"
_KEYS: dict[str, Callable[[Trial], Any]] = {
    "Name": lambda trial: trial.name,
    "CreationTime": lambda trial: trial.created,
    "Status": lambda trial: trial.status,
    _BY_OBJECTIVE: lambda trial: trial.objective,
}


def list_training_jobs(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The trials, by name unless told otherwise; sorted by their objective, those without a value are left out."""
    with context.platform.database.read() as transaction:
        record = tuning_jobs.named(context, transaction, params)
    every, key = definitions(record.document), params.get("SortBy", "Name")
    trials = [
        trial
        for trial in State.of(record.document).trials
        if params.get("StatusEquals", trial.status) == trial.status
        and (key != _BY_OBJECTIVE or trial.objective is not None)
    ]
    trials.sort(key=_KEYS[key], reverse=params.get("SortOrder") == "Descending")
    rows, following = cut(trials, params, _PAGE)
    shown: dict[str, Any] = {"TrainingJobSummaries": [summary(record, trial, every) for trial in rows]}
    return shown | ({"NextToken": following} if following else {})


OPERATIONS = {"ListTrainingJobsForHyperParameterTuningJob": list_training_jobs}
