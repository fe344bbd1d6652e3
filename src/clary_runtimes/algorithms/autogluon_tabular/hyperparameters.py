"""The hyperparameters of AutoGluon-Tabular.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/autogluon-tabular-hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary_runtimes.algorithms.autogluon_tabular.metrics import MAXIMIZE, MINIMIZE
from clary_runtimes.algorithms.specification import (
    Boolean,
    Categorical,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

BAGGING_PRESETS = ("best_quality", "high_quality", "good_quality")
PRESETS = (*BAGGING_PRESETS, "medium_quality", "optimize_for_deployment", "interpretable")

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Categorical("eval_metric", default="auto", range=("auto", *MINIMIZE, *MAXIMIZE)),
    Categorical("presets", default="medium_quality", range=PRESETS),
    Boolean("auto_stack", default="False"),
    Integer("num_bag_folds", default="0", range=Interval(0, 10)),
    Integer("num_bag_sets", default="1", range=Interval(1, 20)),
    Integer("num_stack_levels", default="0", range=Interval(0, 3)),
    Boolean("refit_full", default="False"),
    Boolean("set_best_to_refit_full", default="False"),
    Boolean("save_space", default="False"),
    Integer("verbosity", default="2", range=Interval(0, 4)),
)


def bags(values: Mapping[str, Any]) -> bool:
    """Whether models are trained on several folds of the data."""
    return bool(values.get("num_bag_folds", 0) or values.get("auto_stack") or values.get("presets") in BAGGING_PRESETS)


def _folds(values: Mapping[str, Any]) -> Iterable[str]:
    if values.get("num_bag_folds") == 1:
        yield "Hyperparameter num_bag_folds: '1' is not valid, it must be 0 (no bagging) or from 2 to 10"
    if values.get("num_stack_levels", 0) > 0 and not bags(values):
        yield "num_stack_levels needs bagging: set num_bag_folds to 2 or more"
    if values.get("num_bag_sets", 1) > 1 and not bags(values):
        yield "num_bag_sets needs bagging: set num_bag_folds to 2 or more"
    if values.get("set_best_to_refit_full") is True and values.get("refit_full") is False:
        yield "set_best_to_refit_full can only be used if refit_full is set to 'True'"


SPECIFICATION = Specification(_PARAMETERS, rules=(_folds,), wording=SchemaWording())
