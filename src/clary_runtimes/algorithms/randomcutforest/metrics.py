"""The metrics of Random Cut Forest: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/random-cut-forest-tuning.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions, quality_definition

SCORES = ("f1", "precision", "recall", "negative_f1", "negative_precision", "negative_recall")
"""What ``precision_recall_fscore`` stands for: of the anomalies, and of the rest."""


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    found = [quality_definition("test", name, "score") for name in (*SCORES, "accuracy")]
    return found + progress_definitions()


def direction(name: str) -> str:
    """``Maximize`` for every metric, such as ``test:f1``."""
    return "Maximize"
