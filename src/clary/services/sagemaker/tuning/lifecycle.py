"""The reconciler of tuning jobs: follow the training jobs, stop those without prospects, launch others, end.

A decision and the training jobs that follow from it are stored in one transaction, so that a control plane killed at
any instruction neither loses a trial nor makes it twice.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from clary.compute.images.environments import ImageNotReady
from clary.core.errors import ServiceError
from clary.core.ids import token
from clary.resources.context import Platform, Reconciliation, on_behalf
from clary.resources.lifecycle import Lifecycle
from clary.services.sagemaker.execution.api import WAITED_FOR
from clary.services.sagemaker.training.api import (
    check_training_job,
    create_training_job,
    metric_files,
    stop_training_job,
    training_jobs,
)
from clary.services.sagemaker.tuning import hyperband, median
from clary.services.sagemaker.tuning.checks import job_limit, resources_of
from clary.services.sagemaker.tuning.completion import converges, verdict
from clary.services.sagemaker.tuning.curves import Curves
from clary.services.sagemaker.tuning.definitions import CONFIG, Definition, definitions
from clary.services.sagemaker.tuning.search import IMAGE, propose
from clary.services.sagemaker.tuning.trials import State, Trial
from clary.state.records import Key, Record
from clary.state.transaction import Transaction

TUNING = Lifecycle(
    {
        "InProgress": ("Completed", "Failed", "Stopped", "Stopping"),
        "Stopping": ("Stopped",),
    }
)
POLL_SECONDS = 1.0
"""How often a tuning job is looked at even if none of its training jobs has ended."""
WATCH_SECONDS = 0.2
"""How often the values are read by which training jobs are stopped early."""

Jobs = Mapping[str, Record | None]
"""Training jobs by their names; None for one that was deleted."""


class TuningJobs:
    """Takes the next step for a tuning job (see ``clary.resources.context.Reconciler``)."""

    def __init__(self) -> None:
        self._curves = Curves()

    def __call__(self, look: Reconciliation) -> float | None:
        platform, record = look.platform, look.record
        state, every = State.of(record.document), definitions(record.document)
        jobs = _jobs(platform, record, state.running)
        changed = _follow(state, every, jobs, platform.clock())
        if state.converged is None and changed and converges(state, every):
            state.converged = platform.clock()
        if record.status == "InProgress" and not state.ends:
            over = verdict(record.document, state, every, platform.clock() - record.created)
            if over is not None:
                state.ends, state.why = over
                changed = True
        if state.ends or record.status == "Stopping":
            return self._wind_up(look, state, jobs, changed)
        hopeless = self._hopeless(platform, record, state, every, jobs)
        try:
            new = _next_trials(look, state, every)
        except ImageNotReady:
            new = []
            if (problem := _search_missing(platform)) is not None:
                state.ends, state.why, changed = "Failed", problem, True
        if changed or hopeless or new:
            self._store(look, state, every, new, hopeless)
        return WATCH_SECONDS if _watches(record) else POLL_SECONDS

    def _store(
        self,
        look: Reconciliation,
        state: State,
        every: Sequence[Definition],
        new: Sequence[Trial],
        stopped: Sequence[Trial],
    ) -> None:
        """Store the state, and with it the training jobs of ``new`` trials and the end of those ``stopped``."""
        platform, record = look.platform, look.record
        state.trials.extend(new)
        state.store(record)
        context = on_behalf(platform, record)
        touched: list[Record] = []

        def store(transaction: Transaction) -> None:
            touched.clear()
            tags = [{"Key": key, "Value": value} for key, value in transaction.tags(record.arn).items()]
            for trial in (each for each in new if each.runs):
                request = every[trial.definition].training_job(trial.name, trial.tuned)
                request |= {"Tags": tags, "TuningJobArn": record.arn, WAITED_FOR: record.id}
                touched.append(create_training_job(context, transaction, request))
            for trial in stopped:
                job = transaction.get(_key(record, trial.name))
                if job is not None:
                    stop_training_job(context, transaction, job)
                    touched.append(job)

        look.save(store)
        for job in touched:
            platform.wake(job.id)

    def _wind_up(self, look: Reconciliation, state: State, jobs: Jobs, changed: bool) -> float | None:
        """Stop what still runs, and end when nothing does."""
        record, every = look.record, definitions(look.record.document)
        running = [trial for trial in state.running if (job := jobs[trial.name]) and job.status == "InProgress"]
        if state.running:
            if running or changed:
                self._store(look, state, every, [], running)
            return POLL_SECONDS
        state.store(record)
        TUNING.move(record, "Stopped" if record.status == "Stopping" else state.ends)
        record.document["HyperParameterTuningEndTime"] = look.platform.clock()
        if record.status == "Failed":
            record.document["FailureReason"] = state.why[:1024]
        record.wake_at = None
        look.save()
        self._curves.forget([trial.name for trial in state.trials])
        return None

    def _hopeless(
        self, platform: Platform, record: Record, state: State, every: Sequence[Definition], jobs: Jobs
    ) -> list[Trial]:
        """The trials that are to be stopped before they end by themselves."""
        if not _watches(record):
            return []
        config = record.document[CONFIG]
        curves = self._all_curves(platform, record, state, every, jobs)
        found = []
        for number, trial in enumerate(state.trials):
            job = jobs.get(trial.name)
            if not trial.runs or trial.early or job is None or job.status != "InProgress":
                continue
            definition, curve = every[trial.definition], curves[number]
            if config["Strategy"] == "Hyperband":
                others = [
                    (other, curves[other])
                    for other, each in enumerate(state.trials)
                    if other != number and each.definition == trial.definition
                ]
                least, most = resources_of(config, definition)
                over = hyperband.stops(number, curve, others, least, most, definition.maximizes)
            else:
                # There is one definition alone, and only the jobs that went before it tell how it should do.
                earlier = [self._curves.averages(each.name) for each in state.trials[:number]]
                over = median.stops(curve, earlier, definition.maximizes)
            if over:
                trial.early = True
                found.append(trial)
        return found

    def _all_curves(
        self, platform: Platform, record: Record, state: State, every: Sequence[Definition], jobs: Jobs
    ) -> list[list[float]]:
        """What each trial has reported of its objective; of those that have ended it is read only once."""
        curves = []
        for trial in state.trials:
            job = jobs.get(trial.name)
            if job is None and not self._curves.has(trial.name):
                with platform.database.read() as transaction:
                    job = transaction.get(_key(record, trial.name))
            files = metric_files(platform, job) if job is not None else []
            curves.append(self._curves.read(trial.name, every[trial.definition].metric, files))
        return curves


def _watches(record: Record) -> bool:
    """Whether training jobs may be stopped early, so that their values are read while they run."""
    config = record.document[CONFIG]
    return bool(config["Strategy"] == "Hyperband" or config["TrainingJobEarlyStoppingType"] == "Auto")


def _jobs(platform: Platform, record: Record, trials: Sequence[Trial]) -> Jobs:
    with platform.database.read() as transaction:
        return {trial.name: transaction.get(_key(record, trial.name)) for trial in trials}


def _key(record: Record, name: str) -> Key:
    return record.key._replace(kind=training_jobs.noun, name=name)


def _follow(state: State, every: Sequence[Definition], jobs: Jobs, now: float) -> bool:
    """Take over how the training jobs are doing; whether anything is new."""
    changed = False
    for trial in state.running:
        job = jobs[trial.name]
        if job is None:
            trial.status, trial.reason, trial.ended = "Failed", "The training job was deleted.", now
            changed = True
            continue
        started = job.document.get("TrainingStartTime")
        if (job.status, started) == (trial.status, trial.started):
            continue
        changed = True
        trial.status, trial.started = job.status, started
        if not trial.runs:
            trial.ended = job.document["TrainingEndTime"]
            trial.reason = job.document.get("FailureReason", "")
            if job.status != "Failed":
                trial.objective = _objective(job, every[trial.definition].metric)
    return changed


def _objective(job: Record, metric: str) -> float | None:
    for each in job.document.get("FinalMetricDataList", ()):
        if each["MetricName"] == metric:
            value: float | None = each["Value"]
            return value if value is not None and math.isfinite(value) else None
    return None


def _next_trials(look: Reconciliation, state: State, every: Sequence[Definition]) -> list[Trial]:
    """The trials that are to run beside those that do. Raises ``ImageNotReady`` and ``ProgramError``."""
    platform, record = look.platform, look.record
    config = record.document[CONFIG]
    free = config["ResourceLimits"]["MaxParallelTrainingJobs"] - len(state.running)
    count = min(free, job_limit(config, every) - len(state.trials))
    new: list[Trial] = []
    for index, share in _shares(state, every, count).items():
        for tuned in propose(platform.programs, config["Strategy"], every[index], index, state, share):
            name = f"{record.name}-{len(state.trials) + len(new) + 1:03d}-{token(8)}"
            new.append(Trial(name, index, tuned, platform.clock()))
    _refuse(look, every, new)
    return new


def _shares(state: State, every: Sequence[Definition], count: int) -> dict[int, int]:
    """How many further trials each definition gets, so that all have as many."""
    had = [sum(trial.definition == index for trial in state.trials) for index in range(len(every))]
    shares: dict[int, int] = {}
    for _ in range(count):
        index = min(range(len(every)), key=lambda each: had[each])
        had[index] += 1
        shares[index] = shares.get(index, 0) + 1
    return shares


def _refuse(look: Reconciliation, every: Sequence[Definition], new: Sequence[Trial]) -> None:
    """Let those trials fail whose training jobs would be refused: each value was fine, and these together are not."""
    context = on_behalf(look.platform, look.record)
    for trial in new:
        try:
            with look.platform.database.read() as transaction:
                check_training_job(context, transaction, every[trial.definition].training_job(trial.name, trial.tuned))
        except ServiceError as error:
            trial.status, trial.ended = "Failed", look.platform.clock()
            trial.reason = f"ClientError: {error.message}"[:1024]


def _search_missing(platform: Platform) -> str | None:
    """Build the environment of the search; why it cannot be had, if it cannot."""
    state = platform.images.ensure(IMAGE)
    if state.state != "failed":
        return None
    return f"InternalServerError: The environment of Bayesian search cannot be built: {state.message}"
