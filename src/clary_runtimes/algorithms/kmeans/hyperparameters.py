"""The hyperparameters of K-Means.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/k-means-api-config.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY, NOT_NEGATIVE
from clary_runtimes.algorithms.specification import (
    Categorical,
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

METRICS = ("msd", "ssd")
METHODS = ("random", "kmeans++")
AUTO = ("auto",)


@dataclass(frozen=True)
class MetricList(Hyperparameter):
    """A JSON list of names of metrics."""

    def parse(self, text: str) -> list[Any]:
        found = json.loads(text)
        if not isinstance(found, list) or not found:
            raise ValueError(text)
        return found

    def allows(self, value: Any) -> bool:
        return all(name in METRICS for name in value)

    @property
    def expectation(self) -> str:
        return f"a JSON list of {' and '.join(METRICS)}"


_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=COUNT),
    Integer("k", required=True, range=COUNT),
    Integer("epochs", default="1", range=COUNT, tunable=True, recommended=("1", "10")),
    MetricList("eval_metrics", default='["msd"]'),
    Integer("extra_center_factor", words=AUTO, default="auto", range=COUNT, tunable=True, recommended=("4", "10")),
    Integer("half_life_time_size", default="0", range=NOT_NEGATIVE),
    Categorical("init_method", default="random", range=METHODS, tunable=True, recommended=("kmeans++", "random")),
    Categorical("local_lloyd_init_method", default="kmeans++", range=METHODS),
    Integer("local_lloyd_max_iter", default="300", range=COUNT),
    Integer("local_lloyd_num_trials", words=AUTO, default="auto", range=COUNT),
    Continuous("local_lloyd_tol", default="0.0001", range=Interval(0, 1)),
    Integer("mini_batch_size", default="5000", range=COUNT, tunable=True, recommended=("3000", "15000")),
    *MACHINERY,
)

SPECIFICATION = Specification(_PARAMETERS, wording=SchemaWording())
