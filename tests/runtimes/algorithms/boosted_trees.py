"""What the cases and the tests of the boosted trees of JumpStart share: a small table, its mistakes, real jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contract import CSV, Data, Mistake, Refusal, csv

ROWS = [[n % 2, n % 2, n % 5] for n in range(200)]
"""Two classes that a few trees tell apart; the label comes first."""
ASKED = [[0, 2], [1, 2], [1, 4]]

REFUSALS = (Refusal("1,2,3\n", CSV, 400, "2"), Refusal("1,x\n", CSV, 400, "row 1, column 2"))


def check(answer: Any) -> None:
    """Whether the rows of ``ASKED`` are told apart."""
    first, second, third = answer["probabilities"]
    assert first < 0.2 and second > 0.8 and third > 0.8


def mistakes(metric: dict[str, str]) -> tuple[Mistake, ...]:
    """Those of the data; ``metric`` is the hyperparameter that asks for a metric of two classes."""
    return (
        Mistake("missing-label", ("train.data", "row 2", "label"), channels={"train": Data("1,2,3\n,3,4\n")}),
        Mistake("one-class", ("train", "label 1"), channels={"train": Data("1,2,3\n1,3,4\n")}),
        Mistake("one-row", ("train", "label"), channels={"train": Data("1,2,3\n"), "validation": None}),
        Mistake("other-width-in-validation", ("validation",), channels={"validation": Data("1,2\n0,3\n")}),
        Mistake("unseen-label", ("validation", "row 2", "label 7"), channels={"validation": Data("1,2,3\n7,3,4\n")}),
        Mistake("no-class", ("train", "row 1", "0.5"), metric, {"train": Data("0.5,2,3\n1,3,4\n"), "validation": None}),
        Mistake("three-classes", ("3 labels",), metric, {"train": Data("0,2,3\n1,3,4\n2,3,4\n")}),
        Mistake("learning-rate", ("learning_rate",), hyperparameters={"learning_rate": "1.5"}),
        Mistake("extraneous-channel", ("test",), channels={"test": Data(csv(ROWS))}),
        Mistake("twice", ("training",), channels={"training": Data(csv(ROWS))}),
    )


def real_job(runtime: Any, root: Path, datasets: Path, name: str) -> Any:
    """A job with the data set ``name`` in its channels ``train`` and ``validation``."""
    job = runtime.job(root)
    job.channel("train", datasets / f"{name}-train.csv")
    return job.channel("validation", datasets / f"{name}-validation.csv")


def held_out(datasets: Path, name: str) -> tuple[str, list[float]]:
    """The features of the validation rows as CSV, and their labels."""
    lines = (datasets / f"{name}-validation.csv").read_text().splitlines()
    return "\n".join(line.partition(",")[2] for line in lines), [float(line.partition(",")[0]) for line in lines]
