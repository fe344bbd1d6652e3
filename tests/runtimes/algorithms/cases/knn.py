"""k-NN in the contract suite: two classes in two corners."""

from __future__ import annotations

from typing import Any

from contract import JSON, JSONLINES, RECORDIO, Case, Data, Mistake, bodies, csv

ROWS = [[n % 2, 20 * (n % 2) + n % 7, n % 5, n % 3] for n in range(200)]
ASKED = [[1, 2, 1], [19, 2, 1], [26, 4, 0]]


def check(answer: Any) -> None:
    assert answer == {"predictions": [{"predicted_label": label} for label in (0.0, 1.0, 1.0)]}


CASE = Case(
    name="knn",
    image="knn",
    hyperparameters={"k": "5", "feature_dim": "3", "predictor_type": "classifier", "sample_size": "150"},
    channels={"train": Data(csv(ROWS)), "test": Data(csv(ROWS[:60]))},
    metrics=("test:accuracy", "train:progress", "train:throughput"),
    requests=bodies(ASKED),
    outputs=(JSON, JSONLINES, RECORDIO),
    check=check,
    rows=3,
    table=ROWS[:20],
    required=("k", "feature_dim", "predictor_type", "sample_size"),
    mistakes=(
        Mistake("more-neighbors-than-rows", ("has 3 rows", "k = 5"), channels={"train": Data(csv(ROWS[:3]))}),
        Mistake("more-neighbors-than-sample", ("k", "sample_size"), hyperparameters={"k": "151"}),
        Mistake("one-class", ("only label 0", "two classes"), channels={"train": Data(csv(ROWS[::2]))}),
        Mistake("part-of-a-class", ("row 2", "label 0.5"), channels={"train": Data("1,2,3,4\n0.5,1,2,3\n")}),
        Mistake("huge-class", ("row 1", "123456789"), channels={"train": Data("123456789,2,3,4\n0,1,2,3\n")}),
        Mistake("missing-label", ("row 1", "label"), channels={"train": Data(",2,3,4\n0,1,2,3\n")}),
        Mistake(
            "no-label-column",
            ("label_size must be 1",),
            channels={"train": Data(csv(ROWS), "text/csv;label_size=0")},
        ),
        Mistake(
            "other-width-in-test",
            ("'test'", "row 1", "it has 2 features where feature_dim is 3"),
            channels={"test": Data("1,2,3\n")},
        ),
        Mistake("no-target", ("dimension_reduction_target",), hyperparameters={"dimension_reduction_type": "sign"}),
        Mistake("target", ("not less than feature_dim",), hyperparameters={"dimension_reduction_target": "3"}),
        Mistake(
            "metric-of-parts",
            ("index_metric", "faiss.IVFPQ"),
            hyperparameters={"index_type": "faiss.IVFPQ", "index_metric": "COSINE"},
        ),
        Mistake("parts", ("faiss_index_pq_m", "96"), hyperparameters={"faiss_index_pq_m": "5"}),
    ),
)
