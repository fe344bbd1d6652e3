"""Experiments, trials and trial components as resources.

A trial component belongs to as many trials as it is associated with.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrial.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from clary.core.errors import ResourceNotFound, ServiceError, ValidationException
from clary.resources.context import Context
from clary.resources.resource import ErrorFor, Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.lineage.api import (
    BY_PERSONS,
    KIND,
    MADE_BY_HAND,
    MEMBER,
    SOURCE,
    TRIAL,
    group_arn,
    join_group,
)
from clary.state.records import Association, Link, Record
from clary.state.transaction import Transaction

_MAPS = ("Parameters", "InputArtifacts", "OutputArtifacts")
"""What a trial component shows even where there is nothing in it; the SDK relies on that."""


def _prepare(noun: str) -> Callable[[Context, Transaction, dict[str, Any]], None]:
    def prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
        params.setdefault("DisplayName", params[f"{noun}Name"])
        join_group(context, transaction)

    return prepare


def _prepare_trial(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    _prepare("Trial")(context, transaction, params)
    experiment = experiments.find(context, transaction, params["ExperimentName"])
    params["ExperimentName"] = experiment.document["ExperimentName"]
    arn = trials.make_arn(context, params["TrialName"])
    edge = Association(arn, experiment.arn, TRIAL, context.platform.clock())
    transaction.associate(context.account, context.region, edge)


def _prepare_component(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    _prepare("TrialComponent")(context, transaction, params)
    params.setdefault(KIND, MADE_BY_HAND)
    for member in _MAPS:
        params.setdefault(member, {})
    for member in ("Sources", "Metrics"):
        params.setdefault(member, [])


def _amend_component(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    for member in _MAPS:
        kept = {**record.document.get(member, {}), **changes.get(member, {})}
        removed = changes.pop(f"{member}ToRemove", ())
        changes[member] = {name: value for name, value in kept.items() if name not in removed}
        record.document = {**record.document, member: {}}


def _missing(noun: str) -> ErrorFor:
    def missing(name: str, arn: str) -> ServiceError:
        return ResourceNotFound(f"{noun} '{arn}' does not exist.")

    return missing


def _present(noun: str) -> ErrorFor:
    def present(name: str, arn: str) -> ServiceError:
        return ValidationException(f"{noun} with name ({name}) already exists.")

    return present


def _remove_experiment(context: Context, transaction: Transaction, record: Record) -> bool:
    if _any(trials, context, transaction, Link((TRIAL,), record.arn)):
        raise ValidationException(f"Experiment '{record.arn}' is linked to 1 or more trials and cannot be deleted.")
    return _gone(context, transaction, record)


def _remove_trial(context: Context, transaction: Transaction, record: Record) -> bool:
    if _any(trial_components, context, transaction, Link((MEMBER,), record.arn)):
        raise ValidationException(
            f"Trial '{record.arn}' is linked to 1 or more trial components and cannot be deleted."
        )
    return _gone(context, transaction, record)


def _remove_component(context: Context, transaction: Transaction, record: Record) -> bool:
    if _any(trials, context, transaction, Link((MEMBER,), record.arn, incoming=True)):
        raise ValidationException(f"TrialComponent '{record.arn}' is linked to 1 or more trials and cannot be deleted.")
    transaction.metrics.remove(record.id)
    return _gone(context, transaction, record)


def _any(resource: Resource, context: Context, transaction: Transaction, link: Link) -> bool:
    return bool(transaction.find(replace(resource.query(context), linked=(link,), limit=1)))


def _gone(context: Context, transaction: Transaction, record: Record) -> bool:
    transaction.detach(context.account, context.region, record.arn)
    return True


def _trials_of(context: Context, transaction: Transaction, name: str) -> Link:
    return Link((TRIAL,), experiments.find(context, transaction, name).arn)


def _with_component(context: Context, transaction: Transaction, name: str) -> Link:
    return Link((MEMBER,), trial_components.find(context, transaction, name).arn, incoming=True)


def _in_experiment(context: Context, transaction: Transaction, name: str) -> Link:
    return Link((MEMBER, TRIAL), experiments.find(context, transaction, name).arn)


def _in_trial(context: Context, transaction: Transaction, name: str) -> Link:
    return Link((MEMBER,), trials.find(context, transaction, name).arn)


def _from_source(context: Context, transaction: Transaction, arn: str) -> Link:
    # The ARNs that AWS makes are in small letters, and the SDK asks for them so.
    return Link((SOURCE,), arn.lower())


experiments = Resource(
    SAGEMAKER,
    "Experiment",
    arn="experiment/{name}",
    any_case=True,
    paths={"ExperimentName": "ExperimentName"},
    descending=True,
    computed=BY_PERSONS,
    missing=_missing("Experiment"),
    present=_present("Experiment"),
    prepare=_prepare("Experiment"),
    remove=_remove_experiment,
)
trials = Resource(
    SAGEMAKER,
    "Trial",
    arn="experiment-trial/{name}",
    any_case=True,
    paths={"TrialName": "TrialName"},
    descending=True,
    references={"ExperimentName": experiments},
    related={"ExperimentName": _trials_of, "TrialComponentName": _with_component},
    computed=BY_PERSONS,
    missing=_missing("Trial"),
    present=_present("Trial"),
    prepare=_prepare_trial,
    remove=_remove_trial,
)
trial_components = Resource(
    SAGEMAKER,
    "TrialComponent",
    arn="experiment-trial-component/{name}",
    any_case=True,
    paths={"TrialComponentName": "TrialComponentName"},
    computed={**BY_PERSONS, "LineageGroupArn": lambda context, _, __: group_arn(context)},
    descending=True,
    related={"ExperimentName": _in_experiment, "TrialName": _in_trial, "SourceArn": _from_source},
    missing=_missing("TrialComponent"),
    present=_present("TrialComponent"),
    prepare=_prepare_component,
    amend=_amend_component,
    remove=_remove_component,
)
RESOURCES = (experiments, trials, trial_components)
