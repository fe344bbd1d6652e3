"""BlazingText in the contract suite: sentences about two subjects, each with words of its own."""

from __future__ import annotations

import json
from typing import Any

from contract import JSON, JSONLINES, RECORDIO, Case, Data, Mistake, Refusal

TEXT = "text/plain"
WORDS = {"sea": "ship wave sail harbour tide", "land": "tree field plough meadow barn"}


def _line(n: int) -> str:
    subject = ("sea", "land")[n % 2]
    words = WORDS[subject].split()
    return f"__label__{subject} the {words[n % 5]} and the {words[n // 2 % 5]} of a {words[n // 5 % 5]}"


LINES = [_line(n) for n in range(200)]
ASKED = ["a ship and a wave", "the field", "meadow and barn"]


def check(answer: Any) -> None:
    assert [found["label"] for found in answer] == [["__label__sea"], ["__label__land"], ["__label__land"]]
    assert all(0.8 < found["prob"][0] <= 1 for found in answer)


def _text(*lines: str) -> dict[str, Data | None]:
    return {"train": Data("\n".join(lines) + "\n", TEXT)}


def _json(*lines: str) -> dict[str, Data | None]:
    return {"train": Data("\n".join(lines) + "\n", JSONLINES)}


GOOD = '{"source": "a ship", "label": 1}'

CASE = Case(
    name="blazingtext",
    image="blazingtext",
    hyperparameters={"mode": "supervised", "buckets": "1000", "epochs": "20", "learning_rate": "0.5"},
    channels={"train": Data("\n".join(LINES), TEXT), "validation": Data("\n".join(LINES[:50]), TEXT)},
    metrics=("validation:accuracy", "train:accuracy"),
    requests={JSON: json.dumps({"instances": ASKED})},
    outputs=(JSON,),
    check=check,
    rows=3,
    required=("mode",),
    mistakes=(
        Mistake("mode", ("mode", "batch_skipgram"), hyperparameters={"mode": "glove"}),
        Mistake("epochs", ("epochs", "[1, +inf)"), hyperparameters={"epochs": "0"}),
        Mistake("rate", ("learning_rate", "(0, +inf)"), hyperparameters={"learning_rate": "0"}),
        Mistake("boolean", ("early_stopping", "'true' or 'false'"), hyperparameters={"early_stopping": "1"}),
        Mistake("batch-with-subwords", ("subwords", "skipgram"),
                hyperparameters={"mode": "batch_skipgram", "subwords": "True"}),
        Mistake("characters", ("min_char", "7", "max_char"),
                hyperparameters={"mode": "skipgram", "subwords": "True", "min_char": "7"}),
        Mistake("no-validation", ("early_stopping", "'validation'"),
                hyperparameters={"early_stopping": "True"}, channels={"validation": None}),
        Mistake("no-label", ("'train'", "none of the 2 rows has a label", "__label__"), channels=_text("a b", "c d")),
        Mistake("rare", ("min_count", "1000"), hyperparameters={"min_count": "1000"}),
        Mistake("too-large", ("MiB of memory", "buckets"), hyperparameters={"buckets": "1000000000000"}),
        Mistake("latin-1", ("train.data", "row 2", "UTF-8"),
                channels={"train": Data("__label__a b\n__label__a Zürich\n".encode("latin-1"), TEXT)}),
        Mistake("utf-16", ("train.data", "UTF-16", "UTF-8"), channels={"train": Data(LINES[0].encode("utf-16"), TEXT)}),
        Mistake("gzip", ("train.data", "gzip"), channels={"train": Data(b"\x1f\x8b\x08\x00" + bytes(50), TEXT)}),
        Mistake("broken-json", ("train.data", "row 2", "JSON"), channels=_json(GOOD, '{"source": "a')),
        Mistake("no-source", ("train.data", "row 2", '"source"'), channels=_json(GOOD, '{"text": "a", "label": 1}')),
        Mistake("json-label", ("train.data", "row 2", "label 1.5"),
                channels=_json(GOOD, '{"source": "a", "label": 1.5}')),
        Mistake("json-words", ("'train'", "supervised"), hyperparameters={"mode": "cbow"}, channels=_json(GOOD)),
        Mistake("not-recordio", ("train.data", "record 1", "RecordIO"),
                channels={"train": Data("\n".join(LINES), RECORDIO)}),
        Mistake("empty-validation", ("No data", "validation"), channels={"validation": Data("\n\n", TEXT)}),
    ),
    refusals=(
        Refusal('{"instances": []}', JSON, 400, "with one at least"),
        Refusal('{"instances": [1]}', JSON, 400, "1 is not a text"),
        Refusal('{"instances": ["a"], "configuration": {"k": 0}}', JSON, 400, "k must be a whole number"),
        Refusal('{"text": "a"}\n', JSONLINES, 400, "source"),
    ),
)  # fmt: skip
