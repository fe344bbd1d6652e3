"""Which components a trial has, and the list of components, which takes one filter of several.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AssociateTrialComponent.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.resources.grammar import ordinary
from clary.services.sagemaker.experiments.resources import trial_components, trials
from clary.services.sagemaker.lineage.api import MEMBER
from clary.state.records import Association

_list = ordinary(trial_components, "list", "ListTrialComponents")


def associate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AssociateTrialComponent``: put a component into a trial; doing so again changes nothing."""
    with context.platform.database.write() as transaction:
        trial = trials.named(context, transaction, params)
        component = trial_components.named(context, transaction, params)
        edge = Association(component.arn, trial.arn, MEMBER, context.platform.clock())
        transaction.associate(context.account, context.region, edge)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def disassociate(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DisassociateTrialComponent``: take a component out of a trial."""
    with context.platform.database.write() as transaction:
        trial = trials.named(context, transaction, params)
        component = trial_components.named(context, transaction, params)
        transaction.disassociate(context.account, context.region, component.arn, trial.arn)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def list_trial_components(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTrialComponents``: of an experiment, of a trial, from a source, or all."""
    given = [member for member in ("ExperimentName", "SourceArn", "TrialName") if member in params]
    if len(given) > 1:
        raise ValidationException(f"Only one of {' and '.join(given)} can be specified.")
    return _list(context, params)


OPERATIONS = {
    "AssociateTrialComponent": associate,
    "DisassociateTrialComponent": disassociate,
    "ListTrialComponents": list_trial_components,
}
