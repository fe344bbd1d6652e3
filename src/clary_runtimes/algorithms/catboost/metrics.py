"""The metrics of CatBoost: names, directions, kinds of problem, and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/catboost-tuning.html
"""

from __future__ import annotations

METRICS = (
    "RMSE", "MAE", "MedianAbsoluteError", "R2", "Logloss", "Precision", "Recall", "F1", "AUC", "MultiClass", "Accuracy",
    "BalancedAccuracy",
)  # fmt: skip

KINDS = {
    "RMSE": "regression",
    "MAE": "regression",
    "MedianAbsoluteError": "regression",
    "R2": "regression",
    "MAPE": "regression",
    "MSLE": "regression",
    "SMAPE": "regression",
    "Logloss": "binary",
    "Precision": "binary",
    "Recall": "binary",
    "F1": "binary",
    "BalancedAccuracy": "binary",
    "MultiClass": "multiclass",
    "MultiClassOneVsAll": "multiclass",
}
"""The kind of problem of the metrics that are for one kind only."""

DEFAULTS = {"regression": "RMSE", "binary": "AUC", "multiclass": "MultiClass"}
"""What ``auto`` means."""

MINIMIZE = ("RMSE", "MAE", "MedianAbsoluteError", "Logloss", "MultiClass")


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the documented names.

    The documented expression, ``bestTest = ([0-9\\.]+)``, is the same for all of them: it finds the metric that was
    chosen, and the name before it tells which that is.
    """
    return [{"Name": name, "Regex": rf"validation {name}: bestTest = (-?[0-9\.]+)"} for name in METRICS]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize``. The documentation has cross entropies as growing; less of them is better."""
    return "Minimize" if name in MINIMIZE else "Maximize"
