"""The hyperparameters of Latent Dirichlet Allocation.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lda_hyperparameters.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY
from clary_runtimes.algorithms.specification import (
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

POSITIVE = Interval(0, open_minimum=True)

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("num_topics", required=True, range=COUNT, tunable=True, recommended=("1", "150")),
    Integer("feature_dim", required=True, range=COUNT),
    Integer("mini_batch_size", required=True, range=COUNT),
    Continuous("alpha0", default="1.0", range=POSITIVE, tunable=True, recommended=("0.1", "10")),
    Integer("max_restarts", default="10", range=COUNT),
    Integer("max_iterations", default="1000", range=COUNT),
    Continuous("tol", default="1e-8", range=POSITIVE),
    *MACHINERY,
)

SPECIFICATION = Specification(_PARAMETERS, wording=SchemaWording())
