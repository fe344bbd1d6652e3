"""LightGBM in the contract suite: two classes that a few trees tell apart."""

from __future__ import annotations

from boosted_trees import ASKED, REFUSALS, ROWS, check, mistakes
from contract import CSV, JSON, Case, Data, Mistake, csv

CASE = Case(
    name="lightgbm",
    image="lightgbm",
    hyperparameters={"num_boost_round": "30"},
    channels={"train": Data(csv(ROWS)), "validation": Data(csv(ROWS[:50]))},
    metrics=("binary_logloss",),
    requests={CSV: csv(ASKED)},
    outputs=(JSON, "application/json;verbose"),
    check=check,
    rows=3,
    table=ROWS[:20],
    missing_allowed=True,
    recordio=False,
    mistakes=(
        *mistakes({"metric": "auc"}),
        Mistake("metric", ("metric", "multi_logloss"), hyperparameters={"metric": "accuracy"}),
        Mistake("two-weights", ("is_unbalance",), hyperparameters={"is_unbalance": "True", "scale_pos_weight": "2"}),
    ),
    refusals=REFUSALS,
)
