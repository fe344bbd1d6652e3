"""Training the built-in XGBoost algorithm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xgboost

from clary_runtimes.algorithms.data.spool import Spool
from clary_runtimes.algorithms.data.table import Table, join
from clary_runtimes.algorithms.xgboost import callbacks
from clary_runtimes.algorithms.xgboost.cross_validation import cross_validate
from clary_runtimes.algorithms.xgboost.data import matrix, read_rows, same_width, shape
from clary_runtimes.algorithms.xgboost.hyperparameters import DEFAULT_OBJECTIVE, SPECIFICATION
from clary_runtimes.algorithms.xgboost.metrics import COMPUTED_HERE, direction
from clary_runtimes.algorithms.xgboost.scores import evaluation
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.machine import cpus, gpus
from clary_runtimes.contract.training import TrainingInput

Array = Any

MODEL_FILE = "xgboost-model"

# What the library says when the data or the hyperparameters are at fault; anything else is the algorithm's failure.
_USER_FAULTS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "feature_names mismatch",
    "preds.size() == info.labels",
    "only contains pos or neg samples",
    "base_score must be in (0,1)",
    "label must be nonnegative",
    "should be greater equal to 0",
    "Label contains NaN",
    "Number of columns does not match",
    "value must be",
    "must be sorted",
)


class Rounds:
    """One training run: the library's parameters, the number of rounds and what to do after each."""

    def __init__(self, given: dict[str, Any], job: TrainingInput) -> None:
        self.job = job
        self.num_round: int = given.pop("num_round")
        self.early_stopping_rounds: int | None = given.pop("early_stopping_rounds", None)
        self.keep_intermediate = given.pop("save_model_on_termination", "false") == "true"
        self.folds: int | None = given.pop("_kfold", None)
        self.fold_rounds: int = given.pop("_num_cv_round", 1)
        tuned = given.pop("_tuning_objective_metric", None)
        for name in ("csv_weights", "dsplit", "use_dask_gpu_training"):
            given.pop(name, None)
        metrics = list(given.pop("eval_metric", []))
        if tuned and tuned.partition(":")[2] not in metrics:
            metrics.append(tuned.partition(":")[2])
        self.objective: str = given.setdefault("objective", DEFAULT_OBJECTIVE)
        self.custom_metric = evaluation(metrics, self.objective)
        self.stopping_metric = metrics[-1] if metrics else None
        self.parameters = _for_library(given)
        library_metrics = [name for name in metrics if name not in COMPUTED_HERE]
        if library_metrics:
            self.parameters["eval_metric"] = library_metrics
        elif metrics:
            self.parameters["disable_default_eval_metric"] = 1

    def run(self, train: Any, validation: Any, model_path: Path, checkpoints: Path | None) -> Any:
        """Boost from the newest checkpoint on, and return the model; the best one if early stopping is on."""
        checkpoint, first_round = callbacks.newest_checkpoint(checkpoints)
        if checkpoint is not None:
            print(f"Checkpoint loaded from {checkpoint}\nResuming from iteration {first_round}", flush=True)
        after: list[Any] = [callbacks.MetricsLog(first_round)]
        if checkpoints is not None and self.job.resources.is_leader:
            after.append(callbacks.Checkpoints(checkpoints, first_round))
        if self.keep_intermediate and self.job.resources.is_leader:
            after.append(callbacks.IntermediateModel(model_path))
        if self.early_stopping_rounds and validation is None:
            print("early_stopping_rounds needs a validation channel: there is none, so it has no effect", flush=True)
        elif self.early_stopping_rounds:
            maximize = None if self.stopping_metric is None else direction(self.stopping_metric) == "Maximize"
            after.append(
                xgboost.callback.EarlyStopping(
                    rounds=self.early_stopping_rounds,
                    data_name="validation",
                    metric_name=self.stopping_metric,
                    maximize=maximize,
                    save_best=True,
                )
            )
        return xgboost.train(
            self.parameters,
            train,
            num_boost_round=max(0, self.num_round - first_round),
            evals=[(train, "train")] + ([(validation, "validation")] if validation is not None else []),
            custom_metric=self.custom_metric,
            callbacks=[callbacks.InOrder(after)],
            xgb_model=str(checkpoint) if checkpoint is not None else None,
            verbose_eval=False,
        )


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``xgboost-model`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    given = SPECIFICATION.parse(job.hyperparameters)
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
    csv_weights = given.get("csv_weights") == 1

    def look(labels: Array, before: int) -> None:
        _check_labels(labels, given, before)

    rows = read_rows(train_channel, csv_weights, look, _may_be_binned(given))
    binned = isinstance(rows, Spool)
    validation_rows = read_rows(validation_channel, csv_weights, look, binned) if validation_channel else None
    print("Train matrix has {} rows and {} columns".format(*shape(rows)), flush=True)
    if validation_rows is not None:
        print(f"Validation matrix has {shape(validation_rows)[0]} rows", flush=True)
        same_width(rows, validation_rows)
    if binned and given.get("tree_method", "auto") == "auto":
        given["tree_method"] = "hist"
    rounds = Rounds(given, job)
    model_path = job.folders.model / MODEL_FILE
    try:
        if rounds.folds is None:
            bins = int(rounds.parameters.get("max_bin", 256))
            train_matrix = matrix(rows, bins)
            validation = None if validation_rows is None else matrix(validation_rows, bins, train_matrix)
            models = [rounds.run(train_matrix, validation, model_path, job.checkpoints)]
        else:
            every = [each for each in (rows, validation_rows) if isinstance(each, Table)]
            models = cross_validate(rounds, join(every, "the channels train and validation"))
    except xgboost.core.XGBoostError as error:
        message = re.sub(r"^\[[\d:]+\] \S+?:\d+: ", "", str(error).partition("\nStack trace")[0].strip())
        if any(fault in message for fault in _USER_FAULTS):
            raise UserError(message) from error
        raise RuntimeError(f"XGB train call failed with exception:\n {message}") from error
    if job.resources.is_leader:
        for number, model in enumerate(models):
            name = MODEL_FILE if rounds.folds is None else f"{MODEL_FILE}-{number}"
            callbacks.save_model(model, model_path.with_name(name))


def _may_be_binned(given: Mapping[str, Any]) -> bool:
    """Whether the trees are grown from bins, or the library may choose so, as it does where there are many rows."""
    return (
        given.get("booster", "gbtree") in ("gbtree", "dart")
        and given.get("tree_method", "auto") in ("auto", "hist", "gpu_hist")
        and given.get("process_type", "default") == "default"
        and not {"updater", "_kfold"} & set(given)
    )


def _check_labels(labels: Array, given: Mapping[str, Any], before: int) -> None:
    """Refuse labels outside the objective's range: not every release of the library says so in these words."""
    objective = given.get("objective", DEFAULT_OBJECTIVE)
    if objective in ("binary:logistic", "binary:logitraw", "reg:logistic"):
        bad, reason = (labels < 0) | (labels > 1), "label must be in [0,1] for logistic regression"
    elif objective.startswith("multi:"):
        bad, reason = (labels < 0) | (labels >= given["num_class"]), "label must be in [0, num_class)"
    else:
        return
    if bad.any():
        row = int(bad.argmax())
        raise UserError(f"{reason} (row {before + row + 1} has {labels[row]:g})")


def _for_library(given: dict[str, Any]) -> dict[str, Any]:
    """The hyperparameters in the spelling of the installed release of the library."""
    parameters = dict(given)
    parameters.setdefault("nthread", cpus())
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    for name in ("monotone_constraints", "interaction_constraints"):
        if name in parameters:
            parameters[name] = str(parameters[name])
    if parameters["objective"] == "reg:linear":
        parameters["objective"] = DEFAULT_OBJECTIVE
    if callbacks.RELEASE >= 2:
        for removed in ("predictor", "sketch_eps", "deterministic_histogram", "single_precision_histogram"):
            parameters.pop(removed, None)
    if parameters.get("tree_method") == "gpu_hist" and (callbacks.RELEASE >= 2 or not gpus()):
        parameters["tree_method"] = "hist"
        if gpus():
            parameters["device"] = "cuda"
        else:
            print("There is no GPU: tree_method 'gpu_hist' runs as 'hist' on the processor", flush=True)
            if parameters.get("predictor") == "gpu_predictor":
                parameters["predictor"] = "auto"
    return parameters
