"""Factorization Machines in the contract suite: what two features are worth together, each is not alone."""

from __future__ import annotations

import json
from typing import Any

from contract import CSV, JSON, JSONLINES, RECORDIO, Case, Data, Mistake, Refusal, recordio, sparse_recordio

WIDTH = 8
PAIRS = [(n % 4, 4 + n * 7 % 4 if n % 3 else 4 + n // 4 % 4) for n in range(600)]
LABELS = [float(one % 2 == two % 2) for one, two in PAIRS]
SPARSE = [{one: 1.0, two: 1.0} for one, two in PAIRS]
DENSE = [[float(place in pair) for place in range(WIDTH)] for pair in PAIRS]
ASKED = [[1, 0, 0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0, 0, 1]]
TRAIN = recordio(DENSE[:20], LABELS[:20])


def check(answer: Any) -> None:
    assert [row["predicted_label"] for row in answer["predictions"]] == [1, 0, 1]
    assert all(0 <= row["score"] <= 1 for row in answer["predictions"])


def _sparse() -> str:
    def instance(row: list[int]) -> dict[str, Any]:
        keys = [place for place, value in enumerate(row) if value]
        return {"data": {"features": {"keys": keys, "shape": [WIDTH], "values": [1] * len(keys)}}}

    return "\n".join(json.dumps(instance(row)) for row in ASKED)


def _labels(rows: list[float]) -> dict[str, Data]:
    return {"train": Data(recordio(DENSE[: len(rows)], rows), RECORDIO)}


CASE = Case(
    name="factorization-machines",
    image="factorization-machines",
    hyperparameters={
        "feature_dim": "8", "num_factors": "4", "predictor_type": "binary_classifier", "epochs": "30",
        "mini_batch_size": "50", "factors_lr": "0.05", "linear_lr": "0.05", "factors_init_sigma": "0.1",
    },
    channels={
        "train": Data(sparse_recordio(SPARSE, WIDTH, LABELS), RECORDIO),
        "test": Data(recordio(DENSE[:90], LABELS[:90]), RECORDIO),
    },
    metrics=(
        "train:binary_classification_accuracy:epoch", "train:binary_classification_cross_entropy:epoch",
        "test:binary_classification_accuracy", "test:binary_classification_cross_entropy", "test:binary_f_beta",
        "train:progress", "train:throughput",
    ),
    requests={
        JSON: json.dumps({"instances": [{"features": row} for row in ASKED]}),
        JSONLINES: _sparse(),
        RECORDIO: recordio(ASKED),
    },
    outputs=(JSON, JSONLINES, RECORDIO),
    check=check,
    rows=3,
    required=("feature_dim", "num_factors", "predictor_type"),
    mistakes=(
        Mistake("csv", ("text/csv", RECORDIO), channels={"train": Data("1,2\n")}),
        Mistake("truncated", ("train.data", "row 20", "cut short"), channels={"train": Data(TRAIN[:-5], RECORDIO)}),
        Mistake("no-recordio", ("train.data",), channels={"train": Data("1,2,3,4,5,6,7,8\n" * 9, RECORDIO)}),
        Mistake("infinite", ("train.data", "row 1", "not a finite number"),
                channels={"train": Data(recordio([[float("inf")] * 8], [1]), RECORDIO)}),
        Mistake("no-labels", ("no label",), channels={"train": Data(recordio(DENSE), RECORDIO)}),
        Mistake("label", ("row 2", "label 2", "0 or 1"), channels=_labels([1, 2, 0])),
        Mistake("one-class", ("only label 1", "two classes"), channels=_labels([1, 1, 1])),
        Mistake("feature-dim", ("feature_dim is 9",), hyperparameters={"feature_dim": "9"},
                channels={"train": Data(TRAIN, RECORDIO)}),
        Mistake("too-few-dimensions", ("feature_dim", "index 7"), hyperparameters={"feature_dim": "7"}),
        Mistake("initial", ("linear_init_scale is required",), hyperparameters={"linear_init_method": "uniform"}),
        Mistake("too-large", ("MiB of memory", "num_factors"), hyperparameters={"feature_dim": "100000000000"}),
    ),
    refusals=(
        Refusal("1,2,3,4,5,6,7,8\n", CSV, 415, "text/csv"),
        Refusal(json.dumps({"instances": [{"features": [1, 2]}]}), JSON, 400, "2 features where the model has 8"),
        Refusal('{"data": {"features": {"keys": [9], "values": [1]}}}', JSONLINES, 400, "key outside 0 to 7"),
    ),
)  # fmt: skip
