"""The trials of a tuning job: what is remembered of each training job, and what Describe counts of them.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobSummary.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-progress.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from clary.core.names import arn
from clary.services.sagemaker.tuning.definitions import Definition, definitions
from clary.state.records import Record

STATE = "_tuning"
"""In a tuning job's document: what its reconciler remembers."""
RUNNING = ("InProgress", "Stopping")
SIGNIFICANT = 0.01
"""The part by which the best value must improve for an improvement to count."""


@dataclass
class Trial:
    """One training job of a tuning job; times are seconds since the epoch."""

    name: str
    definition: int
    """Which of the definitions."""
    tuned: dict[str, str]
    created: float
    status: str = "InProgress"
    started: float | None = None
    ended: float | None = None
    objective: float | None = None
    """The last value of the objective, once the job has ended."""
    reason: str = ""
    """Why it failed."""
    early: bool = False
    """Whether the tuning job stopped it."""

    @property
    def runs(self) -> bool:
        return self.status in RUNNING


@dataclass
class State:
    """What the reconciler of a tuning job remembers, stored in its document."""

    seed: int
    trials: list[Trial] = field(default_factory=list)
    parents: list[dict[str, Any]] = field(default_factory=list)
    """What the jobs of the parents found, as the search is told it."""
    overall: dict[str, Any] | None = None
    """The summary of the best training job of the parents, where it may be the best of all."""
    ends: str = ""
    """The status that the tuning job gets when its last training job has ended; empty while it goes on."""
    why: str = ""
    """Why it ends, if it fails."""
    converged: float | None = None
    """When it was seen that nothing improves any more."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> State:
        """What a document has stored."""
        kept = dict(document[STATE])
        return cls(**{**kept, "trials": [Trial(**each) for each in kept["trials"]]})

    def members(self) -> dict[str, Any]:
        """What a document stores."""
        return {STATE: asdict(self)}

    def store(self, record: Record) -> None:
        """Put it into a record's document."""
        record.document |= self.members()

    @property
    def running(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.runs]

    def judged(self) -> list[Trial]:
        """Those with a value of their objective, in the order of their ends."""
        found = [trial for trial in self.trials if not trial.runs and trial.objective is not None]
        return sorted(found, key=lambda trial: trial.ended or trial.created)


def best_of(trials: Iterable[Trial], every: Sequence[Definition]) -> Trial | None:
    """The trial with the best value; the first of equals."""
    best: Trial | None = None
    for trial in trials:
        if trial.objective is None or trial.runs:
            continue
        if best is None or best.objective is None or every[trial.definition].better(trial.objective, best.objective):
            best = trial
    return best


def not_improving(state: State, every: Sequence[Definition]) -> int:
    """How many trials in a row, up to now, have not improved the best value by ``SIGNIFICANT``."""
    best: float | None = None
    count = 0
    for trial in state.judged():
        assert trial.objective is not None
        definition = every[trial.definition]
        better = best is None or definition.better(trial.objective, best)
        # It is measured against the value that was good enough the last time, so that many small steps count too.
        if better and (best is None or abs(trial.objective - best) >= SIGNIFICANT * abs(best)):
            best, count = trial.objective, 0
        else:
            count += 1
    return count


def summary(record: Record, trial: Trial, every: Sequence[Definition]) -> dict[str, Any]:
    """The ``HyperParameterTrainingJobSummary`` of a trial of the tuning job in ``record``."""
    definition = every[trial.definition]
    key = record.key
    shown: dict[str, Any] = {
        "TrainingJobName": trial.name,
        "TrainingJobArn": arn(key.service, key.region, key.account, f"training-job/{trial.name}"),
        "TuningJobName": record.name,
        "CreationTime": trial.created,
        "TrainingStartTime": trial.started,
        "TrainingEndTime": trial.ended,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": trial.tuned,
        "FailureReason": trial.reason or None,
        "ObjectiveStatus": objective_status(trial),
    }
    if definition.name:
        shown["TrainingJobDefinitionName"] = definition.name
    if trial.objective is not None:
        shown["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "MetricName": definition.metric,
            "Value": trial.objective,
            **({"Type": definition.objective["Type"]} if definition.name else {}),
        }
    return {name: value for name, value in shown.items() if value is not None}


def objective_status(trial: Trial) -> str:
    """Whether the value of its objective was taken into account."""
    if trial.runs:
        return "Pending"
    return "Succeeded" if trial.objective is not None else "Failed"


def status_counters(record: Record) -> dict[str, int]:
    """``TrainingJobStatusCounters``; a job that failed by a fault of the platform could be tried again."""
    counted: Counter[str] = Counter()
    for trial in State.of(record.document).trials:
        if trial.runs:
            counted["InProgress"] += 1
        elif trial.status == "Failed":
            internal = trial.reason.startswith("InternalServerError")
            counted["RetryableError" if internal else "NonRetryableError"] += 1
        else:
            counted[trial.status] += 1
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {name: counted[name] for name in names}


def objective_counters(record: Record) -> dict[str, int]:
    """``ObjectiveStatusCounters``."""
    counted = Counter(objective_status(trial) for trial in State.of(record.document).trials)
    return {name: counted[name] for name in ("Succeeded", "Pending", "Failed")}


def best_training_job(record: Record) -> dict[str, Any] | None:
    """``BestTrainingJob``: of this tuning job's own."""
    every = definitions(record.document)
    best = best_of(State.of(record.document).trials, every)
    return summary(record, best, every) if best is not None else None


def overall_best(record: Record) -> dict[str, Any] | None:
    """``OverallBestTrainingJob``: of this tuning job and its parents, where these can be compared."""
    state, own = State.of(record.document), best_training_job(record)
    if record.document.get("WarmStartConfig", {}).get("WarmStartType") != "IdenticalDataAndAlgorithm":
        return None
    if own is None or state.overall is None:
        return own or state.overall
    first, second = (each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in (own, state.overall))
    return state.overall if definitions(record.document)[0].better(second, first) else own


def completion_details(record: Record) -> dict[str, Any]:
    """``TuningJobCompletionDetails``."""
    state = State.of(record.document)
    details: dict[str, Any] = {
        "NumberOfTrainingJobsObjectiveNotImproving": not_improving(state, definitions(record.document))
    }
    if state.converged is not None:
        details["ConvergenceDetectedTime"] = state.converged
    return details
