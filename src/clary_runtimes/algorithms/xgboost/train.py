"""Training the built-in XGBoost algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.spool import Spool
from clary_runtimes.algorithms.xgboost import callbacks
from clary_runtimes.algorithms.xgboost.cross_validation import write_predictions
from clary_runtimes.algorithms.xgboost.data import read_rows, shape
from clary_runtimes.algorithms.xgboost.estimator import MODEL_FILE, Begin, XGBoost
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput

say = functools.partial(print, flush=True)


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``xgboost-model`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    model = XGBoost(**job.hyperparameters)
    if len(job.resources.hosts) > 1:
        raise UserError(
            "This image trains the built-in XGBoost algorithm on one instance; please set InstanceCount to 1"
        )
    extraneous = set(job.channels) - {"train", "validation", "code"}
    if extraneous:
        raise UserError(f"Extraneous channel found: {', '.join(sorted(extraneous))}")
    train_channel = job.channel("train")
    assert train_channel is not None
    validation_channel = job.channel("validation", required=False)
    csv_weights = model.hyperparameters.get("csv_weights") == 1
    rows = read_rows(train_channel, csv_weights, model.check_labels, model.may_be_binned)
    binned = isinstance(rows, Spool)
    held = read_rows(validation_channel, csv_weights, model.check_labels, binned) if validation_channel else None
    say("Train matrix has {} rows and {} columns".format(*shape(rows)))
    if held is not None:
        say(f"Validation matrix has {shape(held)[0]} rows")
    model.fit_tables(rows, held, say=say, begin=functools.partial(_begin, job, model))
    if model.held_out_predictions is not None:
        every: list[Any] = [each.labels for each in (rows, held) if each is not None and not isinstance(each, Spool)]
        write_predictions(
            job.folders.output_data / "predictions.csv", np.concatenate(every), model.held_out_predictions
        )
    if job.resources.is_leader:
        model.save(job.folders.model)


def _begin(job: TrainingInput, model: XGBoost, number: int) -> Begin:
    """Go on from the newest checkpoint; keep checkpoints, and the model of the last round if that is wanted."""
    folder, name = job.checkpoints, MODEL_FILE
    if model.folds is not None:
        folder = None if folder is None else folder / f"model-{number}"
        name = f"{MODEL_FILE}-{number}"
    checkpoint, first_round = callbacks.newest_checkpoint(folder)
    if checkpoint is not None:
        say(f"Checkpoint loaded from {checkpoint}\nResuming from iteration {first_round}")
    return Begin(checkpoint, first_round, _after(job, model, job.folders.model / name, folder, first_round))


def _after(
    job: TrainingInput, model: XGBoost, model_path: Path, checkpoints: Path | None, first_round: int
) -> list[Any]:
    after: list[Any] = []
    if not job.resources.is_leader:
        return after
    if checkpoints is not None:
        after.append(callbacks.Checkpoints(checkpoints, first_round))
    if model.hyperparameters.get("save_model_on_termination") == "true":
        after.append(callbacks.IntermediateModel(model_path))
    return after
