"""The hyperparameters of CatBoost.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/catboost-hyperparameters.html
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
    SchemaWording,
    Specification,
)

COUNT = Interval(1)
NOT_NEGATIVE = Interval(0)
FRACTION = Interval(0, 1, open_minimum=True)
AUTO = "Auto"
LEAVES, LEAF = 31, 1
"""The defaults of what other growing policies than those that are named have no use for."""

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("iterations", default="500", range=COUNT),
    Integer("early_stopping_rounds", default="5"),
    Hyperparameter("eval_metric", default="auto"),
    Continuous("learning_rate", default="0.009", range=FRACTION, tunable=True, recommended=("0.001", "0.01")),
    Integer("depth", default="6", range=Interval(1, 16), tunable=True, recommended=("4", "10")),
    Integer("l2_leaf_reg", default="3", range=COUNT, tunable=True, recommended=("2", "10")),
    Continuous("random_strength", default="1.0", range=NOT_NEGATIVE, tunable=True, recommended=("0", "10")),
    Integer("max_leaves", default=str(LEAVES), range=Interval(2, 64)),
    Continuous("rsm", default="1.0", range=FRACTION),
    Categorical("sampling_frequency", default="PerTreeLevel", range=("PerTreeLevel", "PerTree")),
    Integer("min_data_in_leaf", default=str(LEAF), range=COUNT),
    Continuous("bagging_temperature", default="1.0", range=NOT_NEGATIVE),
    Categorical("boosting_type", default=AUTO, range=(AUTO, "Ordered", "Plain")),
    Continuous("scale_pos_weight", default="1.0", range=Interval(0, open_minimum=True)),
    Integer("max_bin", default=AUTO, words=(AUTO,), range=Interval(1, 65535)),
    Categorical("grow_policy", default="SymmetricTree", range=("SymmetricTree", "Depthwise", "Lossguide")),
    Integer("random_seed", default="1", words=("1.0",), range=NOT_NEGATIVE),
    Integer("thread_count", default="-1", range=Interval(-1)),
    Integer("verbose", default="1", range=COUNT),
)


def _policy(values: Mapping[str, Any]) -> Iterable[str]:
    policy = values.get("grow_policy")
    if values.get("max_leaves", LEAVES) != LEAVES and policy != "Lossguide":
        yield "max_leaves can only be used with grow_policy 'Lossguide'"
    if values.get("min_data_in_leaf", LEAF) != LEAF and policy == "SymmetricTree":
        yield "min_data_in_leaf can only be used with grow_policy 'Lossguide' or 'Depthwise'"
    if values.get("boosting_type") == "Ordered" and policy != "SymmetricTree":
        yield "boosting_type 'Ordered' can only be used with grow_policy 'SymmetricTree'"
    if values.get("thread_count") == 0:
        yield "Hyperparameter thread_count: '0' is not valid, it must be -1 (all processors) or more than 0"


SPECIFICATION = Specification(_PARAMETERS, rules=(_policy,), wording=SchemaWording())
