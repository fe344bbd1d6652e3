"""CatBoost in the contract suite: two classes that a few trees tell apart."""

from __future__ import annotations

from boosted_trees import ASKED, REFUSALS, ROWS, check, mistakes
from contract import CSV, JSON, Case, Data, Mistake, csv

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
        *mistakes({"eval_metric": "F1"}),
        Mistake("metric", ("accuracy", "AUC"), hyperparameters={"eval_metric": "accuracy"}),
        Mistake("leaves", ("Lossguide",), hyperparameters={"max_leaves": "5"}),
        Mistake("ordered", ("SymmetricTree",), {"boosting_type": "Ordered", "grow_policy": "Depthwise"}),
        Mistake("depth", ("depth", "16"), hyperparameters={"depth": "17"}),
    ),
    refusals=REFUSALS,
)
