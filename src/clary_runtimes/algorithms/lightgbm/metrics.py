"""The metrics of LightGBM: names, directions, kinds of problem, and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm-tuning.html
"""

from __future__ import annotations

KINDS = {
    "rmse": "regression",
    "l1": "regression",
    "l2": "regression",
    "huber": "regression",
    "fair": "regression",
    "binary_logloss": "binary",
    "binary_error": "binary",
    "auc": "binary",
    "average_precision": "binary",
    "multi_logloss": "multiclass",
    "multi_error": "multiclass",
    "auc_mu": "multiclass",
    "cross_entropy": "binary",
}
"""The kind of problem that each metric is for."""

DEFAULTS = {"regression": "rmse", "binary": "binary_logloss", "multiclass": "multi_logloss"}
"""What ``auto`` means."""

MAXIMIZE = ("auc", "average_precision", "auc_mu")


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions``: the documented names with the documented expressions."""
    return [{"Name": name, "Regex": rf"{name}: ([0-9\.]+)"} for name in KINDS]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize``. The documentation has cross entropies as growing; less of them is better."""
    return "Maximize" if name in MAXIMIZE else "Minimize"
