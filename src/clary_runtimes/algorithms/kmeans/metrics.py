"""The metrics of K-Means: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/k-means-tuning.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions, quality_definition
from clary_runtimes.algorithms.kmeans.hyperparameters import METRICS


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    learning = {"Name": "train:msd", "Regex": r"#quality_metric: host=\S+, epoch=\S+, train msd <loss>=(\S+)"}
    return [*(quality_definition("test", name, "loss") for name in METRICS), learning, *progress_definitions()]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize`` for a metric such as ``test:msd``."""
    return "Maximize" if name in ("train:progress", "train:throughput") else "Minimize"
