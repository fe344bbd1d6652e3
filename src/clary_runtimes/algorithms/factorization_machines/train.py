"""Training Factorization Machines: epochs of mini-batches, from a file or a FIFO.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines-howitworks.html
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types, stream
from clary_runtimes.algorithms.data.spool import Spool
from clary_runtimes.algorithms.data.stream import Batch
from clary_runtimes.algorithms.data.tabular import reading
from clary_runtimes.algorithms.factorization_machines.estimator import FactorizationMachine
from clary_runtimes.algorithms.factorization_machines.hyperparameters import BINARY, SPECIFICATION
from clary_runtimes.algorithms.factorization_machines.metrics import LINES
from clary_runtimes.algorithms.factorization_machines.scores import Tally
from clary_runtimes.algorithms.first_party import check_one_host, say
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

Array = Any
Pieces = Iterator[tuple[Array, Array]]

SEED = 20101213


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model_algo-1`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "Factorization Machines")
    host, width = job.resources.current_host, hyperparameters["feature_dim"]
    channel = job.channel("train")
    assert channel is not None
    _check_memory(hyperparameters)
    kept = {name: value for name, value in hyperparameters.items() if name != "feature_dim" and name[0] != "_"}
    model = FactorizationMachine(seed=SEED, **kept).begin(width)
    with np.errstate(over="ignore", invalid="ignore"):  # a model may run away, which is said below
        for epoch, passing in enumerate(_epochs(channel, hyperparameters)):
            started = time.monotonic()
            with reading(channel):
                tally = model.epoch(passing())
            _check_finite(tally)
            found = tally.values()
            _report(host, f"epoch={epoch}, train", found)
            done = 100 * (epoch + 1) / hyperparameters["epochs"]
            say(f"#progress_metric: host={host}, completed {done:g} % of epochs")
            speed = tally.rows / max(1e-9, time.monotonic() - started)
            say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
        _report(host, "train", found)
        test = job.channel("test", required=False)
        if test is None:
            say("Test data is not provided.")
        else:
            tally = Tally(model.predictor_type)
            with reading(test):
                for features, labels in _pieces(test, hyperparameters, None):
                    tally.add(model.raw(features), labels)
            _report(host, "test", tally.values())
    model.save(job.folders.model)


def _epochs(channel: Channel, hyperparameters: Mapping[str, Any]) -> Iterator[Callable[[], Pieces]]:
    """What gives the pieces of each epoch: the first comes from the channel, and later ones from a file of what it held
    in another order, but in Pipe mode, where the platform sends it anew."""
    epochs = hyperparameters["epochs"]
    again = Spool() if epochs > 1 and channel.input_mode != "Pipe" else None
    order = np.random.default_rng(SEED)

    def once_more() -> Pieces:
        assert again is not None
        for number in order.permutation(len(again)):
            batch = again.read(int(number))
            yield batch.features, batch.labels

    for epoch in range(epochs):
        if epoch and again is not None:
            yield once_more
        else:
            yield lambda: _pieces(channel, hyperparameters, again)


def _pieces(channel: Channel, hyperparameters: Mapping[str, Any], spool: Spool | None) -> Pieces:
    content_type = channel.content_type or content_types.RECORDIO
    if content_types.media_type(content_type) != content_types.RECORDIO:
        raise UserError(
            f"Content type {content_type} is not supported for channel '{channel.name}': use {content_types.RECORDIO}"
        )
    seen, classes = 0, set()
    binary = hyperparameters["predictor_type"] == BINARY
    for batch in stream.rows(channel, content_types.RECORDIO, width=hyperparameters["feature_dim"]).blocks():
        assert batch.labels is not None
        if binary:
            bad = np.flatnonzero((batch.labels != 0) & (batch.labels != 1))
            if len(bad):
                raise UserError(
                    f"Channel '{channel.name}': row {seen + bad[0] + 1} has label {batch.labels[bad[0]]:g}; the labels"
                    f" of a {BINARY} must be 0 or 1"
                )
            classes.update(np.unique(batch.labels).tolist())
        seen += len(batch)
        if spool is not None:
            spool.add(Batch(batch.features, batch.labels))
        yield batch.features, batch.labels
    if binary and channel.name == "train" and len(classes) == 1:
        raise UserError(
            f"Channel 'train' has only label {classes.pop():g}; a classifier needs rows of at least two classes"
        )


def _check_memory(hyperparameters: Mapping[str, Any]) -> None:
    width, factors = hyperparameters["feature_dim"], hyperparameters["num_factors"]
    needed = width * (factors + 1) * 3 * 4  # the parameters and two moments of each
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UserError(
            f"{width} features with {factors} factors take {needed >> 20} MiB of memory, and this instance has"
            f" {there >> 20}; lower num_factors, or feature_dim"
        )


def _check_finite(tally: Tally) -> None:
    if not tally.is_finite:
        raise UserError(
            "The loss is not a finite number any more: lower bias_lr, linear_lr and factors_lr, set clip_gradient, or"
            " scale the features and labels"
        )


def _report(host: str, where: str, found: Mapping[str, float]) -> None:
    for name, value in found.items():
        say(f"#quality_metric: host={host}, {where} {LINES[name]}={value}")
