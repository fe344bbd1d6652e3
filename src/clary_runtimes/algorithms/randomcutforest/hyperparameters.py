"""The hyperparameters of Random Cut Forest.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY
from clary_runtimes.algorithms.specification import Hyperparameter, Integer, Interval, SchemaWording, Specification

METRICS = ("accuracy", "precision_recall_fscore")


@dataclass(frozen=True)
class MetricList(Hyperparameter):
    """Names of metrics: a JSON list, as the SDK writes it, or separated by commas."""

    def parse(self, text: str) -> list[Any]:
        if not text.lstrip().startswith("["):
            return [name.strip() for name in text.split(",")]
        found = json.loads(text)
        if not isinstance(found, list) or not found:
            raise ValueError(text)
        return found

    def allows(self, value: Any) -> bool:
        return all(name in METRICS for name in value)

    @property
    def expectation(self) -> str:
        return f"a list of {' or '.join(METRICS)}"


_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=Interval(1, 10_000)),
    MetricList("eval_metrics", default=json.dumps(METRICS)),
    Integer("num_samples_per_tree", default="256", range=Interval(1, 2048), tunable=True, recommended=("1", "2048")),
    Integer("num_trees", default="100", range=Interval(50, 1000), tunable=True, recommended=("50", "1000")),
    # Not documented, and sent by the SDK.
    Integer("mini_batch_size", default="1000", range=COUNT),
    *MACHINERY,
)

SPECIFICATION = Specification(_PARAMETERS, wording=SchemaWording())
