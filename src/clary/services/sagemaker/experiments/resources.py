"""Experiments, trials and trial components as resources.

A trial component belongs to as many trials as it is associated with; that is an edge of the lineage graph.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrial.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Association, Record
from clary.state.transaction import Transaction

MEMBER = "TrialComponentOf"
"""The type of the edge from a trial component to its trial."""


def _trials_of(context: Context, transaction: Transaction, experiment: str) -> list[Record]:
    return transaction.find(trials.query(context).where("ExperimentName", experiment))


def _components_of(context: Context, transaction: Transaction, trial_arn: str) -> Iterable[str]:
    edges = transaction.associations(context.account, context.region, destination=trial_arn)
    return [edge.source for edge in edges if edge.type == MEMBER]


def _remove_experiment(context: Context, transaction: Transaction, record: Record) -> bool:
    if _trials_of(context, transaction, record.name):
        raise ValidationException(
            f"Experiment '{record.name}' cannot be deleted because it has trials. Delete its trials first."
        )
    return True


def _remove_trial(context: Context, transaction: Transaction, record: Record) -> bool:
    if _components_of(context, transaction, record.arn):
        raise ValidationException(
            f"Trial '{record.name}' cannot be deleted because it has trial components. Disassociate them first."
        )
    return True


def _remove_component(context: Context, transaction: Transaction, record: Record) -> bool:
    edges = transaction.associations(context.account, context.region, source=record.arn)
    if any(edge.type == MEMBER for edge in edges):
        raise ValidationException(
            f"Trial component '{record.name}' cannot be deleted because it is associated with a trial. "
            "Disassociate it first."
        )
    return True


def _in_experiment(context: Context, transaction: Transaction, name: str) -> Iterable[str]:
    experiments.find(context, transaction, name)
    trial_arns = [trial.arn for trial in _trials_of(context, transaction, name)]
    return [arn for trial in trial_arns for arn in _components_of(context, transaction, trial)]


def _in_trial(context: Context, transaction: Transaction, name: str) -> Iterable[str]:
    return _components_of(context, transaction, trials.find(context, transaction, name).arn)


def _with_component(context: Context, transaction: Transaction, name: str) -> Iterable[str]:
    component = trial_components.find(context, transaction, name)
    edges = transaction.associations(context.account, context.region, source=component.arn)
    return [edge.destination for edge in edges if edge.type == MEMBER]


experiments = Resource(
    SAGEMAKER,
    "Experiment",
    arn="experiment/{name}",
    descending=True,
    remove=_remove_experiment,
)
trials = Resource(
    SAGEMAKER,
    "Trial",
    arn="experiment-trial/{name}",
    descending=True,
    references={"ExperimentName": experiments},
    related={"TrialComponentName": _with_component},
    remove=_remove_trial,
)
trial_components = Resource(
    SAGEMAKER,
    "TrialComponent",
    arn="experiment-trial-component/{name}",
    descending=True,
    paths={"SourceArn": "Source.SourceArn"},
    related={"ExperimentName": _in_experiment, "TrialName": _in_trial},
    remove=_remove_component,
)


def associate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AssociateTrialComponent``: put a component into a trial; doing so again changes nothing."""
    with context.platform.database.write() as transaction:
        component = trial_components.named(context, transaction, params)
        trial = trials.named(context, transaction, params)
        edge = Association(component.arn, trial.arn, MEMBER, context.platform.clock())
        transaction.associate(context.account, context.region, edge)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def disassociate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DisassociateTrialComponent``: take a component out of a trial."""
    with context.platform.database.write() as transaction:
        component = trial_components.named(context, transaction, params)
        trial = trials.named(context, transaction, params)
        transaction.disassociate(context.account, context.region, component.arn, trial.arn)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


OPERATIONS = {"AssociateTrialComponent": associate, "DisassociateTrialComponent": disassociate}
RESOURCES = (experiments, trials, trial_components)
