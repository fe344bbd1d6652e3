"""DeepAR beside the seasonal naive forecast and gluonts' DeepAR: mean weighted quantile loss, seconds.

Normals of temperature of Seattle and San Francisco, an hour apart for a year (``vega_datasets``: seattle-temps,
sf-temps), of which the last 28 days are forecast day by day; and El Niño's sea temperatures by month since 1950
(``statsmodels``: elnino), of which the last ten years are forecast year by year. A day is like the one
before to the naive forecast, a year like the year before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bench.algorithms import Row, timed

IMAGE = "forecasting-deepar"
BESIDE = ("gluonts[torch]==0.17.0", "vega_datasets==0.9.0", "statsmodels")
QUANTILES = tuple(n / 10 for n in range(1, 10))
BATCHES, SIZE = 10, 32


def measure() -> Iterator[Row]:
    """Both data sets, with the same context, epochs and batch size on both sides; ours has more batches of hours."""
    import numpy as np
    import torch

    from clary_runtimes.algorithms.forecasting_deepar.accuracy import accuracy
    from clary_runtimes.algorithms.forecasting_deepar.estimator import DeepAR
    from clary_runtimes.algorithms.forecasting_deepar.series import Series

    torch.set_num_threads(1)
    for data, unit, series, start, horizon, count, epochs in (
        ("hourly temperatures, 2 series", "H", _temperatures(), datetime(2010, 1, 1), 24, 28, 40),
        ("El Niño, 1 series", "M", _elnino(), datetime(1950, 1, 1), 12, 10, 40),
    ):

        def cut(target: Any, start: datetime = start) -> Series:
            return Series(start, target, np.zeros(0, np.int64), np.zeros((0, len(target)), np.float32))

        train = [each[: -horizon * count] for each in series]
        ends = [(each, len(each) - horizon * n) for each in series for n in range(count)]
        actual = np.array([each[end - horizon : end] for each, end in ends])
        pasts = [each[: end - horizon] for each, end in ends]

        def quality(samples: Any, actual: Any = actual) -> float:
            return float(np.mean(list(accuracy(samples, actual, QUANTILES)[1].values())))

        model = DeepAR(
            time_freq=(1, unit), context_length=2 * horizon, prediction_length=horizon, epochs=epochs,
            mini_batch_size=SIZE,
        )  # fmt: skip
        _, took = timed(lambda model=model, train=train: model.fit([cut(each) for each in train]))
        found = quality(model.sample([cut(past) for past in pasts], 200))
        naive = quality(np.array([past[-horizon:] for past in pasts])[:, None])
        name = f"epochs={epochs}"
        yield Row(data, name, "seasonal naive", "mean_wQuantileLoss", found, naive, took, 0.0)
        samples, seconds = _peer(train, pasts, start, unit, horizon, epochs, 2 * horizon)
        yield Row(data, name, "gluonts DeepAREstimator", "mean_wQuantileLoss", found, quality(samples), took, seconds)


def _peer(
    train: list[Any], pasts: list[Any], start: datetime, unit: str, horizon: int, epochs: int, context: int
) -> tuple[Any, float]:
    import logging

    import numpy as np
    import pandas
    from gluonts.dataset.common import ListDataset
    from gluonts.torch import DeepAREstimator

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    freq = {"H": "h", "M": "M"}[unit]
    records = [{"start": pandas.Period(start, freq), "target": each} for each in train]
    estimator = DeepAREstimator(
        freq=freq, prediction_length=horizon, context_length=context, batch_size=SIZE, num_batches_per_epoch=BATCHES,
        num_parallel_samples=200,
        trainer_kwargs={"max_epochs": epochs, "enable_progress_bar": False, "accelerator": "cpu", "logger": False,
                        "enable_checkpointing": True, "enable_model_summary": False},
    )  # fmt: skip
    predictor, seconds = timed(lambda: estimator.train(ListDataset(records, freq=freq)))
    asked = [{"start": pandas.Period(start, freq), "target": past} for past in pasts]
    return np.array([each.samples for each in predictor.predict(ListDataset(asked, freq=freq))]), seconds


def _temperatures() -> list[Any]:
    from vega_datasets import local_data

    return [each["temp"].to_numpy(dtype=float) for each in (local_data.seattle_temps(), local_data.sf_temps())]


def _elnino() -> list[Any]:
    from statsmodels.datasets import elnino

    return [elnino.load_pandas().data.iloc[:, 1:].to_numpy(dtype=float).ravel()]
