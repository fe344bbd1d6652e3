"""What other capabilities need of training: to create, to stop and to watch training jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clary.resources import changes
from clary.resources.context import Context, Platform
from clary.services.sagemaker.execution.api import RUN, agents
from clary.services.sagemaker.training.algorithms import SCRIPT, find_algorithm
from clary.services.sagemaker.training.resources import training_jobs
from clary.state.records import Record
from clary.state.transaction import Transaction

__all__ = [
    "SCRIPT",
    "check_training_job",
    "create_training_job",
    "find_algorithm",
    "metric_files",
    "stop_training_job",
    "training_jobs",
]


def create_training_job(context: Context, transaction: Transaction, params: dict[str, Any]) -> Record:
    """Create a training job from the members of a ``CreateTrainingJob`` request; raises what that refuses."""
    return changes.add(training_jobs, context, transaction, params)


def check_training_job(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    """Raise what ``create_training_job`` would raise for the members themselves, and add to them what that would add;
    nothing is stored."""
    assert training_jobs.prepare is not None
    training_jobs.prepare(context, transaction, params)


def stop_training_job(context: Context, transaction: Transaction, job: Record) -> None:
    """Ask a training job to end; one that has ended, or was asked before, stays as it is."""
    assert training_jobs.stop is not None
    if job.status == "InProgress":
        training_jobs.stop(context, job)
        transaction.update(job)


def metric_files(platform: Platform, job: Record) -> list[Path]:
    """The files into which the hosts of a job write the metrics that are found in its log: a JSON object a line, with
    ``name``, ``value`` and ``time``. There are none before it is launched."""
    return agents(platform, job).metrics() if job.document.get(RUN, {}).get("launched") else []
