"""Training DeepAR: series are read whole, the network sees windows of them, and the test channel's ends are forecast.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from clary_runtimes.algorithms.first_party import check_one_host, say
from clary_runtimes.algorithms.forecasting_deepar.accuracy import accuracy
from clary_runtimes.algorithms.forecasting_deepar.estimator import DeepAR
from clary_runtimes.algorithms.forecasting_deepar.hyperparameters import AUTO, IGNORE, SPECIFICATION
from clary_runtimes.algorithms.forecasting_deepar.series import Series, read_channel
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput

LEAST_OBSERVATIONS = 300
ONE_THREAD = 1 << 15
"""Cells × windows of a batch below which several threads wait for each other longer than they work."""
OF_THE_MODEL = (
    "time_freq", "context_length", "prediction_length", "epochs", "dropout_rate", "early_stopping_patience",
    "embedding_dimension", "learning_rate", "likelihood", "mini_batch_size", "num_cells", "num_layers",
)  # fmt: skip


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model_algo-1`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "DeepAR")
    host = job.resources.current_host
    series = _read(job, "train", hyperparameters)
    cardinality = _cardinality(series, hyperparameters)
    _check_features(series, hyperparameters)
    observed = sum(int(np.isfinite(each.target).sum()) for each in series)
    if observed < LEAST_OBSERVATIONS:
        raise UserError(
            f"The time series of channel 'train' have {observed} observations together; DeepAR needs"
            f" {LEAST_OBSERVATIONS} at least"
        )
    test = _read(job, "test", hyperparameters) if job.channel("test", required=False) is not None else []
    _check_alike(test, series, cardinality)
    if hyperparameters["num_cells"] * hyperparameters["mini_batch_size"] < ONE_THREAD:
        torch.set_num_threads(1)
    model = DeepAR(**{name: hyperparameters[name] for name in OF_THE_MODEL if name in hyperparameters})
    for channel, each in (*(("train", one) for one in series), *(("test", one) for one in test)):
        if reason := model.noise.refuse(each.target[np.isfinite(each.target)]):
            raise UserError(f"Channel '{channel}': {reason}")
    say(f"{len(series)} time series with {observed} observations; on {model.device.type}")
    started = time.monotonic()

    def after(epoch: int, loss: float, windows: int) -> None:
        nonlocal started
        took, started = time.monotonic() - started, time.monotonic()
        say(f"#quality_metric: host={host}, epoch={epoch}, train loss <loss>={loss}")
        say(f"#progress_metric: host={host}, completed {100 * (epoch + 1) / hyperparameters['epochs']} % of epochs")
        say(f"#throughput_metric: host={host}, train throughput={windows / max(took, 1e-9)} records/second")

    loss, epoch = model.fit(series, cardinality, after)
    say(f"Final loss: {loss} (occurred at epoch {epoch})")
    say(f"#quality_metric: host={host}, train final_loss <loss>={loss}")
    if test:
        _evaluate(model, test, host, hyperparameters)
    model.save(job.folders.model)


def _read(job: TrainingInput, name: str, hyperparameters: Mapping[str, Any]) -> list[Series]:
    channel = job.channel(name)
    assert channel is not None
    grouped, featured = (hyperparameters[each] not in IGNORE for each in ("cardinality", "num_dynamic_feat"))
    return read_channel(channel, grouped, featured)


def _cardinality(series: Sequence[Series], hyperparameters: Mapping[str, Any]) -> list[int]:
    """How many groups each entry of ``cat`` has; checks that all are there, as the documentation asks."""
    found = (np.max([each.cat for each in series], axis=0) + 1).tolist()
    given = hyperparameters["cardinality"]
    if given == AUTO or given in IGNORE:
        return list(found)
    if len(given) != len(found):
        raise UserError(f"cardinality {given} has {len(given)} entries, and cat of channel 'train' has {len(found)}")
    for place, (most, there) in enumerate(zip(given, found, strict=True), start=1):
        if there > most:
            raise UserError(
                f"cat has {there - 1} as entry {place}, and cardinality {given} allows 0 to {most - 1} there"
            )
    return list(given)


def _check_features(series: Sequence[Series], hyperparameters: Mapping[str, Any]) -> None:
    given, found = hyperparameters["num_dynamic_feat"], len(series[0].dynamic)
    if given != AUTO and given not in IGNORE and given != found:
        raise UserError(
            f"num_dynamic_feat is {given}, and the time series of channel 'train' have {found} dynamic_feat"
        )


def _check_alike(test: Sequence[Series], series: Sequence[Series], cardinality: Sequence[int]) -> None:
    for row, each in enumerate(test, start=1):
        for name, mine, theirs in (
            ("cat", len(each.cat), len(series[0].cat)),
            ("dynamic_feat", len(each.dynamic), len(series[0].dynamic)),
        ):
            if mine != theirs:
                raise UserError(f"Channel 'test': series {row} has {mine} {name}, and those of 'train' have {theirs}")
        for group, most in zip(each.cat, cardinality, strict=True):
            if group >= most:
                raise UserError(f"Channel 'test': series {row} has cat {group}, which channel 'train' has not")


def _evaluate(model: DeepAR, test: Sequence[Series], host: str, hyperparameters: Mapping[str, Any]) -> None:
    """Forecast the last points of each series and report how near that comes."""
    horizon = model.prediction_length
    used = [each for each in test if len(each.target) > horizon and np.isfinite(each.target[-horizon:]).any()]
    if not used:
        raise UserError(f"Channel 'test': no time series has more than prediction_length ({horizon}) points")
    past = [each._replace(target=each.target[:-horizon]) for each in used]
    samples = model.sample(past, hyperparameters["num_eval_samples"])
    quantiles = hyperparameters["test_quantiles"]
    rmse, losses = accuracy(samples, np.array([each.target[-horizon:] for each in used]), quantiles)
    found = {f"wQuantileLoss[{quantile}]": loss for quantile, loss in losses.items()}
    for name, value in {"RMSE": rmse, "mean_wQuantileLoss": float(np.mean(list(losses.values()))), **found}.items():
        say(f"#test_score ({host}, {name}): {value}")
    say(f"#quality_metric: host={host}, test RMSE <loss>={rmse}")
    say(f"#quality_metric: host={host}, test mean_wQuantileLoss <loss>={float(np.mean(list(losses.values())))}")
