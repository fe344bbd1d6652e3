"""What ``UpdateTrainingJob`` changes of a training job, and when it may.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.training.warm_pools import change_pool
from clary.state.records import Record
from clary.state.transaction import Transaction

INTERVALS = (100, 200, 500, 1000, 5000, 60000)
"""Milliseconds between two looks of the profiler, as https://docs.aws.amazon.com/sagemaker/latest/APIReference/
API_ProfilerConfig.html lists them."""
_DEBUGGED = ("Downloading", "Training")
"""The secondary statuses in which remote debugging can be switched."""
_PROFILING = ("ProfilerConfig", "ProfilerRuleConfigurations")


def check_profiler(config: Mapping[str, Any]) -> None:
    """Raises ``ValidationException`` for a ``ProfilerConfig`` with an interval that the profiler does not have."""
    interval = config.get("ProfilingIntervalInMilliseconds")
    if interval is not None and interval not in INTERVALS:
        raise ValidationException(
            f"Invalid ProfilingIntervalInMilliseconds {interval}. Available values are "
            f"{', '.join(map(str, INTERVALS))}."
        )


def amend_job(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    """Check an ``UpdateTrainingJob`` request, whose members are ``changes``, and leave in them what replaces members of
    the job.

    The profiler is changed while the job is in progress, remote debugging while it downloads or trains, the warm pool
    as long as there is one. Raises ``ValidationException``.
    """
    profiling = [member for member in _PROFILING if member in changes]
    if profiling and record.status != "InProgress":
        raise ValidationException(
            f"The request was rejected because the training job is in status {record.status}: {profiling[0]} can be "
            "updated while it is InProgress."
        )
    if "ProfilerConfig" in changes:
        check_profiler(changes["ProfilerConfig"])
        before = record.document.get("ProfilerConfig", {})
        # A request that does not say so does not leave a profiler switched off.
        changes["ProfilerConfig"] = {**before, "DisableProfiler": False, **changes["ProfilerConfig"]}
    if "RemoteDebugConfig" in changes and record.document["SecondaryStatus"] not in _DEBUGGED:
        raise ValidationException(
            "The request was rejected because the training job is in secondary status "
            f"{record.document['SecondaryStatus']}: RemoteDebugConfig can be updated while it is Downloading or "
            "Training."
        )
    if "ResourceConfig" in changes:
        change_pool(context, transaction, record, changes.pop("ResourceConfig")["KeepAlivePeriodInSeconds"])


def profiling_status(record: Record) -> str | None:
    """``ProfilingStatus``: whether the job asks for the profiler; none for a job that never named it."""
    config = record.document.get("ProfilerConfig")
    if config is None:
        return None
    return "Disabled" if config.get("DisableProfiler") else "Enabled"
