"""Training PCA: one pass over the channel.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/how-pca-works.html
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.stream import Batch
from clary_runtimes.algorithms.data.tabular import open_rows, reading
from clary_runtimes.algorithms.first_party import check_one_host, report, say
from clary_runtimes.algorithms.pca.estimator import PCA
from clary_runtimes.algorithms.pca.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.pca.metrics import ERROR, EXPLAINED
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

Array = Any

SEED = 20171129


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model_algo-1`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "PCA")
    host, width, size = (
        job.resources.current_host, hyperparameters["feature_dim"], hyperparameters["mini_batch_size"],
    )  # fmt: skip
    channel = job.channel("train")
    assert channel is not None
    model = PCA(
        hyperparameters["num_components"],
        algorithm_mode=hyperparameters["algorithm_mode"],
        extra_components=hyperparameters["extra_components"],
        subtract_mean=hyperparameters["subtract_mean"],
        seed=SEED,
    )
    started = time.monotonic()
    with reading(channel):
        counted = _Counted(open_rows(channel, width, labelled=False).batches(size))
        try:
            model.fit_batches(counted)
        except ValueError:
            raise UserError(
                f"Channel '{channel.name}' has {counted.rows} rows, and num_components is {model.num_components}: there"
                " cannot be more components than rows; lower num_components, or give more rows"
            ) from None
    speed = counted.rows / max(1e-9, time.monotonic() - started)
    say(f"#progress_metric: host={host}, completed 100 % of epochs")
    say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
    report(host, "train", EXPLAINED, model.explained_variance_ratio, "score")
    test = job.channel("test", required=False)
    if test is None:
        say("Test data is not provided.")
    else:
        _score(model, test, width, size, host)
    model.save(job.folders.model)


class _Counted:
    """The features of batches, and how many rows went by."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches, self.rows = batches, 0

    def __iter__(self) -> Iterator[Array]:
        for batch in self._batches:
            self.rows += len(batch)
            yield batch.features


def _score(model: PCA, channel: Channel, width: int, size: int, host: str) -> None:
    """Print how well the components stand for the rows of a channel."""
    error, spread, count = 0.0, 0.0, 0
    with reading(channel):
        for batch in _dense(open_rows(channel, width, labelled=False).batches(size)):
            away = batch - model.mean
            spread += float(np.einsum("ij,ij->", away, away, dtype=np.float64))
            lost = away - model.transform(batch) @ model.v.T
            error += float(np.einsum("ij,ij->", lost, lost, dtype=np.float64))
            count += len(batch)
    report(host, channel.name, ERROR, error / count, "loss")
    report(host, channel.name, EXPLAINED, 1 - error / spread if spread else 1.0, "score")


def _dense(batches: Iterable[Batch]) -> Iterator[Array]:
    for batch in batches:
        yield batch.features if isinstance(batch.features, np.ndarray) else batch.features.toarray()
