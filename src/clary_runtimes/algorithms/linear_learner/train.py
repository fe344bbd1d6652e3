"""Training the Linear Learner: read, scale, train the candidates, choose the best, set its threshold.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.linear_learner.candidates import candidates
from clary_runtimes.algorithms.linear_learner.data import Rows, Scaler, read_rows, targets
from clary_runtimes.algorithms.linear_learner.hyperparameters import BINARY, LOSSES, MULTICLASS, SPECIFICATION
from clary_runtimes.algorithms.linear_learner.losses import loss_function, sigmoid
from clary_runtimes.algorithms.linear_learner.model import LinearModel
from clary_runtimes.algorithms.linear_learner.optimizers import NAMES
from clary_runtimes.algorithms.linear_learner.scores import (
    LOSS_NAMES,
    binary_scores,
    choose_threshold,
    multiclass_scores,
    regression_scores,
)
from clary_runtimes.algorithms.linear_learner.source import Source, read_source
from clary_runtimes.algorithms.linear_learner.training import BestWeights, Patience, Throughput, Trainer
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput

Array = Any
Say = Callable[[str], None]

WATCHED_ROWS = 20_000
"""The training rows by which models are judged where there is no validation channel."""


class Watched(NamedTuple):
    """The rows by which the models are compared, scaled, with what their losses are computed against."""

    name: str
    features: Array
    labels: Array
    truth: Array


def _say(text: str) -> None:
    """Print a line in the container's form."""
    print(f"[{time.strftime('%m/%d/%Y %H:%M:%S')} INFO {os.getpid()}] {text}", flush=True)


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave the artifact of the best model in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    if len(job.resources.hosts) > 1:
        raise UserError("This image trains Linear Learner on one instance; please set InstanceCount to 1")
    host = job.resources.current_host
    train_channel = job.channel("train")
    assert train_channel is not None
    source = read_source(train_channel, hyperparameters)
    others = {}
    for name in ("validation", "test"):
        channel = job.channel(name, required=False)
        if channel is not None:
            others[name] = read_rows(channel, hyperparameters)
            if others[name].features.shape[1] != source.width:
                raise UserError(
                    f"Channel '{name}' has {others[name].features.shape[1]} features where channel 'train' has "
                    f"{source.width}"
                )
    with np.errstate(over="ignore", invalid="ignore"):  # a model may run away: the others win
        model = fit(source, others.get("validation"), hyperparameters, job.hyperparameters, host)
    if source.spool is not None:
        _say(f"The metrics of channel 'train' are those of {len(source.scaled)} of its {source.total} rows.")
    for name, part in {"train": source.sample, **others}.items():
        _report(_say, host, name, quality(model, part, hyperparameters))
    if "test" not in others:
        _say("Test data is not provided.")
    model.save(job.folders.model)


def fit(
    source: Source,
    validation: Rows | None,
    hyperparameters: Mapping[str, Any],
    given: Mapping[str, str],
    host: str,
    say: Say = _say,
) -> LinearModel:
    """The best of the candidates trained on ``source``, judged by ``validation`` (or by ``source`` if that is None).

    ``given`` are the hyperparameters that the user set: a model selection criterion among them rules early stopping.
    """
    predictor = hyperparameters["predictor_type"]
    loss_name = hyperparameters["loss"] if hyperparameters["loss"] != "auto" else LOSSES[predictor][0]
    loss = loss_function(loss_name, hyperparameters)
    scale = source.scale
    balance = source.class_counts[0] / max(1, source.class_counts[1]) if predictor == BINARY else 1.0
    models = candidates(hyperparameters, NAMES[hyperparameters["optimizer"]], balance)
    trainer = Trainer(hyperparameters, models, loss, source.width)
    watched = _watched(source, validation, hyperparameters)
    row_weights = _row_weights(source, models.positive_weight, hyperparameters)
    criterion = (
        hyperparameters["binary_classifier_model_selection_criteria"] if predictor == BINARY else "loss_function"
    )
    ruled = validation is not None and "binary_classifier_model_selection_criteria" in given
    best, patience = BestWeights(trainer), Patience(hyperparameters)
    epochs = hyperparameters["epochs"]
    for epoch in range(epochs):
        clock = Throughput()
        learning = trainer.epoch(source.pieces(hyperparameters, trainer.generator), row_weights)
        speed = clock.of(source.total)
        losses = trainer.mean_loss(watched.features, watched.truth, _restore(scale))
        best.offer(losses)
        leader = int(losses.argmin())
        say(f"#quality_metric: host={host}, epoch={epoch}, train {loss.objective} <loss>={learning[leader]}")
        if validation is not None:
            say(f"#quality_metric: host={host}, epoch={epoch}, validation {loss.objective} <loss>={losses[leader]}")
        value = float(losses[leader])
        if ruled and not _by_loss(criterion):
            value = -max(rank[0] for rank in _ranks(trainer, watched, loss_name, losses, criterion, hyperparameters)[0])
        say(f"#early_stopping_criteria_metric: host={host}, epoch={epoch}, criteria={criterion}, value={value}")
        say(f"#progress_metric: host={host}, completed {100 * (epoch + 1) / epochs:g} % of epochs")
        say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
        if patience.exhausted(value):
            say(f"Early stop condition met. Stopping training after epoch {epoch}.")
            break
    best.restore()
    ranks, thresholds = _ranks(trainer, watched, loss_name, best.losses, criterion, hyperparameters)
    winner = max(range(len(models)), key=lambda model: ranks[model])
    say(f"Best model found for hyperparameters: {json.dumps(_described(hyperparameters, models.describe(winner)))}")
    columns = slice(winner * trainer.outputs, (winner + 1) * trainer.outputs)
    weights, bias = scale.unfold(trainer.weights[:, columns].T, trainer.bias[columns])
    return LinearModel(
        predictor,
        loss_name,
        weights,
        bias,
        thresholds[winner],
        _described(hyperparameters, models.describe(winner)),
        {f"{watched.name}:{loss.objective}": float(best.losses[winner])},
    )


