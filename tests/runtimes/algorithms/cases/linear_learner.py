"""The Linear Learner in the contract suite: two classes that a line parts."""

from __future__ import annotations

from typing import Any

from contract import CSV, JSON, JSONLINES, RECORDIO, Case, Data, Mistake, bodies, csv

ROWS = [[n % 2, n % 7 + 4 * (n % 2), n % 5] for n in range(200)]
ASKED = [[1, 2], [9, 2], [10, 4]]


def check(answer: Any) -> None:
    assert [row["predicted_label"] for row in answer["predictions"]] == [0, 1, 1]
    assert all(0 <= row["score"] <= 1 for row in answer["predictions"])


CASE = Case(
    name="linear-learner",
    image="linear-learner",
    hyperparameters={"predictor_type": "binary_classifier", "feature_dim": "2", "mini_batch_size": "20"},
    channels={"train": Data(csv(ROWS)), "validation": Data(csv(ROWS[:50])), "test": Data(csv(ROWS[:50]))},
    metrics=("train:objective_loss", "validation:binary_classification_accuracy", "test:recall", "train:progress"),
    requests=bodies(ASKED),
    outputs=(JSON, JSONLINES, RECORDIO, CSV),
    check=check,
    rows=3,
    table=ROWS[:20],
    required=("predictor_type",),
    mistakes=(
        Mistake("one-class", ("only label 1",), channels={"train": Data("1,2,3\n1,3,4\n")}),
        Mistake("label-out-of-range", ("row 2", "label 2"), channels={"train": Data("1,2,3\n2,3,4\n0,1,1\n")}),
        Mistake("other-width-in-validation", ("validation",), channels={"validation": Data("1,2\n0,3\n")}),
    ),
)
