"""The installed release of the XGBoost library: what it calls the hyperparameters, and what it refuses."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import xgboost

from clary_runtimes.algorithms.xgboost.hyperparameters import DEFAULT_OBJECTIVE
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.machine import cpus, gpus

RELEASE = int(xgboost.__version__.split(".", maxsplit=1)[0])

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


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise what the library finds wrong with data and hyperparameters as ``UserError``, else ``RuntimeError``."""
    try:
        yield
    except xgboost.core.XGBoostError as error:
        message = re.sub(r"^\[[\d:]+\] \S+?:\d+: ", "", str(error).partition("\nStack trace")[0].strip())
        if any(fault in message for fault in _USER_FAULTS):
            raise UserError(message) from error
        raise RuntimeError(f"XGB train call failed with exception:\n {message}") from error


def for_library(given: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters, of which ``objective`` is one, in the spelling of the installed release."""
    parameters = dict(given)
    parameters.setdefault("nthread", cpus())
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    for name in ("monotone_constraints", "interaction_constraints"):
        if name in parameters:
            parameters[name] = str(parameters[name])
    if parameters["objective"] == "reg:linear":
        parameters["objective"] = DEFAULT_OBJECTIVE
    if RELEASE >= 2:
        for removed in ("predictor", "sketch_eps", "deterministic_histogram", "single_precision_histogram"):
            parameters.pop(removed, None)
    if parameters.get("tree_method") == "gpu_hist" and (RELEASE >= 2 or not gpus()):
        parameters["tree_method"] = "hist"
        if gpus():
            parameters["device"] = "cuda"
        else:
            print("There is no GPU: tree_method 'gpu_hist' runs as 'hist' on the processor", flush=True)
            if parameters.get("predictor") == "gpu_predictor":
                parameters["predictor"] = "auto"
    return parameters
