"""The hyperparameters of k-NN.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY
from clary_runtimes.algorithms.specification import (
    Categorical,
    Hyperparameter,
    Integer,
    SchemaWording,
    Specification,
)

CLASSIFIER, REGRESSOR = "classifier", "regressor"
FLAT, IVF_FLAT, IVF_PQ = "faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"
L2, INNER_PRODUCT, COSINE = "L2", "INNER_PRODUCT", "COSINE"
PARTS = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)
"""What ``faiss_index_pq_m`` may be."""


@dataclass(frozen=True)
class Parts(Hyperparameter):
    """One of the numbers of parts that a vector can be cut into."""

    kind = "Integer"

    def parse(self, text: str) -> int:
        return int(text)

    def allows(self, value: Any) -> bool:
        return value in PARTS

    @property
    def expectation(self) -> str:
        return f"one of {list(PARTS)}"


_PARAMETERS: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=COUNT),
    Integer("k", required=True, range=COUNT, tunable=True, recommended=("1", "1024")),
    Categorical("predictor_type", required=True, range=(CLASSIFIER, REGRESSOR)),
    Integer("sample_size", required=True, range=COUNT, tunable=True, recommended=("256", "20000000")),
    Integer("dimension_reduction_target", range=COUNT),
    Categorical("dimension_reduction_type", range=("sign", "fjlt")),
    Integer("faiss_index_ivf_nlists", words=("auto",), default="auto", range=COUNT),
    Parts("faiss_index_pq_m"),
    Categorical("index_metric", default=L2, range=(L2, INNER_PRODUCT, COSINE)),
    Categorical("index_type", default=FLAT, range=(FLAT, IVF_FLAT, IVF_PQ)),
    Integer("mini_batch_size", default="5000", range=COUNT),
    *MACHINERY,
)


def _reduction(values: Mapping[str, Any]) -> Iterable[str]:
    target, width = values.get("dimension_reduction_target"), values.get("feature_dim")
    if "dimension_reduction_type" in values and target is None:
        yield "Hyperparameter dimension_reduction_target is required when dimension_reduction_type is given"
    if target is not None and width is not None and target >= width:
        yield f"Hyperparameter dimension_reduction_target: {target} is not less than feature_dim, which is {width}"


def _metric(values: Mapping[str, Any]) -> Iterable[str]:
    metric = values.get("index_metric", L2)
    if values.get("index_type") == IVF_PQ and metric != L2:
        yield f"Hyperparameter index_metric: '{metric}' is not supported with index_type {IVF_PQ}; it must be '{L2}'"


def _neighbors(values: Mapping[str, Any]) -> Iterable[str]:
    k, size = values.get("k"), values.get("sample_size")
    if k and size and k > size:
        yield f"Hyperparameter k: {k} is more than sample_size, which is {size}"


SPECIFICATION = Specification(_PARAMETERS, rules=(_reduction, _metric, _neighbors), wording=SchemaWording())
