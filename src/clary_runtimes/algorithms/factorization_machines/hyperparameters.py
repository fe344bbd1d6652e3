"""The hyperparameters of Factorization Machines.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines-hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

BINARY, REGRESSOR = "binary_classifier", "regressor"
NORMAL, UNIFORM, CONSTANT = "normal", "uniform", "constant"
TERMS = ("bias", "linear", "factors")
METHODS = (UNIFORM, NORMAL, CONSTANT)
RANGE = ("1e-8", "512")
POSITIVE = Interval(0, open_minimum=True)

_DEFAULTS = {
    "bias": {"lr": "0.1", "wd": "0.01", "sigma": "0.01"},
    "linear": {"lr": "0.001", "wd": "0.001", "sigma": "0.01"},
    "factors": {"lr": "0.0001", "wd": "0.00001", "sigma": "0.001"},
}


def _of_term(term: str) -> tuple[Hyperparameter, ...]:
    defaults = _DEFAULTS[term]

    def number(name: str, default: str | None, values: Interval = NOT_NEGATIVE) -> Continuous:
        return Continuous(f"{term}_{name}", default=default, range=values, tunable=True, recommended=RANGE)

    return (
        Categorical(f"{term}_init_method", default=NORMAL, range=METHODS),
        number("init_scale", None),
        number("init_sigma", defaults["sigma"]),
        number("init_value", None, Interval()),
        number("lr", defaults["lr"]),
        number("wd", defaults["wd"]),
    )


_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=COUNT),
    Integer("num_factors", required=True, range=COUNT),
    Categorical("predictor_type", required=True, range=(BINARY, REGRESSOR)),
    *(parameter for term in TERMS for parameter in _of_term(term)),
    Continuous("clip_gradient", range=POSITIVE),
    Integer("epochs", default="1", range=COUNT, tunable=True, recommended=("1", "1000")),
    Continuous("eps", range=POSITIVE),
    Integer("mini_batch_size", default="1000", range=COUNT, tunable=True, recommended=("100", "10000")),
    Continuous("rescale_grad", range=Interval()),
    *MACHINERY,
)


def _initial(values: Mapping[str, Any]) -> Iterable[str]:
    for term in TERMS:
        method = values.get(f"{term}_init_method")
        needed = {UNIFORM: f"{term}_init_scale", CONSTANT: f"{term}_init_value"}.get(str(method), "")
        if needed and needed not in values:
            yield f"Hyperparameter {needed} is required when {term}_init_method is '{method}'"


SPECIFICATION = Specification(_PARAMETERS, rules=(_initial,), wording=SchemaWording())
