"""The hyperparameters of LightGBM.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm-hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary_runtimes.algorithms.lightgbm.metrics import KINDS
from clary_runtimes.algorithms.specification import (
    Boolean,
    Categorical,
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

NOT_NEGATIVE = Interval(0)
# The page excludes 1 for some of these, and recommends it as the end of the range for tuning.
FRACTION = Interval(0, 1, open_minimum=True)

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("num_boost_round", default="100", range=Interval(1)),
    Integer("early_stopping_rounds", default="10"),
    Categorical("metric", default="auto", range=("auto", *KINDS)),
    Continuous("learning_rate", default="0.1", range=FRACTION, tunable=True, recommended=("0.001", "0.01")),
    Integer(
        "num_leaves", default="64", range=Interval(1, 131072, open_minimum=True), tunable=True,
        recommended=("10", "100"),
    ),
    Continuous("feature_fraction", default="0.9", range=FRACTION, tunable=True, recommended=("0.1", "1.0")),
    Continuous("bagging_fraction", default="0.9", range=FRACTION, tunable=True, recommended=("0.1", "1.0")),
    Integer("bagging_freq", default="1", range=NOT_NEGATIVE, tunable=True, recommended=("0", "10")),
    Integer("max_depth", default="6", tunable=True, recommended=("15", "100")),
    Integer("min_data_in_leaf", default="3", range=NOT_NEGATIVE, tunable=True, recommended=("10", "200")),
    Continuous("max_delta_step", default="0.0"),
    Continuous("lambda_l1", default="0.0", range=NOT_NEGATIVE),
    Continuous("lambda_l2", default="0.0", range=NOT_NEGATIVE),
    Categorical("boosting", default="gbdt", range=("gbdt", "rf", "dart", "goss")),
    Continuous("min_gain_to_split", default="0.0", range=NOT_NEGATIVE),
    Continuous("scale_pos_weight", default="1.0", range=Interval(0, open_minimum=True)),
    Categorical("tree_learner", default="serial", range=("serial", "feature", "data", "voting")),
    Continuous("feature_fraction_bynode", default="1.0", range=FRACTION),
    Boolean("is_unbalance", default="False"),
    Integer("max_bin", default="255", range=Interval(1, open_minimum=True)),
    Continuous("tweedie_variance_power", default="1.5", range=Interval(1, 2, open_maximum=True)),
    Integer("num_threads", default="0", range=NOT_NEGATIVE),
    Integer("verbosity", default="1"),
)  # fmt: skip


def _weights(values: Mapping[str, Any]) -> Iterable[str]:
    if values.get("is_unbalance") is True and values.get("scale_pos_weight", 1.0) != 1.0:
        yield "scale_pos_weight cannot be used if is_unbalance is set to 'True'; give one of them"


def _forest(values: Mapping[str, Any]) -> Iterable[str]:
    sampled = values.get("bagging_freq", 1) > 0 and values.get("bagging_fraction", 0.5) < 1
    if values.get("boosting") == "rf" and not sampled and values.get("feature_fraction", 0.5) == 1:
        yield (
            "boosting 'rf' needs samples: bagging_freq above 0 with bagging_fraction below 1, or feature_fraction "
            "below 1"
        )


SPECIFICATION = Specification(_PARAMETERS, rules=(_weights, _forest), wording=SchemaWording())
