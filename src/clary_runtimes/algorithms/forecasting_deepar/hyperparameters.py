"""The hyperparameters of DeepAR.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar_hyperparameters.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY
from clary_runtimes.algorithms.specification import (
    Categorical,
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

AUTO, IGNORE = "auto", ("ignore", "")
LIKELIHOODS = ("gaussian", "beta", "negative-binomial", "student-T", "deterministic-L1")
FREQUENCY = re.compile(r"([1-9]\d{0,4})?(M|W|D|H|min)")
POSITIVE = Interval(0, open_minimum=True)


@dataclass(frozen=True)
class Frequency(Hyperparameter):
    """How far the points of a series are apart: ``M``, ``W``, ``D``, ``H`` or ``min``, and how many of them."""

    def parse(self, text: str) -> tuple[int, str]:
        found = FREQUENCY.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return int(found[1] or 1), found[2]

    @property
    def expectation(self) -> str:
        return "an integer followed by M, W, D, H or min, such as '5min'"


@dataclass(frozen=True)
class JsonList(Hyperparameter):
    """A list of numbers in JSON, each allowed by ``member``; not empty."""

    member: Callable[[Any], bool] = bool
    described: str = ""

    def parse(self, text: str) -> list[Any]:
        found = json.loads(text)
        if not isinstance(found, list) or not found or any(isinstance(item, bool) for item in found):
            raise ValueError(text)
        return found

    def allows(self, value: Any) -> bool:
        return all(self.member(item) for item in value)

    @property
    def expectation(self) -> str:
        return self.described


def _is_quantile(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < 1


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value >= 1


_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("context_length", required=True, range=COUNT, tunable=True, recommended=("1", "200")),
    Integer("epochs", required=True, range=COUNT, tunable=True, recommended=("1", "1000")),
    Integer("prediction_length", required=True, range=COUNT),
    Frequency("time_freq", required=True),
    JsonList("cardinality", default=AUTO, words=(AUTO, *IGNORE), member=_is_count, described="a list such as [2, 3]"),
    Continuous(
        "dropout_rate", default="0.1", range=Interval(0, 1, open_maximum=True), tunable=True, recommended=("0.0", "0.2")
    ),
    Integer("early_stopping_patience", range=COUNT),
    Integer("embedding_dimension", default="10", range=COUNT, tunable=True, recommended=("1", "50")),
    Continuous("learning_rate", default="1e-3", range=POSITIVE, tunable=True, recommended=("1e-5", "1e-1")),
    Categorical("likelihood", default="student-T", range=LIKELIHOODS),
    Integer("mini_batch_size", default="128", range=COUNT, tunable=True, recommended=("32", "1028")),
    Integer("num_cells", default="40", range=COUNT, tunable=True, recommended=("30", "200")),
    Integer("num_dynamic_feat", default=AUTO, words=(AUTO, *IGNORE), range=COUNT),
    Integer("num_eval_samples", default="100", range=COUNT),
    Integer("num_layers", default="2", range=COUNT, tunable=True, recommended=("1", "8")),
    JsonList(
        "test_quantiles",
        default="[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]",
        member=_is_quantile,
        described="a list of numbers between 0 and 1, such as [0.1, 0.5, 0.9]",
    ),
    *MACHINERY,
)

SPECIFICATION = Specification(_PARAMETERS, wording=SchemaWording())
