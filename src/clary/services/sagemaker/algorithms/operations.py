"""``CreateAlgorithm`` with its validation: the training job is created with the algorithm, in one transaction.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAlgorithm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.core.ids import token
from clary.resources import changes
from clary.resources.context import Context, Handler
from clary.services.sagemaker.algorithms.resources import algorithms
from clary.services.sagemaker.algorithms.validation import VALIDATION, begin
from clary.services.sagemaker.training.resources import training_jobs
from clary.state.records import Record
from clary.state.transaction import Transaction

_LONGEST_NAME = 63
_SUFFIX = 8


def create_algorithm(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateAlgorithm``. With a ``ValidationSpecification`` the algorithm is ``Pending`` until its training job ends.

    Raises what either Create refuses: a training job that the algorithm itself does not take leaves no algorithm.
    """
    with context.platform.database.write() as transaction:
        record = changes.add(algorithms, context, transaction, params)
        jobs = _validate(context, transaction, record)
    for each in (record, *jobs):
        context.platform.wake(each.id)
    return {"AlgorithmArn": record.arn}


def _validate(context: Context, transaction: Transaction, record: Record) -> list[Record]:
    validation = record.document.get("ValidationSpecification")
    if validation is None or VALIDATION in record.document:
        # The second is an attempt of a client whose first one was answered in vain.
        return []
    jobs = {}
    for number, profile in enumerate(validation["ValidationProfiles"]):
        request = _request(record, validation["ValidationRole"], profile)
        once = replace(context, token=f"{context.token}-{number}" if context.token else "")
        jobs[profile["ProfileName"]] = changes.add(training_jobs, once, transaction, request)
    begin(record, {name: job.arn for name, job in jobs.items()})
    transaction.update(record)
    return list(jobs.values())


def _request(record: Record, role: str, profile: Mapping[str, Any]) -> dict[str, Any]:
    """The ``CreateTrainingJob`` request of a ``ValidationProfile``."""
    definition = dict(profile["TrainingJobDefinition"])
    name = f"{record.name}-{profile['ProfileName']}"[: _LONGEST_NAME - _SUFFIX - 1].rstrip("-")
    return {
        "TrainingJobName": f"{name}-{token(_SUFFIX)}",
        "RoleArn": role,
        "AlgorithmSpecification": {
            "AlgorithmName": record.arn,
            "TrainingInputMode": definition.pop("TrainingInputMode"),
        },
        **definition,
    }


OPERATIONS: Mapping[str, Handler] = {"CreateAlgorithm": create_algorithm}
