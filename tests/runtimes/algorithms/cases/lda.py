"""Latent Dirichlet Allocation in the contract suite: documents about one half of the words, or about the other."""

from __future__ import annotations

from typing import Any

from contract import CSV, JSON, JSONLINES, RECORDIO, UNLABELLED_CSV, Case, Data, Mistake, Refusal, bodies, csv


def _document(n: int) -> list[int]:
    one, two = [n % 5 + 1, n % 3 + 2, n % 4 + 1], [n % 4 + 2, n % 5 + 1, n % 2 + 1]
    return [*one, 0, 0, 0] if n % 2 else [0, 0, 0, *two]


ROWS = [_document(n) for n in range(200)]
ASKED = [[3, 2, 2, 0, 0, 0], [0, 0, 0, 4, 2, 1], [5, 4, 1, 0, 0, 0]]


def check(answer: Any) -> None:
    found = [row["topic_mixture"] for row in answer["predictions"]]
    assert all(len(mixture) == 2 and abs(sum(mixture) - 1) < 1e-6 for mixture in found)
    [first, second, third] = [max(range(2), key=mixture.__getitem__) for mixture in found]
    assert first == third != second and all(max(mixture) > 0.8 for mixture in found)


CASE = Case(
    name="lda",
    image="lda",
    hyperparameters={"num_topics": "2", "feature_dim": "6", "mini_batch_size": "200", "alpha0": "0.5"},
    channels={"train": Data(csv(ROWS), UNLABELLED_CSV), "test": Data(csv(ROWS[:40]), UNLABELLED_CSV)},
    metrics=("test:pwll", "train:progress", "train:throughput"),
    requests=bodies(ASKED),
    outputs=(JSON, JSONLINES, RECORDIO),
    check=check,
    rows=3,
    table=ROWS[:20],
    table_type=UNLABELLED_CSV,
    labelled=False,
    required=("num_topics", "feature_dim", "mini_batch_size"),
    mistakes=(
        Mistake("topics", ("num_topics is 7", "feature_dim 6"), hyperparameters={"num_topics": "7"}),
        Mistake("alpha0", ("alpha0", "(0, +inf)"), hyperparameters={"alpha0": "0"}),
        Mistake("negative", ("row 2", "word 3", "-4", "0 or more"),
                channels={"train": Data("1,2,3,0,0,0\n1,2,-4,0,0,0\n", UNLABELLED_CSV)}),
        Mistake("short", ("'train'", "no document has three words"),
                channels={"train": Data("1,1,0,0,0,0\n0,0,0,0,0,1\n", UNLABELLED_CSV)}),
        Mistake("other-width-in-test", ("'test'", "feature_dim is 6"),
                channels={"test": Data("1,2\n", UNLABELLED_CSV)}),
        Mistake("too-large", ("MiB of memory", "num_topics"),
                hyperparameters={"num_topics": "100000", "feature_dim": "100000"}),
    ),
    refusals=(Refusal("1,2,3,0,0,-1\n", CSV, 400, "counts of words"),),
)  # fmt: skip
