"""AutoGluon-Tabular in the contract suite: two classes with names, and a column of text."""

from __future__ import annotations

from typing import Any

from contract import CSV, JSON, Case, Data, Mistake, Refusal

ROWS = "".join(f"{'yes' if n % 2 else 'no'},{n % 2},{n % 5},{'red' if n % 3 else 'blue'}\n" for n in range(200))
ASKED = "0,2,red\n1,2,blue\n1,4,red\n"


def check(answer: Any) -> None:
    first, second, third = answer["probabilities"]
    assert first[0] > 0.6 and second[1] > 0.6 and third[1] > 0.6


def _with_row_5(row: str) -> dict[str, Data | None]:
    lines = ROWS.splitlines()
    return {"train": Data("\n".join([*lines[:4], row, *lines[5:]]) + "\n")}


CASE = Case(
    name="autogluon-tabular",
    image="autogluon-tabular",
    hyperparameters={},
    channels={"train": Data(ROWS), "validation": Data("".join(ROWS.splitlines(True)[:50]))},
    metrics=("roc_auc", "accuracy"),
    requests={CSV: ASKED},
    outputs=(JSON, "application/json;verbose"),
    check=check,
    rows=3,
    missing_allowed=True,
    recordio=False,
    pipe=False,
    mistakes=(
        Mistake("wrong-width", ("train.data", "row 5", "columns"), channels=_with_row_5("no,1")),
        Mistake("missing-label", ("train.data", "row 5", "label"), channels=_with_row_5(",1,2,red")),
        Mistake("wrong-encoding", ("train.data",), channels={"train": Data(ROWS.encode("utf-16"))}),
        Mistake("latin-1", ("train.data",), channels={"train": Data(ROWS.replace("red", "grün").encode("latin-1"))}),
        Mistake("gzip", ("train.data",), channels={"train": Data(b"\x1f\x8b\x08\x00" + b"\x00\xff" * 50)}),
        Mistake("one-class", ("train", "label"), channels={"train": Data("no,2,3,red\nno,3,4,red\n")}),
        Mistake("no-features", ("train.data", "feature"), channels={"train": Data("1\n0\n")}),
        Mistake("other-width-in-validation", ("validation",), channels={"validation": Data("no,1,2\nyes,2,3\n")}),
        Mistake("unseen-label", ("validation", "row 1", "maybe"), channels={"validation": Data("maybe,1,2,red\n")}),
        Mistake("one-fold", ("num_bag_folds",), hyperparameters={"num_bag_folds": "1"}),
        Mistake("stack", ("num_bag_folds",), hyperparameters={"num_stack_levels": "2"}),
        Mistake("refit", ("refit_full",), hyperparameters={"set_best_to_refit_full": "True"}),
        Mistake("presets", ("presets", "best_quality"), hyperparameters={"presets": "fast"}),
        Mistake("extraneous-channel", ("test",), channels={"test": Data(ROWS)}),
    ),
    refusals=(Refusal("1,2\n", CSV, 400, "2 features"), Refusal("x,1,red\n", CSV, 400, "row 1, column 1")),
)
