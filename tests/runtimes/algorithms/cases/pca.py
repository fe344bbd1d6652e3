"""PCA in the contract suite: rows that lie near a plane."""

from __future__ import annotations

from typing import Any

from contract import JSON, JSONLINES, RECORDIO, UNLABELLED_CSV, Case, Data, Mistake, bodies, csv

ROWS = [[4 * (n % 10), 2 * (n % 10) + n % 3, n * 7 % 5, 9] for n in range(200)]
ASKED = [[0, 0, 0, 9], [36, 18, 0, 9], [36, 19, 4, 9]]


def check(answer: Any) -> None:
    found = [row["projection"] for row in answer["projections"]]
    assert [len(row) for row in found] == [2, 2, 2]
    # The greatest component is the last, and nearly along the first two columns.
    assert 38 < abs(found[1][1] - found[0][1]) < 41 and abs(found[1][0] - found[0][0]) < 2


CASE = Case(
    name="pca",
    image="pca",
    hyperparameters={"num_components": "2", "feature_dim": "4", "mini_batch_size": "50"},
    channels={"train": Data(csv(ROWS), UNLABELLED_CSV), "test": Data(csv(ROWS[:60]), UNLABELLED_CSV)},
    metrics=("train:progress", "train:throughput", "test:reconstruction_error", "train:explained_variance_ratio"),
    requests=bodies(ASKED),
    outputs=(JSON, JSONLINES, RECORDIO),
    check=check,
    rows=3,
    table=ROWS[:20],
    table_type=UNLABELLED_CSV,
    labelled=False,
    required=("num_components", "feature_dim", "mini_batch_size"),
    mistakes=(
        Mistake("more-components-than-columns", ("num_components", "4"), hyperparameters={"num_components": "5"}),
        Mistake(
            "more-components-than-rows",
            ("Channel 'train' has 1 rows", "num_components is 2", "lower num_components"),
            channels={"train": Data(csv(ROWS[:1]), UNLABELLED_CSV)},
        ),
        Mistake(
            "other-width-in-test",
            ("'test'", "row 1", "it has 2 features where feature_dim is 4"),
            channels={"test": Data("1,2\n", UNLABELLED_CSV)},
        ),
        Mistake("mode", ("algorithm_mode", "randomized"), hyperparameters={"algorithm_mode": "exact"}),
        Mistake("extra", ("extra_components", "[-1, +inf)"), hyperparameters={"extra_components": "-2"}),
    ),
)
