"""Training AutoGluon-Tabular.

N. Erickson et al., AutoGluon-Tabular: Robust and Accurate AutoML for Structured Data, 2020.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/autogluon-tabular.html
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogluon.core.utils import infer_problem_type
from autogluon.tabular import TabularPredictor

from clary_runtimes.algorithms.autogluon_tabular.frames import LABEL, Frame, read_frame
from clary_runtimes.algorithms.autogluon_tabular.hyperparameters import SPECIFICATION, bags
from clary_runtimes.algorithms.autogluon_tabular.metrics import DEFAULTS, MINIMIZE
from clary_runtimes.algorithms.first_party import check_one_host
from clary_runtimes.algorithms.jumpstart import channels
from clary_runtimes.algorithms.jumpstart.staging import staged
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.machine import cpus
from clary_runtimes.contract.training import TrainingInput

say = functools.partial(print, flush=True)

WITHOUT = ("NN_TORCH", "FASTAI")
"""Kinds of models that need PyTorch, which the image does not have."""
OWN = ("eval_metric", "verbosity", "save_space")
"""Hyperparameters that are not arguments of ``fit``."""


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave a predictor in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    given = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "AutoGluon-Tabular")
    parts = channels.parts(job)
    train_rows = read_frame(parts.train, parts.categorical)
    validation = None
    if parts.validation is not None:
        validation = read_frame(parts.validation, parts.categorical)
        if list(validation.columns) != list(train_rows.columns):
            raise UserError(
                f"The validation channel has {validation.shape[1] - 1} features where the {parts.train.name} channel "
                f"has {train_rows.shape[1] - 1}"
            )
    problem = _problem(train_rows, validation, given["eval_metric"], parts.train.name)
    say(f"Task: {problem}")
    with staged(job.folders.model) as folder:
        predictor = fit(folder, train_rows, validation, problem, given)
        for name, value in _scores(predictor, validation).items():
            say(f"validation {name}: {value:.6f}")
        if given["save_space"]:
            predictor.save_space()


def fit(
    folder: Path, train_rows: Frame, validation: Frame | None, problem: str | None, given: Mapping[str, Any]
) -> Any:
    """A predictor with its models in ``folder``, for the hyperparameters of ``SPECIFICATION``.

    Raises ``UserError`` for what the library refuses.
    """
    logging.getLogger("autogluon.common.utils.resource_utils").setLevel(logging.CRITICAL)  # there is no PyTorch
    metric = given["eval_metric"] if given["eval_metric"] != "auto" else DEFAULTS.get(problem or "")
    # Defaults are left out: as arguments they would overrule the presets.
    arguments: dict[str, Any] = {
        name: value
        for name, value in given.items()
        if name not in OWN and (name == "presets" or str(value) != SPECIFICATION.parameters[name].default)
    }
    if validation is not None:
        arguments["tuning_data"] = validation
        if bags(given):
            arguments["use_bag_holdout"] = True
    try:
        predictor = TabularPredictor(
            label=LABEL, path=str(folder), eval_metric=metric, problem_type=problem, verbosity=given["verbosity"]
        )
        return predictor.fit(train_rows, num_cpus=cpus(), excluded_model_types=list(WITHOUT), **arguments)
    except (ValueError, AssertionError, ImportError) as error:
        raise UserError(f"AutoGluon refuses these hyperparameters or data: {str(error)[:600]}") from error


def _problem(rows: Frame, validation: Frame | None, metric: str, channel: str) -> str | None:
    """``binary``, ``multiclass`` or ``regression``; None where the metric says it.

    Raises ``UserError`` for labels that cannot be used.
    """
    labels = rows[LABEL]
    if labels.nunique() == 1:
        raise UserError(
            f"Channel '{channel}': all rows have the label {labels.iloc[0]}, so there is nothing to learn; the "
            "label is the first column"
        )
    problem = None if metric != "auto" else str(infer_problem_type(labels, silent=True))
    if validation is not None and problem in ("binary", "multiclass"):
        unseen = ~validation[LABEL].isin(labels.unique())
        if unseen.any():
            row = int(unseen.to_numpy().argmax())
            raise UserError(
                f"Channel 'validation', row {row + 1}: the label {validation[LABEL].iloc[row]} does not occur in the "
                "training data"
            )
    return problem


def _scores(predictor: Any, validation: Frame | None) -> dict[str, float]:
    """The metrics of the best model: all of the library's on the validation data, else the one that was looked at.

    The library turns the sign of errors so that more is always better; here they are as usual.
    """
    if validation is None:
        best = predictor.leaderboard(silent=True).set_index("model").loc[predictor.model_best]
        found = {predictor.eval_metric.name: best["score_val"]}
    else:
        found = predictor.evaluate(validation, silent=True)
    return {
        name: -float(value) if name in MINIMIZE else float(value) for name, value in found.items() if value is not None
    }
