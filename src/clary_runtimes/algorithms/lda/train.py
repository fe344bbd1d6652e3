"""Training Latent Dirichlet Allocation: the corpus is read once, into a file that every later pass reads.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lda.html
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from clary_runtimes.algorithms.data.spool import Spool
from clary_runtimes.algorithms.data.stream import Batch
from clary_runtimes.algorithms.data.tabular import open_rows, reading
from clary_runtimes.algorithms.first_party import check_one_host, report, say
from clary_runtimes.algorithms.lda.estimator import LDA, SURPLUS
from clary_runtimes.algorithms.lda.hyperparameters import SPECIFICATION
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel, TrainingInput

Array = Any

SEED = 20140815
BATCH = 2048
"""Documents that are worked on at once, at most: ``mini_batch_size`` is that of the whole corpus."""


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model_algo-1`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "LDA")
    host, topics, width = job.resources.current_host, hyperparameters["num_topics"], hyperparameters["feature_dim"]
    channel = job.channel("train")
    assert channel is not None
    if topics > width:
        raise UserError(f"num_topics is {topics} and feature_dim {width}: there cannot be more topics than words")
    _check_memory(topics, width)
    started = time.monotonic()
    spool = Spool(Batch(batch, None) for batch in _documents(channel, hyperparameters))
    chosen = {name: hyperparameters[name] for name in ("alpha0", "max_restarts", "max_iterations", "tol")}
    model = LDA(topics, **chosen, seed=SEED, say=say)
    try:
        model.fit_passes(lambda: (batch.features for batch in spool))
    except ValueError as error:
        raise UserError(f"Channel 'train' cannot be used: {error}") from error
    speed = spool.rows / max(1e-9, time.monotonic() - started)
    say(f"#throughput_metric: host={host}, train throughput={speed} records/second")
    say(f"#progress_metric: host={host}, completed 100 % of epochs")
    report(host, "train", "pwll", _pwll(model, (batch.features for batch in spool)), "score")
    test = job.channel("test", required=False)
    if test is None:
        say("Test data is not provided.")
    else:
        report(host, "test", "pwll", _pwll(model, _documents(test, hyperparameters)), "score")
    model.save(job.folders.model)


def _pwll(model: LDA, batches: Iterator[Array]) -> float:
    total = words = 0.0
    for batch in batches:
        found, count = model.likelihood(batch)
        total, words = total + found, words + count
    return total / max(1.0, words)


def _documents(channel: Channel, hyperparameters: Mapping[str, Any]) -> Iterator[Array]:
    """The documents of a channel in CSR batches; raises ``UserError`` for what is no count."""
    seen = 0
    with reading(channel):
        rows = open_rows(channel, hyperparameters["feature_dim"], labelled=False)
        for batch in rows.batches(min(BATCH, hyperparameters["mini_batch_size"])):
            found = csr_matrix(batch.features)
            if found.nnz and found.data.min() < 0:
                place = int(found.data.argmin())
                row = int(np.searchsorted(found.indptr, place, side="right"))
                raise UserError(
                    f"Channel '{channel.name}': row {seen + row}, word {found.indices[place] + 1} has the count"
                    f" {found.data[place]:g}; the counts of words must be 0 or more"
                )
            found.eliminate_zeros()
            seen += len(batch)
            yield found


def _check_memory(topics: int, width: int) -> None:
    components = SURPLUS * topics
    needed = int(8 * (components**3 * 6 + 6 * components * width))
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UserError(
            f"{topics} topics of {width} words take {needed >> 20} MiB of memory, and this instance has {there >> 20};"
            " lower num_topics, or leave rare words out"
        )
