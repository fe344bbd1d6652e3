"""The hyperparameters of the Linear Learner.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary_runtimes.algorithms.specification import (
    Boolean,
    Categorical,
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    SchemaWording,
    Specification,
)

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"

LOSSES = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
    REGRESSOR: (
        "squared_loss", "absolute_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss",
        "quantile_loss", "huber_loss",
    ),
}  # fmt: skip
"""The losses of each kind of predictor; the first is what ``auto`` means."""

CRITERIA = (
    "accuracy", "f_beta", "f1", "precision_at_target_recall", "recall_at_target_precision", "loss_function",
    "cross_entropy_loss",
)  # fmt: skip

POSITIVE = Interval(0, open_minimum=True)
NOT_NEGATIVE = Interval(0)
COUNT = Interval(1)
INSIDE = Interval(0, 1, open_minimum=True, open_maximum=True)
UNIT = Interval(0, 1)
AUTO = ("auto",)

_PARAMETERS: tuple[Hyperparameter, ...] = (
    Categorical("predictor_type", required=True, range=(BINARY, MULTICLASS, REGRESSOR)),
    Integer("num_classes", range=Interval(1, 1_000_000)),
    Integer("feature_dim", words=AUTO, default="auto", range=COUNT),
    Integer("epochs", default="15", range=COUNT),
    Integer("mini_batch_size", default="1000", range=COUNT, tunable=True, recommended=("100", "5000")),
    Integer("num_models", words=AUTO, default="auto", range=COUNT),
    Categorical("loss", words=AUTO, default="auto",
                range=tuple(name for names in LOSSES.values() for name in names)),
    Categorical("optimizer", words=AUTO, default="auto", range=("sgd", "adam", "rmsprop")),
    Continuous("learning_rate", words=AUTO, default="auto", range=POSITIVE, tunable=True, recommended=("1e-5", "1")),
    Continuous("wd", words=AUTO, default="auto", range=NOT_NEGATIVE, tunable=True, recommended=("1e-7", "1")),
    Continuous("l1", words=AUTO, default="auto", range=NOT_NEGATIVE, tunable=True, recommended=("1e-7", "1")),
    Continuous("momentum", words=AUTO, default="auto", range=Interval(0, 1, open_maximum=True)),
    Continuous("beta_1", words=AUTO, default="auto", range=Interval(0, 1, open_maximum=True)),
    Continuous("beta_2", words=AUTO, default="auto", range=Interval(0, 1, open_maximum=True)),
    Continuous("bias_lr_mult", words=AUTO, default="auto", range=POSITIVE),
    Continuous("bias_wd_mult", words=AUTO, default="auto", range=NOT_NEGATIVE),
    Boolean("use_bias", default="true", tunable=True, recommended=("True", "False")),
    Boolean("use_lr_scheduler", default="true"),
    Integer("lr_scheduler_step", words=AUTO, default="auto", range=COUNT),
    Continuous("lr_scheduler_factor", words=AUTO, default="auto", range=INSIDE),
    Continuous("lr_scheduler_minimum_lr", words=AUTO, default="auto", range=POSITIVE),
    Categorical("init_method", default="uniform", range=("uniform", "normal")),
    Continuous("init_scale", default="0.07", range=POSITIVE),
    Continuous("init_sigma", default="0.01", range=POSITIVE),
    Continuous("init_bias", default="0", range=Interval()),
    Boolean("normalize_data", words=AUTO, default="true"),
    Boolean("normalize_label", words=AUTO, default="auto"),
    Boolean("unbias_data", words=AUTO, default="auto"),
    Boolean("unbias_label", words=AUTO, default="auto"),
    Integer("num_point_for_scaler", default="10000", range=COUNT),
    Categorical("binary_classifier_model_selection_criteria", default="accuracy", range=CRITERIA),
    Continuous("target_recall", default="0.8", range=UNIT),
    Continuous("target_precision", default="0.8", range=UNIT),
    Continuous("positive_example_weight_mult", words=("balanced", "auto"), default="1.0", range=POSITIVE,
               tunable=True, recommended=("1e-5", "1e5")),
    Boolean("balance_multiclass_weights", default="false"),
    Integer("num_calibration_samples", words=AUTO, default="auto", range=COUNT),
    Integer("accuracy_top_k", default="3", range=COUNT),
    Continuous("f_beta", default="1.0", range=POSITIVE),
    Continuous("margin", default="1.0", range=POSITIVE),
    Continuous("quantile", default="0.5", range=INSIDE),
    Continuous("loss_insensitivity", default="0.01", range=POSITIVE),
    Continuous("huber_delta", default="1.0", range=POSITIVE),
    Integer("early_stopping_patience", default="3", range=COUNT),
    Continuous("early_stopping_tolerance", default="0.001", range=POSITIVE),
    Hyperparameter("_tuning_objective_metric"),
    # The official container has these for its own machinery; they change no result here.
    Hyperparameter("_num_gpus"), Hyperparameter("_kvstore"), Hyperparameter("_num_kv_servers"),
    Hyperparameter("_log_level"), Hyperparameter("_enable_profiler"), Hyperparameter("_data_format"),
    Hyperparameter("force_dense"),
)  # fmt: skip


def _classes(values: Mapping[str, Any]) -> Iterable[str]:
    if values.get("predictor_type") == MULTICLASS and values.get("num_classes", 1) < 3:
        yield (
            "Hyperparameter num_classes is required and must be an integer from 3 to 1,000,000 when predictor_type is "
            "multiclass_classifier"
        )


def _loss(values: Mapping[str, Any]) -> Iterable[str]:
    predictor, loss = values.get("predictor_type"), values.get("loss", "auto")
    if predictor and loss != "auto" and loss not in LOSSES[predictor]:
        allowed = ["auto", *LOSSES[predictor]]
        yield f"Hyperparameter loss: '{loss}' is not one of {allowed} for predictor_type {predictor}"


SPECIFICATION = Specification(_PARAMETERS, rules=(_classes, _loss), wording=SchemaWording())
