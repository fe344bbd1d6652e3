"""Training a Random Cut Forest: one pass over the channel, in the memory of the samples.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/randomcutforest.html
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.reservoir import Reservoir
from clary_runtimes.algorithms.data.stream import Rows
from clary_runtimes.algorithms.data.tabular import open_rows, reading
from clary_runtimes.algorithms.first_party import check_one_host, report, say
from clary_runtimes.algorithms.randomcutforest.estimator import RandomCutForest
from clary_runtimes.algorithms.randomcutforest.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.randomcutforest.metrics import SCORES
from clary_runtimes.algorithms.randomcutforest.trees import memory_needed
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

Array = Any

SEED = 20160620
JUDGED_ROWS = 4096
"""Rows of the channel, drawn at random, whose scores settle from which score on a point is an anomaly."""


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model_algo-1`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "Random Cut Forest")
    host, width = job.resources.current_host, hyperparameters["feature_dim"]
    channel = job.channel("train")
    assert channel is not None
    _check_memory(hyperparameters)
    forest = RandomCutForest(hyperparameters["num_trees"], hyperparameters["num_samples_per_tree"], seed=SEED)
    judged = Reservoir(JUDGED_ROWS, SEED)
    started = time.monotonic()
    with reading(channel):
        forest.fit_batches(_dense(open_rows(channel, width, labelled=False), judged, hyperparameters))
    forest.set_threshold(forest.score(judged.features))
    speed = judged.seen / max(1e-9, time.monotonic() - started)
    say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
    say(f"#progress_metric: host={host}, completed 100 % of epochs")
    say(f"{judged.seen} points; scores above {forest.threshold} are those of anomalies")
    test = job.channel("test", required=False)
    if test is None:
        say("Test data is not provided.")
    else:
        for name, value in _quality(forest, test, hyperparameters).items():
            report(host, "test", name, value, "score")
    forest.save(job.folders.model)


def _dense(rows: Rows, judged: Reservoir, hyperparameters: Mapping[str, Any]) -> Iterator[Array]:
    for batch in rows.batches(hyperparameters["mini_batch_size"]):
        judged.add(batch.features)
        yield batch.features if isinstance(batch.features, np.ndarray) else batch.features.toarray()


def _check_memory(hyperparameters: Mapping[str, Any]) -> None:
    trees, size, width = (hyperparameters[name] for name in ("num_trees", "num_samples_per_tree", "feature_dim"))
    needed = memory_needed(trees, size, width)
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UserError(
            f"{trees} trees of {size} points with {width} features take {needed >> 20} MiB of memory, and this instance"
            f" has {there >> 20}; lower num_trees or num_samples_per_tree"
        )


def _quality(forest: RandomCutForest, channel: Channel, hyperparameters: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of a labelled channel, one batch after the other."""
    counts = np.zeros((2, 2))
    seen = 0
    with reading(channel):
        for batch in open_rows(channel, forest.width, labelled=True).batches(hyperparameters["mini_batch_size"]):
            assert batch.labels is not None
            bad = np.flatnonzero((batch.labels != 0) & (batch.labels != 1))
            if len(bad):
                raise UserError(
                    f"Channel '{channel.name}': row {seen + bad[0] + 1} has label {batch.labels[bad[0]]:g}; labels must"
                    " be 1 for an anomaly and 0 for any other row"
                )
            seen += len(batch)
            features = batch.features if isinstance(batch.features, np.ndarray) else batch.features.toarray()
            np.add.at(counts, (batch.labels.astype(np.int64), forest.predict(features)), 1)
    found: dict[str, float] = {}
    if "accuracy" in hyperparameters["eval_metrics"]:
        found["accuracy"] = float(np.trace(counts) / counts.sum())
    if "precision_recall_fscore" in hyperparameters["eval_metrics"]:
        found |= dict(zip(SCORES, (*_fscore(counts, 1), *_fscore(counts, 0)), strict=True))
    return found


def _fscore(counts: Array, label: int) -> tuple[float, float, float]:
    """F1, precision and recall of a label, from the counts of (label, prediction)."""
    hits, given, there = counts[label, label], counts[:, label].sum(), counts[label].sum()
    precision = float(hits / given) if given else 0.0
    recall = float(hits / there) if there else 0.0
    return 2 * precision * recall / (precision + recall) if hits else 0.0, precision, recall
