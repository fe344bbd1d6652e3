"""Training K-Means: one batch after the other, from a file or a FIFO.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/algo-kmeans-tech-notes.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.reservoir import Reservoir
from clary_runtimes.algorithms.data.spool import Spool
from clary_runtimes.algorithms.data.stream import Batch, Rows
from clary_runtimes.algorithms.data.tabular import open_rows, reading
from clary_runtimes.algorithms.first_party import check_one_host, report, say
from clary_runtimes.algorithms.kmeans.estimator import KMeans, Passes
from clary_runtimes.algorithms.kmeans.hyperparameters import SPECIFICATION
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

Array = Any

SEED = 20171129
OWN = ("feature_dim", "eval_metrics")
"""Hyperparameters that are not the estimator's."""


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model_algo-1`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "K-Means")
    host, width = job.resources.current_host, hyperparameters["feature_dim"]
    channel = job.channel("train")
    assert channel is not None
    chosen = {
        name: value
        for name, value in hyperparameters.items()
        if name not in OWN and name in SPECIFICATION.parameters and not name.startswith("_") and name != "force_dense"
    }
    model = KMeans(**chosen, seed=SEED, say=say, host=host)
    with reading(channel):
        sample, passes = _source(open_rows(channel, width, labelled=False), model)
        _check_rows(len(sample), channel, model.k)
        model.fit_passes(sample, passes)
    test = job.channel("test", required=False)
    if test is None:
        say("Test data is not provided.")
    else:
        _score(model, test, width, hyperparameters["eval_metrics"], host)
    model.save(job.folders.model)


def _source(rows: Rows, model: KMeans) -> tuple[Array, Passes]:
    """Rows to choose the first centres from, and the passes.

    What is in files is read once, into one file that every pass then reads, and the rows are an even sample of all of
    it. A FIFO is not kept: the rows are the first ones.
    """
    size = model.mini_batch_size
    reservoir = Reservoir(model.initial_rows, SEED)
    if not rows.is_streamed:
        spool = Spool()
        for batch in rows.batches(size):
            reservoir.add(batch.features)
            spool.add(Batch(batch.features, None))
        order = np.random.default_rng(SEED)
        return reservoir.features, lambda: (spool.read(int(n)).features for n in order.permutation(len(spool)))
    first, batches = [], rows.batches(size)
    for batch in batches:
        reservoir.add(batch.features)
        first.append(batch)
        if reservoir.seen >= model.initial_rows:
            break
    begun: Iterator[Batch] | None = itertools.chain(first, batches)

    def passing() -> Iterable[Array]:
        nonlocal begun
        current, begun = begun or rows.batches(size), None
        return (batch.features for batch in current)

    return reservoir.features, passing


def _check_rows(count: int, channel: Channel, k: int) -> None:
    if count < k:
        raise UserError(
            f"Channel '{channel.name}' has {count} rows, and k is {k}: there cannot be more clusters than rows; "
            "lower k, or give more rows"
        )


def _score(model: KMeans, channel: Channel, width: int, wanted: list[str], host: str) -> None:
    """Print the metrics of a channel."""
    total, count = 0.0, 0
    with reading(channel):
        for batch in open_rows(channel, width, labelled=False).batches(model.mini_batch_size):
            total += float(np.square(model.assign(batch.features)[1], dtype=np.float64).sum())
            count += len(batch)
    values = {"msd": total / count, "ssd": total}
    for name in wanted:
        report(host, channel.name, name, values[name], "loss")
