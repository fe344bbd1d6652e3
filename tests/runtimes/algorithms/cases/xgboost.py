"""XGBoost in the contract suite: a regression that a few trees learn."""

from __future__ import annotations

from typing import Any

from contract import CSV, RECORDIO, Case, Data, Mistake, csv, recordio

ROWS = [[10 * (n % 2), n % 2, n % 5] for n in range(200)]
ASKED = [[0, 2], [1, 2], [1, 4]]


def check(answer: Any) -> None:
    scores = [row["score"] for row in answer["predictions"]]
    assert scores[0] < 1 and scores[1] > 9 and scores[2] > 9


CASE = Case(
    name="xgboost",
    image="xgboost-3.0",
    hyperparameters={"num_round": "20"},
    channels={"train": Data(csv(ROWS)), "validation": Data(csv(ROWS[:50]))},
    metrics=("train:rmse", "validation:rmse"),
    requests={CSV: csv(ASKED), "text/libsvm": "0:0 1:2\n0:1 1:2\n0:1 1:4\n", RECORDIO: recordio(ASKED)},
    outputs=("application/json", "application/jsonlines", CSV, RECORDIO),
    check=check,
    rows=3,
    table=ROWS[:20],
    missing_allowed=True,
    required=("num_round",),
    mistakes=(
        Mistake("missing-label", ("label",), channels={"train": Data("1,2,3\n,3,4\n")}),
        Mistake("other-width-in-validation", ("validation",), channels={"validation": Data("1,2\n0,3\n")}),
        Mistake(
            "label-out-of-range",
            ("label",),
            hyperparameters={"objective": "binary:logistic"},
            channels={"train": Data("5,2,3\n1,3,4\n")},
        ),
    ),
)
