"""The hyperparameters of the built-in XGBoost algorithm.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary_runtimes.algorithms.specification import (
    Categorical,
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    Literal,
    Names,
    Specification,
)
from clary_runtimes.algorithms.xgboost.metrics import MAXIMIZE, MINIMIZE

OBJECTIVES = (
    "aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax",
    "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic",
    "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft",
    "survival:cox",
)  # fmt: skip
DEFAULT_OBJECTIVE = "reg:squarederror"
TREE_GROWERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_quantile_histmaker")
TREE_UPDATERS = (*TREE_GROWERS, "grow_skmaker", "sync", "refresh", "prune")
LINEAR_UPDATERS = ("shotgun", "coord_descent")
THRESHOLD_METRICS = ("error", "ndcg", "map")

FRACTION = Interval(0, 1)
POSITIVE_FRACTION = Interval(0, 1, open_minimum=True)
NOT_NEGATIVE = Interval(0)
FLAG = Interval(0, 1)


def known_metric(name: str) -> bool:
    """Whether ``name`` is a documented metric, possibly with a threshold: ``auc``, ``error@0.7``, ``ndcg@5-``."""
    plain, at, threshold = name.strip().partition("@")
    if not at:
        return plain in MAXIMIZE or plain in MINIMIZE
    try:
        float(threshold.removesuffix("-"))
    except ValueError:
        return False
    return plain in THRESHOLD_METRICS


def _tuned(name: str, low: str, high: str, interval: Interval) -> Continuous:
    return Continuous(name, range=interval, tunable=True, recommended=(low, high))


_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("num_round", required=True, range=Interval(1), tunable=True, recommended=("1", "4000")),
    Integer("num_class", range=Interval(2)),
    Integer("csv_weights", range=FLAG),
    Integer("early_stopping_rounds", range=Interval(1)),
    Categorical("booster", range=("gbtree", "gblinear", "dart")),
    Integer("verbosity", range=Interval(0, 3)),
    Integer("nthread", range=Interval(1)),
    _tuned("eta", "0.1", "0.5", FRACTION),
    _tuned("gamma", "0", "5", NOT_NEGATIVE),
    Integer("max_depth", range=NOT_NEGATIVE, tunable=True, recommended=("0", "10")),
    _tuned("min_child_weight", "0", "120", NOT_NEGATIVE),
    _tuned("max_delta_step", "0", "10", NOT_NEGATIVE),
    _tuned("subsample", "0.5", "1", POSITIVE_FRACTION),
    _tuned("colsample_bytree", "0.5", "1", POSITIVE_FRACTION),
    _tuned("colsample_bylevel", "0.1", "1", POSITIVE_FRACTION),
    _tuned("colsample_bynode", "0.1", "1", POSITIVE_FRACTION),
    _tuned("lambda", "0", "1000", NOT_NEGATIVE),
    _tuned("alpha", "0", "1000", NOT_NEGATIVE),
    Categorical("tree_method", range=("auto", "exact", "approx", "hist", "gpu_hist")),
    Continuous("sketch_eps", range=Interval(0, 1, open_minimum=True, open_maximum=True)),
    Continuous("scale_pos_weight", range=Interval(0, open_minimum=True)),
    Names("updater", member=(TREE_UPDATERS + LINEAR_UPDATERS).__contains__,
          described=str([*TREE_UPDATERS, *LINEAR_UPDATERS])),
    Categorical("dsplit", range=("row", "col")),
    Integer("refresh_leaf", range=FLAG),
    Categorical("process_type", range=("default", "update")),
    Categorical("grow_policy", range=("depthwise", "lossguide")),
    Integer("max_leaves", range=NOT_NEGATIVE),
    Integer("max_bin", range=NOT_NEGATIVE),
    Categorical("predictor", range=("auto", "cpu_predictor", "gpu_predictor")),
    Literal("monotone_constraints", minimum=-1, maximum=1),
    Literal("interaction_constraints", nested=True, minimum=0),
    Categorical("sample_type", range=("uniform", "weighted")),
    Categorical("normalize_type", range=("tree", "forest")),
    Continuous("rate_drop", range=FRACTION),
    Integer("one_drop", range=FLAG),
    Continuous("skip_drop", range=FRACTION),
    Continuous("lambda_bias", range=FRACTION),
    Continuous("tweedie_variance_power", range=Interval(1, 2, open_minimum=True, open_maximum=True)),
    Categorical("objective", range=OBJECTIVES),
    Continuous("base_score", range=NOT_NEGATIVE),
    Names("eval_metric", member=known_metric, described=str([*MAXIMIZE, *MINIMIZE])),
    Integer("seed", range=Interval(-(2**31), 2**31 - 1, open_minimum=True, open_maximum=True)),
    Integer("num_parallel_tree", range=Interval(1)),
    Categorical("save_model_on_termination", range=("true", "false")),
    Categorical("aft_loss_distribution", range=("normal", "logistic", "extreme")),
    Continuous("aft_loss_distribution_scale", range=NOT_NEGATIVE),
    Categorical("deterministic_histogram", range=("true", "false")),
    Categorical("single_precision_histogram", range=("true", "false")),
    Categorical("sampling_method", range=("uniform", "gradient_based")),
    Integer("prob_buffer_row", range=Interval(1, open_minimum=True)),
    Categorical("use_dask_gpu_training", range=("true", "false")),
    Integer("_kfold", range=Interval(2)),
    Integer("_num_cv_round", range=Interval(1)),
    Categorical("_tuning_objective_metric", range=tuple(f"validation:{name}" for name in MAXIMIZE + MINIMIZE)),
)  # fmt: skip


def _updater(values: Mapping[str, Any]) -> Iterable[str]:
    chosen = values.get("updater")
    if chosen is None:
        return
    if values.get("booster") == "gblinear":
        if len(chosen) != 1 or chosen[0] not in LINEAR_UPDATERS:
            yield f"Linear updater should be one of these options: {', '.join(map(repr, LINEAR_UPDATERS))}."
    elif values.get("process_type") == "update":
        if not set(chosen) <= {"refresh", "prune"}:
            yield "process_type 'update' can only be used with updater 'refresh' and 'prune'"
    elif not set(chosen) <= set(TREE_UPDATERS):
        yield f"Tree updater should be selected from these options: {', '.join(map(repr, TREE_UPDATERS))}."
    elif sum(name in TREE_GROWERS for name in chosen) > 1:
        yield (
            "Only one tree grow plugin can be selected. Choose one from the following: "
            f"{', '.join(map(repr, TREE_GROWERS))}"
        )


def _objective(values: Mapping[str, Any]) -> Iterable[str]:
    if values.get("objective") in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        yield "Require input for parameter 'num_class' for multi-classification"


def _eval_metric(values: Mapping[str, Any]) -> Iterable[str]:
    chosen, objective = values.get("eval_metric") or (), values.get("objective", DEFAULT_OBJECTIVE)
    if "auc" in chosen and not objective.startswith(("binary:", "rank:", "multi:", "reg:logistic")):
        yield "Metric 'auc' can only be applied for classification and ranking problems."
    if "aft-nloglik" in chosen and objective != "survival:aft":
        yield "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."


def _constraints(values: Mapping[str, Any]) -> Iterable[str]:
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        yield (
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        yield (
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' "
            "or 'approx'."
        )


SPECIFICATION = Specification(
    _PARAMETERS,
    aliases={"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"},
    rules=(_updater, _objective, _eval_metric, _constraints),
)
