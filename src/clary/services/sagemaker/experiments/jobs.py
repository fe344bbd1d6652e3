"""The trial components that tell of jobs: made with the job, told of its end.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ExperimentConfig.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clary.core.errors import ValidationException
from clary.resources import changes
from clary.resources.context import Context, Platform
from clary.resources.resource import kebab
from clary.services.sagemaker.experiments.resources import experiments, trial_components, trials
from clary.services.sagemaker.lineage.api import KIND, MEMBER, SOURCE
from clary.services.sagemaker_metrics.api import Summary
from clary.state.records import Association, Key, Record
from clary.state.transaction import Transaction

Artifact = dict[str, str]
"""A ``TrialComponentArtifact``."""
_STORY = ("Parameters", "InputArtifacts", "OutputArtifacts")
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class Story:
    """What is to be told of a job."""

    parameters: Mapping[str, str | float]
    """Texts that spell a number are numbers there."""
    inputs: Mapping[str, Artifact]
    outputs: Mapping[str, Artifact]
    checkpoints: str = ""
    """Where the job keeps its checkpoints, which the trial component does not show; or empty."""

    def members(self) -> dict[str, Any]:
        """The members of a trial component that it fills."""
        parameters = {name: _parameter(value) for name, value in self.parameters.items()}
        return dict(zip(_STORY, (parameters, dict(self.inputs), dict(self.outputs)), strict=True))


@dataclass(frozen=True)
class Ending:
    """How a job ended; times are seconds since the epoch."""

    message: str
    started: float | None
    ended: float
    metrics: list[Summary] = field(default_factory=list)


def begin_job(context: Context, transaction: Transaction, job: Record, story: Story) -> Record:
    """Make the trial component of a new job, and put it where the job's ``ExperimentConfig`` says.

    Without a trial the experiment gets a new one. With a run the job is one of the run's sources, and its own component
    stays outside of the trial, which has the run. Raises ``ResourceNotFound`` for names that are not there and
    ``ValidationException`` for a trial of another experiment.
    """
    config = job.document.get("ExperimentConfig", {})
    trial = _trial(context, transaction, job.name, config)
    run = trial_components.find(context, transaction, config["RunName"]) if "RunName" in config else None
    source = {"SourceArn": job.arn, "SourceType": f"SageMaker{job.key.kind}"}
    component = _component(context, transaction, _name(job), config, source, story)
    now = context.platform.clock()
    edge = Association(component.arn, job.arn.lower(), SOURCE, now)
    transaction.associate(context.account, context.region, edge)
    if run is not None:
        edge = Association(run.arn, job.arn.lower(), SOURCE, now)
        if transaction.associate(context.account, context.region, edge):
            run.document = {**run.document, "Sources": [*run.document.get("Sources", []), source]}
            transaction.update(run)
    elif trial is not None:
        edge = Association(component.arn, trial.arn, MEMBER, now)
        transaction.associate(context.account, context.region, edge)
    return component


def end_job(platform: Platform, transaction: Transaction, job: Record, story: Story, ending: Ending) -> Record | None:
    """Let the trial component of a job, whose status has been set, and the run that it belongs to tell of its end.

    Doing so again comes to the same. Gives the component, unless it was deleted.
    """
    config = job.document.get("ExperimentConfig", {})
    component = transaction.get(_key(job, _name(job)))
    if component is not None:
        status = {"PrimaryStatus": job.status, "Message": ending.message[:_LONGEST_MESSAGE]}
        told = {**story.members(), "Status": status, "EndTime": ending.ended, "Metrics": ending.metrics}
        if ending.started is not None:
            told["StartTime"] = ending.started
        _tell(platform, transaction, component, told)
    run = transaction.get(_key(job, config["RunName"])) if "RunName" in config else None
    if run is not None:
        # What the run says itself is not overwritten.
        told = {member: {**tale, **run.document.get(member, {})} for member, tale in story.members().items()}
        others = [each for each in run.document.get("Metrics", []) if each["SourceArn"] != job.arn]
        _tell(platform, transaction, run, {**told, "Metrics": [*others, *ending.metrics]})
    return component


def forget_job(transaction: Transaction, job: Record) -> None:
    """Remove the trial component of a job, and the artifacts that only it has to do with.

    One that somebody has put into a trial, or that tells of a run, is his and stays.
    """
    component = transaction.get(_key(job, _name(job)))
    account, region = job.key.account, job.key.region
    if component is None or "ExperimentConfig" in job.document:
        return
    edges = (
        *transaction.associations(account, region, source=component.arn),
        *transaction.associations(account, region, destination=component.arn),
    )
    if any(edge.type == MEMBER for edge in edges):
        return
    transaction.detach(account, region, component.arn)
    transaction.delete(component)
    for arn in {edge.source for edge in edges} | {edge.destination for edge in edges}:
        unused = not transaction.has_edges(account, region, arn)
        if unused and (other := transaction.by_arn(arn)) is not None and other.key.kind == "Artifact":
            transaction.delete(other)


def _trial(context: Context, transaction: Transaction, job: str, config: Mapping[str, str]) -> Record | None:
    experiment = (
        experiments.find(context, transaction, config["ExperimentName"]) if "ExperimentName" in config else None
    )
    if "TrialName" in config:
        trial = trials.find(context, transaction, config["TrialName"])
        if experiment is not None and trial.document["ExperimentName"] != experiment.document["ExperimentName"]:
            raise ValidationException(
                f"Trial '{config['TrialName']}' does not belong to experiment '{config['ExperimentName']}'."
            )
        return trial
    if experiment is None or "RunName" in config:
        return None
    name = f"{job}-aws-trial"
    there = transaction.get(trials.key(context, name))
    made = {"TrialName": name, "ExperimentName": experiment.document["ExperimentName"]}
    return there or changes.add(trials, context, transaction, made)


def _component(
    context: Context,
    transaction: Transaction,
    name: str,
    config: Mapping[str, str],
    source: Mapping[str, str],
    story: Story,
) -> Record:
    told = {
        "DisplayName": config.get("TrialComponentDisplayName", name),
        KIND: source["SourceType"],
        "Source": source,
        "Sources": [source],
        "Status": {"PrimaryStatus": "InProgress"},
        "Metrics": [],
        **story.members(),
    }
    there = transaction.get(trial_components.key(context, name))
    if there is not None:
        # Of an earlier job, which has been deleted.
        told["TrialComponentName"] = name
        return changes.change(trial_components, context, transaction, there, told, replace=True)
    return changes.add(trial_components, context, transaction, {"TrialComponentName": name, **told})


def _tell(platform: Platform, transaction: Transaction, component: Record, told: Mapping[str, Any]) -> None:
    component.document = {**component.document, **told}
    component.modified = platform.clock()
    transaction.update(component)


def _name(job: Record) -> str:
    return f"{job.name}-aws-{kebab(job.key.kind)}"


def _key(job: Record, component: str) -> Key:
    return job.key._replace(kind=trial_components.noun, name=component.lower())


def _parameter(value: str | float) -> dict[str, Any]:
    try:
        number = float(value)
    except ValueError:
        return {"StringValue": value}
    spelled = isinstance(value, str) and "_" in value
    return {"NumberValue": number} if math.isfinite(number) and not spelled else {"StringValue": str(value)}
