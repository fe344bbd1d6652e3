"""CatBoost in the contract suite: two classes that a few trees tell apart."""

from __future__ import annotations

from typing import Any

from contract import CSV, JSON, Case, Data, Mistake, Refusal, csv

ROWS = [[n % 2, n % 2, n % 5] for n in range(200)]
ASKED = [[0, 2], [1, 2], [1, 4]]


def check(answer: Any) -> None:
    first, second, third = answer["probabilities"]
    assert first < 0.2 and second > 0.8 and third > 0.8


CASE = Case(
    name="catboost",
    image="catboost",
    hyperparameters={"iterations": "40", "learning_rate": "0.3", "eval_metric": "Logloss"},
    channels={"train": Data(csv(ROWS)), "validation": Data(csv(ROWS[:50]))},
    metrics=("Logloss",),
    requests={CSV: csv(ASKED)},
    outputs=(JSON, "application/json;verbose"),
    check=check,
    rows=3,
    table=ROWS[:20],
    missing_allowed=True,
    recordio=False,
    mistakes=(
        Mistake("missing-label", ("train.data", "row 2", "label"), channels={"train": Data("1,2,3\n,3,4\n")}),
        Mistake("one-class", ("train", "label 1"), channels={"train": Data("1,2,3\n1,3,4\n")}),
        Mistake("one-row", ("train", "label"), channels={"train": Data("1,2,3\n"), "validation": None}),
        Mistake("other-width-in-validation", ("validation",), channels={"validation": Data("1,2\n0,3\n")}),
        Mistake("unseen-label", ("validation", "row 2", "label 7"), channels={"validation": Data("1,2,3\n7,3,4\n")}),
        Mistake(
            "no-class",
            ("train", "row 1", "0.5"),
            {"eval_metric": "F1"},
            {"train": Data("0.5,2,3\n1,3,4\n"), "validation": None},
        ),
        Mistake("three-classes", ("3 labels",), {"eval_metric": "F1"}, {"train": Data("0,2,3\n1,3,4\n2,3,4\n")}),
        Mistake("metric", ("accuracy", "AUC"), hyperparameters={"eval_metric": "accuracy"}),
        Mistake("learning-rate", ("learning_rate",), hyperparameters={"learning_rate": "1.5"}),
        Mistake("leaves", ("Lossguide",), hyperparameters={"max_leaves": "5"}),
        Mistake("ordered", ("SymmetricTree",), {"boosting_type": "Ordered", "grow_policy": "Depthwise"}),
        Mistake("depth", ("depth", "16"), hyperparameters={"depth": "17"}),
        Mistake("extraneous-channel", ("test",), channels={"test": Data(csv(ROWS))}),
        Mistake("twice", ("training",), channels={"training": Data(csv(ROWS))}),
    ),
    refusals=(Refusal("1,2,3\n", CSV, 400, "2"), Refusal("1,x\n", CSV, 400, "row 1, column 2")),
)
