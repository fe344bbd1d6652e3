"""K-Means in the contract suite: three heaps of rows that lie far from each other."""

from __future__ import annotations

from typing import Any

from contract import CSV, JSON, JSONLINES, RECORDIO, UNLABELLED_CSV, Case, Data, Mistake, bodies, csv

HEAPS = ((0, 0, 0), (40, 0, 8), (0, 40, -8))
ROWS = [[value + (n * (column + 3)) % 5 for column, value in enumerate(HEAPS[n % 3])] for n in range(300)]
ASKED = [[0, 0, 0], [40, 1, 8], [41, 0, 8], [0, 44, -8]]


def check(answer: Any) -> None:
    found = answer["predictions"]
    assert [set(row) for row in found] == [{"closest_cluster", "distance_to_cluster"}] * 4
    numbers = [row["closest_cluster"] for row in found]
    assert numbers[1] == numbers[2] and len(set(numbers)) == 3 and all(isinstance(number, float) for number in numbers)
    assert all(0 < row["distance_to_cluster"] < 6 for row in found)


CASE = Case(
    name="kmeans",
    image="kmeans",
    hyperparameters={"k": "3", "feature_dim": "3", "mini_batch_size": "100", "eval_metrics": '["msd","ssd"]'},
    channels={"train": Data(csv(ROWS), UNLABELLED_CSV), "test": Data(csv(ROWS[:60]), UNLABELLED_CSV)},
    metrics=("test:msd", "test:ssd", "train:msd", "train:progress", "train:throughput"),
    requests=bodies(ASKED),
    outputs=(JSON, JSONLINES, RECORDIO, CSV),
    check=check,
    rows=4,
    table=ROWS[:20],
    table_type=UNLABELLED_CSV,
    labelled=False,
    required=("k", "feature_dim"),
    mistakes=(
        Mistake(
            "more-clusters-than-rows",
            ("Channel 'train' has 300 rows", "k is 301", "lower k"),
            hyperparameters={"k": "301"},
        ),
        Mistake(
            "other-width-in-test",
            ("'test'", "row 1", "it has 2 features where feature_dim is 3"),
            channels={"test": Data("1,2\n", UNLABELLED_CSV)},
        ),
        Mistake("label-size", ("label_size",), channels={"train": Data(csv(ROWS), "text/csv;label_size=2")}),
        Mistake("unknown-metric", ("eval_metrics", "msd and ssd"), hyperparameters={"eval_metrics": '["mse"]'}),
        Mistake("no-clusters", ("k", "[1, +inf)"), hyperparameters={"k": "0"}),
        Mistake("init-method", ("init_method", "kmeans++"), hyperparameters={"init_method": "k-means||"}),
    ),
)
