"""DeepAR in the contract suite: series that go up and down within a day."""

from __future__ import annotations

import json
import math
from typing import Any

from contract import JSON, JSONLINES, Case, Data, Mistake, Refusal

HORIZON = 4


def _series(n: int, length: int = 60) -> dict[str, Any]:
    target: list[Any] = [10 + 5 * math.sin((point + n) * math.pi / 4) for point in range(length)]
    target[7] = "NaN"
    target[9] = None
    return {"start": "2024-01-01 00:00:00", "target": target, "cat": [n % 2]}


def _lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


SERIES = [_series(n) for n in range(8)]
ASKED = [_series(n, 30) for n in (1, 4)]


def check(answer: Any) -> None:
    assert len(answer["predictions"]) == 2
    for found in answer["predictions"]:
        assert set(found) == {"mean", "quantiles"} and len(found["mean"]) == HORIZON
        assert list(found["quantiles"]) == [f"0.{n}" for n in range(1, 10)]
        for low, high in zip(found["quantiles"]["0.1"], found["quantiles"]["0.9"], strict=True):
            assert low <= high


def _train(*records: Any) -> dict[str, Data | None]:
    return {"train": Data(_lines(*SERIES, *records), JSONLINES)}


def _with(**changes: Any) -> dict[str, Any]:
    return {**SERIES[0], **changes}


def _mistake(name: str, words: tuple[str, ...], **changes: Any) -> Mistake:
    return Mistake(name, ("train.data", "row 9", *words), channels=_train(_with(**changes)))


CASE = Case(
    name="forecasting-deepar",
    image="forecasting-deepar",
    hyperparameters={
        "time_freq": "3H", "context_length": "8", "prediction_length": str(HORIZON), "epochs": "2", "num_cells": "10",
        "mini_batch_size": "16", "num_eval_samples": "20",
    },
    channels={"train": Data(_lines(*SERIES), JSONLINES), "test": Data(_lines(*SERIES), JSONLINES)},
    metrics=("test:RMSE", "test:mean_wQuantileLoss", "train:final_loss", "train:loss:epoch", "train:progress"),
    requests={JSON: json.dumps({"instances": ASKED}), JSONLINES: _lines(*ASKED)},
    outputs=(JSON, JSONLINES),
    check=check,
    rows=2,
    pipe=False,
    required=("context_length", "prediction_length", "epochs", "time_freq"),
    mistakes=(
        Mistake("frequency", ("time_freq", "'5min'"), hyperparameters={"time_freq": "5 minutes"}),
        Mistake("likelihood", ("likelihood", "student-T"), hyperparameters={"likelihood": "poisson"}),
        Mistake("quantiles", ("test_quantiles", "between 0 and 1"), hyperparameters={"test_quantiles": "[0.5, 1]"}),
        Mistake("dropout", ("dropout_rate", "[0, 1)"), hyperparameters={"dropout_rate": "1"}),
        Mistake("cardinality", ("cat has 1", "[1]"), hyperparameters={"cardinality": "[1]"}),
        Mistake("cardinalities", ("cardinality [2, 2] has 2 entries",), hyperparameters={"cardinality": "[2, 2]"}),
        Mistake("features", ("num_dynamic_feat is 1", "0 dynamic_feat"), hyperparameters={"num_dynamic_feat": "1"}),
        Mistake("too-long", ("prediction_length (61)",), hyperparameters={"prediction_length": "61"}),
        Mistake("too-few", ("58 observations", "300"), channels={"train": Data(_lines(SERIES[0]), JSONLINES),
                                                                  "test": None}),
        Mistake("not-counts", ("'train'", "whole numbers"), hyperparameters={"likelihood": "negative-binomial"}),
        Mistake("not-shares", ("'train'", "0 to 1"), hyperparameters={"likelihood": "beta"}),
        Mistake("not-json", ("train.data", "row 2", "JSON"),
                channels={"train": Data(_lines(SERIES[0]) + "{", JSONLINES)}),
        Mistake("latin-1", ("train.data", "row 1", "UTF-8"),
                channels={"train": Data('{"start": "Zürich"}\n'.encode("latin-1"), JSONLINES)}),
        Mistake("truncated-gzip", ("train.data", "gzip"),
                channels={"train": Data(b"\x1f\x8b\x08\x00" + bytes(8), JSONLINES)}),
        Mistake("not-parquet", ("train.data", "Parquet"), channels={"train": Data(_lines(*SERIES), "parquet")}),
        _mistake("no-target", ("no target",), target=None),
        _mistake("text", ("'abc'", "value 2"), target=[1, "abc", 3]),
        _mistake("infinite", ("value 1", "too large"), target=[math.inf, 2]),
        _mistake("start", ("start is '1 May'", "2009-11-01"), start="1 May"),
        _mistake("time-zone", ("time zone",), start="2024-01-01T00:00:00+01:00"),
        _mistake("cat", ("cat is [-1]",), cat=[-1]),
        _mistake("more-cats", ("cat has 2 entries", "1"), cat=[0, 1]),
        _mistake("short-features", ("dynamic_feat has 2 values", "60"), dynamic_feat=[[1, 2]]),
        _mistake("gaps-in-features", ("dynamic_feat", "not supported"), dynamic_feat=[[None, 2]]),
        Mistake("unknown-group", ("'test'", "series 1", "cat 5"),
                channels={"test": Data(_lines(_with(cat=[5])), JSONLINES)}),
        Mistake("short-test", ("'test'", "prediction_length (4)"),
                channels={"test": Data(_lines(_with(target=[1, 2, 3])), JSONLINES)}),
    ),
    refusals=(
        Refusal('{"instances": []}', JSON, 400, "no time series"),
        Refusal(json.dumps({"instances": [_with(cat=[7])]}), JSON, 400, "the model knows 0 to 1"),
        Refusal(json.dumps({"instances": [_with(cat=[])]}), JSON, 400, "the model needs 1"),
        Refusal(json.dumps({"instances": ASKED, "configuration": {"num_samples": 0}}), JSON, 400, "num_samples is 0"),
        Refusal(json.dumps({"instances": ASKED, "configuration": {"quantiles": ["2"]}}), JSON, 400, "quantiles"),
        Refusal(json.dumps({"instances": ASKED, "configuration": {"output_types": ["mode"]}}), JSON, 400, "mode"),
    ),
)  # fmt: skip
