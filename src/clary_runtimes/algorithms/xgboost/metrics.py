"""The metrics of the built-in XGBoost algorithm: names, directions and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
"""

from __future__ import annotations

MAXIMIZE = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision",
    "precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
)  # fmt: skip
MINIMIZE = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss",
    "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip

COMPUTED_HERE = (
    "accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "precision", "precision_macro",
    "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
)  # fmt: skip
"""Those that the library does not know."""

TAB = "#011"
"""CloudWatch Logs shows the library's tab stop so, and the documented expressions look for it."""

_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: ``train:…`` and ``validation:…`` with the expressions that find them."""
    return [
        {"Name": f"{segment}:{name}", "Regex": rf".*\[[0-9]+\].*{TAB}{segment}-{name}:{_NUMBER}.*"}
        for segment in ("train", "validation")
        for name in sorted(MAXIMIZE + MINIMIZE)
    ]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize`` for ``validation:auc``, ``auc`` or ``ndcg@5-``."""
    plain = name.rpartition(":")[2].partition("@")[0]
    return "Maximize" if plain in MAXIMIZE else "Minimize"
