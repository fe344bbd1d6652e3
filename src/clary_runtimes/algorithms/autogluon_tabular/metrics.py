"""The metrics of AutoGluon-Tabular: names, directions, and how they look in the log.

Only the standard library: the control plane reads these declarations too. Amazon documents no expressions.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/autogluon-tabular-tuning.html
"""

from __future__ import annotations

MINIMIZE = (
    "root_mean_squared_error", "mean_squared_error", "mean_absolute_error", "median_absolute_error",
    "mean_absolute_percentage_error", "symmetric_mean_absolute_percentage_error", "log_loss",
)  # fmt: skip
MAXIMIZE = (
    "r2", "accuracy", "balanced_accuracy", "mcc", "f1", "f1_macro", "f1_micro", "f1_weighted", "roc_auc",
    "roc_auc_ovo_macro", "average_precision", "precision", "precision_macro", "precision_micro", "precision_weighted",
    "recall", "recall_macro", "recall_micro", "recall_weighted", "quadratic_kappa",
)  # fmt: skip

DEFAULTS = {"regression": "root_mean_squared_error", "binary": "roc_auc", "multiclass": "accuracy"}
"""What ``auto`` means."""


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the library's names."""
    return [{"Name": name, "Regex": rf"validation {name}: (-?[0-9\.]+)"} for name in MINIMIZE + MAXIMIZE]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize``."""
    return "Minimize" if name in MINIMIZE else "Maximize"
