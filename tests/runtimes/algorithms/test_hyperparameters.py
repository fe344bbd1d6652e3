"""Hyperparameters of the built-in algorithms: ranges, rules, and the documented words of a refusal."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from clary_runtimes.algorithms.linear_learner import hyperparameters as linear_learner
from clary_runtimes.algorithms.linear_learner import metrics as linear_learner_metrics
from clary_runtimes.algorithms.xgboost import hyperparameters as xgboost
from clary_runtimes.algorithms.xgboost import metrics as xgboost_metrics
from clary_runtimes.contract.errors import UserError


def test_the_control_plane_can_read_them_without_numpy() -> None:
    code = (
        "import sys\n"
        "from clary_runtimes.algorithms.xgboost import hyperparameters, metrics\n"
        "from clary_runtimes.algorithms.linear_learner import hyperparameters, metrics\n"
        "sys.exit(bool({'numpy', 'pandas', 'xgboost', 'asyncio'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"num_round": "ten"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        ({"num_round": "1", "eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"num_round": "1", "learning_rate": "-1"}, "Hyperparameter eta: -1.0 is not in [0, 1]"),
        ({"num_round": "1", "subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"num_round": "1", "eta": "nan"}, "Hyperparameter eta: nan is not in [0, 1]"),
        ({"num_round": "1", "bosster": "gbtree"}, "Extraneous hyperparameter found: bosster"),
        (
            {"num_round": "1", "booster": "tree"},
            "Hyperparameter booster: tree is not in ['gbtree', 'gblinear', 'dart']",
        ),
        (
            {"num_round": "1", "objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"num_round": "1", "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {"num_round": "1", "updater": "refresh,grow_colmaker", "process_type": "update"},
            "process_type 'update' can only be used with updater 'refresh' and 'prune'",
        ),
        (
            {"num_round": "1", "monotone_constraints": "(0, 1)"},
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'.",
        ),
        (
            {"num_round": "1", "monotone_constraints": "(0, 2)", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: value (0, 2) not in range [-1, 0, 1]",
        ),
        (
            {"num_round": "1", "monotone_constraints": "__import__('os')", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: could not parse value (caused by ValueError)",
        ),
    ],
)
def test_xgboost_refuses(given: dict[str, str], message: str) -> None:
    assert xgboost.SPECIFICATION.validate(given) == [message]
    with pytest.raises(UserError, match=re.escape(message)):
        xgboost.SPECIFICATION.parse(given)


def test_xgboost_accepts_and_types() -> None:
    given = {
        "num_round": "10",
        "learning_rate": "0.2",
        "reg_lambda": "2",
        "objective": "multi:softprob",
        "num_class": "3",
        "eval_metric": "mlogloss,merror,error@0.7",
        "interaction_constraints": "[[0, 1], [2, 3]]",
        "tree_method": "hist",
        "_tuning_objective_metric": "validation:mlogloss",
    }
    assert xgboost.SPECIFICATION.validate(given) == []
    values = xgboost.SPECIFICATION.parse(given)
    assert values["num_round"] == 10 and values["eta"] == 0.2 and values["lambda"] == 2.0
    assert values["eval_metric"] == ["mlogloss", "merror", "error@0.7"]
    assert values["interaction_constraints"] == [[0, 1], [2, 3]]


def test_all_faults_are_told_at_once() -> None:
    assert len(xgboost.SPECIFICATION.validate({"eta": "2", "gamma": "x", "nonsense": "1"})) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "'predictor_type' is a required property"),
        (
            {"predictor_type": "regression"},
            "Hyperparameter predictor_type: 'regression' is not one of "
            "['binary_classifier', 'multiclass_classifier', 'regressor']",
        ),
        (
            {"predictor_type": "regressor", "objective": "x"},
            "Additional properties are not allowed ('objective' was unexpected)",
        ),
        (
            {"predictor_type": "regressor", "epochs": "0"},
            "Hyperparameter epochs: '0' is not valid, it must be an integer in [1, +inf)",
        ),
        (
            {"predictor_type": "regressor", "learning_rate": "fast"},
            "Hyperparameter learning_rate: 'fast' is not valid, it must be a number in (0, +inf) or 'auto'",
        ),
        (
            {"predictor_type": "multiclass_classifier"},
            "Hyperparameter num_classes is required and must be an integer from 3 to 1,000,000 when predictor_type is "
            "multiclass_classifier",
        ),
        (
            {"predictor_type": "binary_classifier", "loss": "huber_loss"},
            "Hyperparameter loss: 'huber_loss' is not one of ['auto', 'logistic', 'hinge_loss'] for predictor_type "
            "binary_classifier",
        ),
    ],
)
def test_linear_learner_refuses(given: dict[str, str], message: str) -> None:
    assert linear_learner.SPECIFICATION.validate(given) == [message]


def test_linear_learner_has_the_documented_defaults() -> None:
    values = linear_learner.SPECIFICATION.parse({"predictor_type": "binary_classifier", "use_bias": "True"})
    documented = {
        "accuracy_top_k": 3,
        "balance_multiclass_weights": False,
        "binary_classifier_model_selection_criteria": "accuracy",
        "early_stopping_patience": 3,
        "early_stopping_tolerance": 0.001,
        "epochs": 15,
        "f_beta": 1.0,
        "huber_delta": 1.0,
        "init_bias": 0.0,
        "init_method": "uniform",
        "init_scale": 0.07,
        "init_sigma": 0.01,
        "l1": "auto",
        "learning_rate": "auto",
        "loss": "auto",
        "loss_insensitivity": 0.01,
        "margin": 1.0,
        "mini_batch_size": 1000,
        "normalize_data": True,
        "normalize_label": "auto",
        "num_calibration_samples": "auto",
        "num_models": "auto",
        "num_point_for_scaler": 10000,
        "optimizer": "auto",
        "positive_example_weight_mult": 1.0,
        "quantile": 0.5,
        "target_precision": 0.8,
        "target_recall": 0.8,
        "unbias_data": "auto",
        "unbias_label": "auto",
        "use_bias": True,
        "use_lr_scheduler": True,
        "wd": "auto",
    }
    assert {name: values[name] for name in documented} == documented


def test_metric_definitions_find_their_lines() -> None:
    expressions = {entry["Name"]: entry["Regex"] for entry in xgboost_metrics.metric_definitions()}
    line = "[12]#011train-rmse:0.12000#011validation-rmse:0.34000#011validation-mae:1.00000"
    found = re.search(expressions["validation:rmse"], line)
    assert found is not None and found.group(1) == "0.34000"
    assert xgboost_metrics.direction("validation:auc") == "Maximize"
    assert xgboost_metrics.direction("validation:rmse") == "Minimize"
    expressions = {entry["Name"]: entry["Regex"] for entry in linear_learner_metrics.metric_definitions()}
    line = "[01/01/2026 00:00:00 INFO 1] #quality_metric: host=algo-1, epoch=3, validation mse_objective <loss>=1.5"
    found = re.search(expressions["validation:objective_loss"], line)
    assert found is not None and found.group(1) == "1.5"
    assert linear_learner_metrics.direction("test:binary_f_beta") == "Maximize"
    assert linear_learner_metrics.direction("validation:objective_loss:final") == "Minimize"
