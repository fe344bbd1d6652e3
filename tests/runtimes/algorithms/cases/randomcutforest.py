"""Random Cut Forest in the contract suite: a heap of rows, and some far from it."""

from __future__ import annotations

from typing import Any

from contract import CSV, JSON, JSONLINES, RECORDIO, UNLABELLED_CSV, Case, Data, Mistake, Refusal, bodies, csv

ROWS = [[n * 7 % 11, n * 5 % 13, n * 3 % 17] for n in range(400)]
MARKED = [[0, *row] for row in ROWS[:50]] + [[1, 90, -90, 90], [1, -80, 80, 70]]
ASKED = [[5, 6, 8], [90, -90, 90], [4, 4, 4]]


def check(answer: Any) -> None:
    scores = [row["score"] for row in answer["scores"]]
    assert len(scores) == 3 and scores[1] > 2 * max(scores[0], scores[2]) > 0


def _changed(**changes: str) -> dict[str, str | None]:
    return dict(changes)


CASE = Case(
    name="randomcutforest",
    image="randomcutforest",
    hyperparameters={
        "feature_dim": "3", "num_trees": "50", "num_samples_per_tree": "64", "mini_batch_size": "100",
        "eval_metrics": '["accuracy", "precision_recall_fscore"]',
    },
    channels={"train": Data(csv(ROWS), UNLABELLED_CSV), "test": Data(csv(MARKED), "text/csv;label_size=1")},
    metrics=("test:f1", "test:accuracy", "test:precision", "test:recall", "train:progress", "train:throughput"),
    requests=bodies(ASKED),
    outputs=(JSON, JSONLINES, RECORDIO),
    check=check,
    rows=3,
    table=ROWS[:20],
    table_type=UNLABELLED_CSV,
    labelled=False,
    required=("feature_dim",),
    mistakes=(
        Mistake("trees", ("num_trees", "[50, 1000]"), hyperparameters=_changed(num_trees="49")),
        Mistake("samples", ("num_samples_per_tree", "[1, 2048]"), hyperparameters=_changed(num_samples_per_tree="0")),
        Mistake("metric", ("eval_metrics", "accuracy"), hyperparameters=_changed(eval_metrics='["auc"]')),
        Mistake("metrics", ("eval_metrics",), hyperparameters=_changed(eval_metrics="[1")),
        Mistake("label", ("'test'", "row 2", "label 2", "1 for an anomaly"),
                channels={"test": Data("0,1,2,3\n2,1,2,3\n", "text/csv;label_size=1")}),
        Mistake("other-width-in-test", ("'test'", "row 1", "feature_dim is 3"),
                channels={"test": Data("0,1,2\n", "text/csv;label_size=1")}),
        Mistake("too-large", ("MiB of memory", "num_trees"), channels={"train": Data("1,2,3\n", UNLABELLED_CSV)},
                hyperparameters=_changed(feature_dim="10000", num_trees="1000", num_samples_per_tree="2048")),
    ),
    refusals=(Refusal("1,2\n", CSV, 400, "a row has 2 features where the model has 3"),
              Refusal("1,2,3\n", CSV, 406, "text/csv", accept=CSV)),
)  # fmt: skip
