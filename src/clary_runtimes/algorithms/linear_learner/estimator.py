"""Linear models by stochastic gradient descent: many candidates at once, of which the best is kept.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.linear_learner.candidates import candidates
from clary_runtimes.algorithms.linear_learner.data import Rows, Scaler, check_rows, targets
from clary_runtimes.algorithms.linear_learner.hyperparameters import BINARY, LOSSES, MULTICLASS, SPECIFICATION
from clary_runtimes.algorithms.linear_learner.losses import loss_function, sigmoid
from clary_runtimes.algorithms.linear_learner.model import LinearModel
from clary_runtimes.algorithms.linear_learner.optimizers import NAMES
from clary_runtimes.algorithms.linear_learner.scores import (
    binary_scores,
    choose_threshold,
    multiclass_scores,
    regression_scores,
)
from clary_runtimes.algorithms.linear_learner.source import Source, in_memory
from clary_runtimes.algorithms.linear_learner.training import BestWeights, Patience, Throughput, Trainer
from clary_runtimes.contract.errors import UserError

Array = Any
Say = Callable[[str], None]

WATCHED_ROWS = 20_000
"""The training rows by which models are judged where there are no others for that."""


class Watched(NamedTuple):
    """The rows by which the models are compared, scaled, with what their losses are computed against."""

    name: str
    features: Array
    labels: Array
    truth: Array


class LinearLearner:
    """A linear classifier of two or more classes, or a linear regressor.

    The arguments are the documented hyperparameters by their names, with their documented defaults: ``epochs=15``,
    ``loss="auto"``, and ``num_classes`` for a ``multiclass_classifier``. Raises ``UserError`` for values outside their
    ranges. Once it is fitted, ``model`` has ``weights`` (outputs, features) and ``bias`` (outputs,), which apply to raw
    features and give raw outputs in the label's own units, and the ``threshold`` of a ``binary_classifier``.
    """

    def __init__(self, /, **hyperparameters: Any) -> None:
        self.given = {name: str(value) for name, value in hyperparameters.items()}
        self.hyperparameters = SPECIFICATION.parse(self.given)
        self.predictor_type: str = self.hyperparameters["predictor_type"]
        self.model: LinearModel | None = None

    def fit(
        self,
        features: Array,
        labels: Array,
        *,
        validation: tuple[Array, Array] | None = None,
        say: Say = lambda text: None,
    ) -> LinearLearner:
        """Fit (rows, columns), dense or CSR (which is made dense), and labels (rows,).

        Labels are 0 and 1, whole numbers from 0 to ``num_classes`` - 1, or any numbers of a regressor. The candidates
        are judged by ``validation``, features and labels, or else by the training rows. ``say`` gets the lines of the
        log. Raises ``UserError`` for data that cannot be learnt from.
        """
        rows = self._rows(features, labels, "The training data")
        held = None if validation is None else self._rows(*validation, "The validation data")
        if held is not None and held.features.shape[1] != rows.features.shape[1]:
            raise UserError(
                f"The validation data have {held.features.shape[1]} features where the training data have "
                f"{rows.features.shape[1]}"
            )
        return self.fit_source(in_memory(rows, self.hyperparameters), held, say=say)

    def fit_source(
        self,
        source: Source,
        validation: Rows | None = None,
        *,
        say: Say = lambda text: None,
        host: str = "algo-1",
    ) -> LinearLearner:
        """Fit rows that were read from a channel, and checked, as those of ``validation`` were.

        ``host`` is named in the lines that ``say`` gets.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # a model may run away: the others win
            self.model = self._best(source, validation, say, host)
        return self

    def scores(self, features: Array) -> Array:
        """What the documented answers call ``score``.

        The probability of label 1 (rows,), or the margin with ``hinge_loss``; the probabilities of the classes (rows,
        classes); or the value of a regressor (rows,), for (rows, columns), dense or CSR. Raises ``ValueError`` for
        another number of columns than in training.
        """
        model = self._fitted()
        if features.shape[1] != model.feature_dim:
            raise ValueError(f"the rows have {features.shape[1]} features where the model has {model.feature_dim}")
        return model.scores(_dense(features))

    def predict(self, features: Array) -> Array:
        """The label (rows,) that a classifier gives each row, or the value of a regressor; see ``scores``."""
        scores = self.scores(features)
        labels = self._fitted().labels(scores)
        return scores if labels is None else labels

    def score(self, features: Array, labels: Array) -> dict[str, float]:
        """Every documented metric of labelled rows, the loss that training made small first."""
        rows = Rows(_dense(features), np.asarray(labels))
        model, given = self._fitted(), self.hyperparameters
        raw = rows.features.astype(np.float64, copy=False) @ model.weights.T + model.bias
        loss = loss_function(model.loss, given)
        beta = given["f_beta"]
        if model.predictor_type == MULTICLASS:
            truth = np.eye(len(model.bias))[rows.labels.astype(np.int64)][:, :, None]
            found = {loss.objective: float(loss.value(raw[:, :, None], truth).mean())}
            return found | multiclass_scores(raw, rows.labels, given["accuracy_top_k"], beta)
        found = {loss.objective: float(loss.value(raw[:, 0], rows.labels).mean())}
        scores = model.scores(rows.features)
        if model.predictor_type == BINARY:
            return found | binary_scores(scores, sigmoid(raw[:, 0]), rows.labels, model.threshold, beta)
        return found | regression_scores(scores, rows.labels)

    def save(self, folder: Path) -> None:
        """Leave ``model.json`` and ``weights.npz`` in ``folder``."""
        self._fitted().save(folder)

    @classmethod
    def load(cls, folder: Path) -> LinearLearner:
        """Read what ``save`` wrote. Raises ``UserError`` if it is not there."""
        model = LinearModel.load(folder)
        own = {"predictor_type": model.predictor_type, "loss": model.loss}
        if model.predictor_type == MULTICLASS:
            own["num_classes"] = str(len(model.bias))
        found = cls(**{**model.hyperparameters, **own})
        found.model = model
        return found

    def _fitted(self) -> LinearModel:
        if self.model is None:
            raise ValueError("this LinearLearner has not been fitted")
        return self.model

    def _rows(self, features: Array, labels: Array, where: str) -> Rows:
        rows = Rows(_dense(features), np.asarray(labels, dtype=np.float64))
        if rows.features.ndim != 2 or not len(rows.features) or rows.labels.shape != (len(rows.features),):
            raise UserError(
                f"{where}: features must be (rows, columns) with at least one row, and labels (rows,); these are "
                f"{rows.features.shape} and {rows.labels.shape}"
            )
        for what, values in (("labels", rows.labels[:, None]), ("features", rows.features)):
            bad = np.argwhere(~np.isfinite(values))
            if len(bad):
                raise UserError(f"{where}: row {bad[0][0] + 1} of the {what} is missing or not a finite number")
        check_rows(rows, where, self.hyperparameters, learnt_from=where == "The training data")
        return rows

    def _best(self, source: Source, validation: Rows | None, say: Say, host: str) -> LinearModel:
        """The best of the candidates trained on ``source``, judged by ``validation``, or by ``source`` without it."""
        given, predictor = self.hyperparameters, self.predictor_type
        loss_name = given["loss"] if given["loss"] != "auto" else LOSSES[predictor][0]
        loss = loss_function(loss_name, given)
        scale = source.scale
        balance = source.class_counts[0] / max(1, source.class_counts[1]) if predictor == BINARY else 1.0
        models = candidates(given, NAMES[given["optimizer"]], balance)
        trainer = Trainer(given, models, loss, source.width, source.total)
        watched = _watched(source, validation, given)
        row_weights = _row_weights(source, models.positive_weight, given)
        criterion = given["binary_classifier_model_selection_criteria"] if predictor == BINARY else "loss_function"
        # A criterion that was chosen rules early stopping too.
        ruled = validation is not None and "binary_classifier_model_selection_criteria" in self.given
        best, patience = BestWeights(trainer), Patience(given)
        epochs = given["epochs"]
        for epoch in range(epochs):
            clock = Throughput()
            learning = trainer.epoch(source.pieces(given, trainer.generator), row_weights)
            speed = clock.of(source.total)
            losses = trainer.mean_loss(watched.features, watched.truth, _restore(scale))
            best.offer(losses)
            leader = int(losses.argmin())
            say(f"#quality_metric: host={host}, epoch={epoch}, train {loss.objective} <loss>={learning[leader]}")
            if validation is not None:
                say(f"#quality_metric: host={host}, epoch={epoch}, validation {loss.objective} <loss>={losses[leader]}")
            value = float(losses[leader])
            if ruled and not _by_loss(criterion):
                value = -max(rank[0] for rank in _ranks(trainer, watched, loss_name, losses, criterion, given)[0])
            say(f"#early_stopping_criteria_metric: host={host}, epoch={epoch}, criteria={criterion}, value={value}")
            say(f"#progress_metric: host={host}, completed {100 * (epoch + 1) / epochs:g} % of epochs")
            say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
            if patience.exhausted(value):
                say(f"Early stop condition met. Stopping training after epoch {epoch}.")
                break
        best.restore()
        ranks, thresholds = _ranks(trainer, watched, loss_name, best.losses, criterion, given)
        winner = max(range(len(models)), key=lambda model: ranks[model])
        chosen = {"optimizer": NAMES[given["optimizer"]], **models.describe(winner)}
        say(f"Best model found for hyperparameters: {json.dumps(chosen)}")
        columns = slice(winner, None, len(models))
        weights, bias = scale.unfold(trainer.weights[:, columns].T, trainer.bias[columns])
        metrics = {f"{watched.name}:{loss.objective}": float(best.losses[winner])}
        return LinearModel(predictor, loss_name, weights, bias, thresholds[winner], {**self.given, **chosen}, metrics)


def _dense(features: Array) -> Array:
    return np.asarray(features if isinstance(features, np.ndarray) else features.toarray())


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
    if scale.label_deviation == 1 and scale.label_mean == 0:
        return lambda raw: raw
    return lambda raw: raw * np.float32(scale.label_deviation) + np.float32(scale.label_mean)


def _row_weights(
    source: Source, positive: Array, hyperparameters: Mapping[str, Any]
) -> Callable[[Array], Array] | None:
    if hyperparameters["predictor_type"] == BINARY and (positive != 1.0).any():
        return lambda wanted: np.where(wanted > 0, positive, np.float32(1.0))
    if hyperparameters["predictor_type"] == MULTICLASS and hyperparameters["balance_multiclass_weights"]:
        counts = source.class_counts
        balance = (source.total / (np.maximum(1, counts) * np.count_nonzero(counts))).astype(np.float32)
        return lambda wanted: (wanted * balance[:, None]).sum(axis=1)
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
