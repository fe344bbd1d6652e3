"""The hyperparameters of PCA.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/PCA-reference.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY
from clary_runtimes.algorithms.specification import (
    Boolean,
    Categorical,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

REGULAR, RANDOMIZED = "regular", "randomized"

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=COUNT),
    Integer("mini_batch_size", required=True, range=COUNT),
    Integer("num_components", required=True, range=COUNT),
    Categorical("algorithm_mode", default=REGULAR, range=(REGULAR, RANDOMIZED)),
    Integer("extra_components", default="-1", range=Interval(-1)),
    Boolean("subtract_mean", default="true"),
    *MACHINERY,
)


def _components(values: Mapping[str, Any]) -> Iterable[str]:
    wanted, width = values.get("num_components"), values.get("feature_dim")
    if wanted and width and wanted > width:
        yield f"Hyperparameter num_components: {wanted} is more than feature_dim, which is {width}"


SPECIFICATION = Specification(_PARAMETERS, rules=(_components,), wording=SchemaWording())
