"""Training with BlazingText: a channel becomes one file of lines, from which vectors or a classifier are learnt.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clary_runtimes.algorithms.blazingtext.classifier import TextClassifier
from clary_runtimes.algorithms.blazingtext.hyperparameters import (
    ONLY_SUPERVISED,
    ONLY_WORDS,
    SPECIFICATION,
    SUPERVISED,
    WORD_MODES,
)
from clary_runtimes.algorithms.blazingtext.metrics import report
from clary_runtimes.algorithms.blazingtext.similarity import evaluate
from clary_runtimes.algorithms.blazingtext.text import Counts, write_text
from clary_runtimes.algorithms.blazingtext.words import WordVectors
from clary_runtimes.algorithms.first_party import check_one_host, say
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput

FLOAT = 4
COPIES = 3
"""Of the matrices, that are in memory at once."""


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``vectors.txt`` and ``vectors.bin``, or ``model.bin``, in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    hyperparameters = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "BlazingText")
    supervised = hyperparameters["mode"] == SUPERVISED
    for name in ONLY_WORDS if supervised else ONLY_SUPERVISED:
        if name in job.hyperparameters:
            say(f"{name} has no effect in mode '{hyperparameters['mode']}'")
    if supervised and hyperparameters["early_stopping"] and "validation" not in job.channels:
        raise UserError("early_stopping needs a channel 'validation'; add it, or set early_stopping to 'false'")
    _check_memory(hyperparameters)
    with tempfile.TemporaryDirectory() as folder:
        (_classifier if supervised else _vectors)(job, hyperparameters, Path(folder))


def _vectors(job: TrainingInput, hyperparameters: Mapping[str, Any], folder: Path) -> None:
    path = folder / "train"
    counts = _written(job, "train", path, labelled=False)
    names = {*ONLY_WORDS, "mode", "buckets", "epochs", "learning_rate", "min_count", "vector_dim"} - {"evaluation"}
    started = time.monotonic()
    vectors = WordVectors(**{name: hyperparameters[name] for name in names}).fit(path)
    _report_speed(counts, hyperparameters["epochs"], started)
    print(f"Number of words:  {len(vectors.words)}", flush=True)
    evaluated = evaluate(vectors) if hyperparameters["evaluation"] else None
    if evaluated is not None:
        print(json.dumps(evaluated, indent=4), flush=True)
        report("train:mean_rho", evaluated["mean_rho"])
    model = job.folders.model
    model.mkdir(parents=True, exist_ok=True)
    # A job that is stopped while these are written must leave none of them alone.
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".model-") as staging:
        vectors.save(Path(staging) / "model")
        if evaluated is not None:
            (Path(staging) / "model" / "eval.json").write_text(json.dumps(evaluated, indent=4))
        for file in (Path(staging) / "model").iterdir():
            file.replace(model / file.name)


def _classifier(job: TrainingInput, hyperparameters: Mapping[str, Any], folder: Path) -> None:
    path, judged = folder / "train", None
    counts = _written(job, "train", path, labelled=True)
    if job.channel("validation", required=False) is not None:
        judged = folder / "validation"
        _written(job, "validation", judged, labelled=True)
    names = {*ONLY_SUPERVISED, "buckets", "epochs", "learning_rate", "min_count", "vector_dim"}
    started = time.monotonic()
    model = TextClassifier(**{name: hyperparameters[name] for name in names})
    model.fit(path, judged, lambda epoch, accuracy: say(f"Epoch {epoch}: Validation accuracy: {accuracy:.4f}"))
    _report_speed(counts, model.epochs_done, started)
    if model.epochs_done < hyperparameters["epochs"]:
        say(f"Reached early stopping condition after {model.epochs_done} epochs")
    for name, text, title in (("train:accuracy", path, "train"), ("validation:accuracy", judged, "validation")):
        if text is not None:
            accuracy, lines = model.score(text)
            report(name, accuracy)
            print(f"Number of {title} examples: {lines}", flush=True)
    model.save(job.folders.model)


def _written(job: TrainingInput, name: str, path: Path, labelled: bool) -> Counts:
    channel = job.channel(name)
    assert channel is not None
    counts = write_text(channel, path, labelled)
    if counts.left_out:
        say(f"Channel '{name}': {counts.left_out} rows have no label and are left out")
    say(f"Channel '{name}': {counts.lines} lines, {counts.words} words")
    return counts


def _report_speed(counts: Counts, epochs: int, started: float) -> None:
    took = max(1e-9, time.monotonic() - started)
    print("Training finished.", flush=True)
    print(f"Average throughput in Million words/sec: {counts.words * epochs / took / 1e6:.2f}", flush=True)
    print(f"Total training time in seconds: {took:.2f}", flush=True)


def _check_memory(hyperparameters: Mapping[str, Any]) -> None:
    hashed = hyperparameters["word_ngrams"] > 1
    if hyperparameters["mode"] in WORD_MODES:
        hashed = hyperparameters["subwords"]
    rows = hyperparameters["buckets"] if hashed else 0
    needed = rows * hyperparameters["vector_dim"] * FLOAT * COPIES
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise UserError(
            f"{rows} buckets of {hyperparameters['vector_dim']} numbers take {needed >> 20} MiB of memory, and this"
            f" instance has {there >> 20}; lower buckets or vector_dim"
        )
