"""Training k-NN: sample the channel in one pass, build the index.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_how-it-works.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.stream import Batch
from clary_runtimes.algorithms.data.tabular import open_rows, reading
from clary_runtimes.algorithms.first_party import MACHINERY, check_one_host, report, say
from clary_runtimes.algorithms.knn.estimator import KNN
from clary_runtimes.algorithms.knn.hyperparameters import CLASSIFIER, REGRESSOR, SPECIFICATION
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

Array = Any

SEED = 3
EXACT = 1 << 24
"""Whole numbers up to here are themselves as 32-bit floats, in which labels are kept."""
OWN = ("feature_dim", "mini_batch_size", *(parameter.name for parameter in MACHINERY))
"""Hyperparameters that are not the estimator's."""


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave the index, the labels and their metadata in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "k-NN")
    host, width, size = (
        job.resources.current_host, hyperparameters["feature_dim"], hyperparameters["mini_batch_size"],
    )  # fmt: skip
    channel = job.channel("train")
    assert channel is not None
    model = KNN(**{name: value for name, value in hyperparameters.items() if name not in OWN}, seed=SEED)
    started = time.monotonic()
    with reading(channel):
        rows = _Labelled(channel, open_rows(channel, width, labelled=True).batches(size), model.predictor_type)
        try:
            model.fit_batches(rows)
        except ValueError as error:
            remedy = "give more rows, or lower k" if rows.count < model.k else "lower faiss_index_pq_m"
            raise UserError(f"Channel 'train' has {rows.count} rows: {error}; {remedy}") from None
    rows.check_classes()
    speed = rows.count / max(1e-9, time.monotonic() - started)
    say(f"Sampled {len(model.labels)} of {rows.count} rows; the index holds {model.index.d} numbers of each.")
    say(f"#progress_metric: host={host}, completed 100 % of epochs")
    say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
    test = job.channel("test", required=False)
    if test is None:
        say("Test data is not provided.")
    else:
        _score(model, test, width, size, host)
    model.save(job.folders.model)


class _Labelled:
    """Features and labels of batches, checked as they go by."""

    def __init__(self, channel: Channel, batches: Iterator[Batch], predictor_type: str) -> None:
        self.count = 0
        self._channel, self._batches, self._type = channel, batches, predictor_type
        self._least, self._most = np.inf, -np.inf

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for batch in self._batches:
            labels = batch.labels
            assert labels is not None
            if self._type == CLASSIFIER:
                self._check(labels)
            self._least, self._most = min(self._least, labels.min()), max(self._most, labels.max())
            self.count += len(batch)
            yield batch.features, labels

    def check_classes(self) -> None:
        """Raise ``UserError`` if a classifier saw one class only."""
        if self._type == CLASSIFIER and self._least == self._most:
            raise UserError(
                f"Channel '{self._channel.name}' has only label {self._least:g}; a classifier needs rows of at least "
                "two classes"
            )

    def _check(self, labels: Array) -> None:
        bad = np.flatnonzero((labels != np.floor(labels)) | (np.abs(labels) > EXACT))
        if len(bad):
            raise UserError(
                f"Channel '{self._channel.name}': row {self.count + bad[0] + 1} has label {labels[bad[0]]:.15g}; the "
                f"labels of a {CLASSIFIER} must be whole numbers from -{EXACT} to {EXACT}: number the classes, or set "
                f"predictor_type to {REGRESSOR}"
            )


def _score(model: KNN, channel: Channel, width: int, size: int, host: str) -> None:
    """Print the metric of a channel."""
    right, error, count = 0, 0.0, 0
    with reading(channel):
        batches = open_rows(channel, width, labelled=True).batches(size)
        for features, labels in _Labelled(channel, batches, model.predictor_type):
            found = model.predict(features)
            right += int((found == labels).sum())
            error += float(np.square(found - labels).sum())
            count += len(labels)
    if model.predictor_type == CLASSIFIER:
        report(host, channel.name, "accuracy", right / count, "score")
    else:
        report(host, channel.name, "mse", error / count, "loss")
