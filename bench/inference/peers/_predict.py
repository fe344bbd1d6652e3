"""The models as functions of rows, the same for every peer that has no runtime of its own for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

KIND, FOLDER, PORT = "BENCH_MODEL", "BENCH_FOLDER", "BENCH_PORT"
"""The environment variables that tell a peer what to serve and where."""


def port() -> int:
    """Where the peer listens."""
    return int(os.environ[PORT])


def predictor() -> Callable[[Any], Any]:
    """The function that predicts for an array of rows, ``float32``."""
    folder = os.environ[FOLDER]
    if os.environ[KIND] == "sklearn":
        import joblib

        model = joblib.load(f"{folder}/model.joblib")
        predict: Callable[[Any], Any] = model.predict
        return predict
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=f"{folder}/model.ubj")
    booster.set_param({"nthread": 1})
    return lambda rows: booster.inplace_predict(rows)


def together(predict: Callable[[Any], Any], arrays: list[Any]) -> list[Any]:
    """The predictions for several requests' rows, made at once."""
    import numpy as np

    if len(arrays) == 1:
        return [predict(arrays[0])]
    ends = np.cumsum([len(rows) for rows in arrays])
    return np.split(predict(np.concatenate(arrays)), ends[:-1])