def quality(model: LinearModel, rows: Rows, hyperparameters: Mapping[str, Any]) -> dict[str, float]:
    """Every documented metric of ``model`` on ``rows``, the objective first."""
    raw = rows.features.astype(np.float64, copy=False) @ model.weights.T + model.bias
    loss = loss_function(model.loss, hyperparameters)
    scores = model.scores(rows.features)
    beta = hyperparameters["f_beta"]
    if model.predictor_type == MULTICLASS:
        truth = np.eye(len(model.bias))[rows.labels.astype(np.int64)][:, None, :]
        found = {loss.objective: float(loss.value(raw[:, None, :], truth).mean())}
        return found | multiclass_scores(raw, rows.labels, hyperparameters["accuracy_top_k"], beta)
    found = {loss.objective: float(loss.value(raw[:, 0], rows.labels).mean())}
    if model.predictor_type == BINARY:
        return found | binary_scores(scores, sigmoid(raw[:, 0]), rows.labels, model.threshold, beta)
    return found | regression_scores(scores, rows.labels)


def _watched(source: Source, validation: Rows | None, hyperparameters: Mapping[str, Any]) -> Watched:
    features, rows, scale = source.scaled, source.sample, source.scale
    if validation is None:
        step = max(1, len(features) // WATCHED_ROWS)
        name, part, scaled = "train", Rows(rows.features[::step], rows.labels[::step]), features[::step]
    else:
        name, part, scaled = "validation", validation, scale.features(validation)
    plain = scale._replace(label_mean=0.0, label_deviation=1.0)
    return Watched(name, scaled, part.labels, targets(part, plain, hyperparameters))


def _restore(scale: Scaler) -> Callable[[Array], Array]:
    return lambda raw: raw * np.float32(scale.label_deviation) + np.float32(scale.label_mean)


def _row_weights(
    source: Source, positive: Array, hyperparameters: Mapping[str, Any]
) -> Callable[[Array], Array] | None:
    if hyperparameters["predictor_type"] == BINARY and (positive != 1.0).any():
        return lambda wanted: np.where(wanted > 0, positive, np.float32(1.0))
    if hyperparameters["predictor_type"] == MULTICLASS and hyperparameters["balance_multiclass_weights"]:
        counts = source.class_counts
        balance = (source.total / (np.maximum(1, counts) * np.count_nonzero(counts))).astype(np.float32)
        return lambda wanted: wanted @ balance
    return None


def _by_loss(criterion: str) -> bool:
    return criterion in ("loss_function", "cross_entropy_loss")


def _ranks(
    trainer: Trainer,
    watched: Watched,
    loss_name: str,
    losses: Array,
    criterion: str,
    hyperparameters: Mapping[str, Any],
) -> tuple[list[tuple[float, float]], list[float]]:
    """How good every model is by ``criterion``, then by its loss, and the threshold that makes it so."""
    logistic = loss_name == "logistic"
    count = len(trainer.models)
    if _by_loss(criterion):
        return [(-float(loss), 0.0) for loss in losses], [0.5 if logistic else 0.0] * count
    limit = hyperparameters["num_calibration_samples"]
    part = slice(None if limit == "auto" else limit)
    raw, labels = trainer.raw(watched.features[part]), watched.labels[part]
    scores = sigmoid(raw) if logistic else raw
    ranks, thresholds = [], []
    for model in range(count):
        threshold, value = choose_threshold(scores[:, model], labels, criterion, hyperparameters)
        ranks.append((value, -float(losses[model])))
        thresholds.append(threshold)
    return ranks, thresholds


def _described(hyperparameters: Mapping[str, Any], chosen: Mapping[str, float]) -> dict[str, Any]:
    return {"optimizer": NAMES[hyperparameters["optimizer"]], **chosen}


def _report(say: Say, host: str, segment: str, found: Mapping[str, float]) -> None:
    for name, value in found.items():
        say(f"#{segment}_score ({host}) : ('{name}', {value})")
    for name, value in found.items():
        kind = "loss" if name in LOSS_NAMES or name.endswith("_objective") else "score"
        say(f"#quality_metric: host={host}, {segment} {name} <{kind}>={value}")
