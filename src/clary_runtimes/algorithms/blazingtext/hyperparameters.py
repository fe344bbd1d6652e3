"""The hyperparameters of BlazingText.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary_runtimes.algorithms.first_party import COUNT, MACHINERY, NOT_NEGATIVE
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

SUPERVISED, BATCH_SKIPGRAM, SKIPGRAM, CBOW = "supervised", "batch_skipgram", "skipgram", "cbow"
WORD_MODES = (BATCH_SKIPGRAM, SKIPGRAM, CBOW)
ONLY_SUPERVISED = ("early_stopping", "min_epochs", "patience", "word_ngrams")
ONLY_WORDS = (
    "batch_size", "evaluation", "min_char", "max_char", "negative_samples", "sampling_threshold", "subwords",
    "window_size",
)  # fmt: skip
"""What has no effect in the other kind of modes."""
LONGEST = Interval(1, 1024)
POSITIVE = Interval(0, open_minimum=True)

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Categorical("mode", required=True, range=(*WORD_MODES, SUPERVISED), tunable=True, recommended=WORD_MODES),
    Integer("batch_size", default="11", range=COUNT, tunable=True, recommended=("8", "32")),
    Integer("buckets", default="2000000", range=COUNT, tunable=True, recommended=("1000000", "10000000")),
    Boolean("early_stopping", default="false"),
    Integer("epochs", default="5", range=COUNT, tunable=True, recommended=("5", "15")),
    Boolean("evaluation", default="true"),
    Continuous("learning_rate", default="0.05", range=POSITIVE, tunable=True, recommended=("0.005", "0.01")),
    Integer("max_char", default="6", range=LONGEST),
    Integer("min_char", default="3", range=LONGEST),
    Integer("min_count", default="5", range=NOT_NEGATIVE, tunable=True, recommended=("0", "100")),
    Integer("min_epochs", default="5", range=COUNT),
    Integer("negative_samples", default="5", range=COUNT, tunable=True, recommended=("5", "25")),
    Integer("patience", default="4", range=COUNT),
    Continuous(
        "sampling_threshold",
        default="0.0001",
        range=Interval(0, 1, open_minimum=True),
        tunable=True,
        recommended=("0.0001", "0.001"),
    ),
    Boolean("subwords", default="false"),
    Integer("vector_dim", default="100", range=COUNT, tunable=True, recommended=("32", "300")),
    Integer("window_size", default="5", range=COUNT, tunable=True, recommended=("1", "10")),
    Integer("word_ngrams", default="2", range=COUNT, tunable=True, recommended=("1", "3")),
    *MACHINERY,
)


def _subwords(values: Mapping[str, Any]) -> Iterable[str]:
    if values.get("mode") not in (SKIPGRAM, CBOW) or not values.get("subwords"):
        if values.get("mode") == BATCH_SKIPGRAM and values.get("subwords"):
            yield "Hyperparameter subwords: 'true' needs mode 'skipgram' or 'cbow'; 'batch_skipgram' learns whole words"
        return
    if values.get("min_char", 0) > values.get("max_char", 0):
        yield f"Hyperparameter min_char: {values['min_char']} is more than max_char, {values.get('max_char')}"


SPECIFICATION = Specification(_PARAMETERS, rules=(_subwords,), wording=SchemaWording())
