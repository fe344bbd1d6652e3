"""The metrics of k-NN: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/kNN-tuning.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions, quality_definition


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    return [
        quality_definition("test", "accuracy", "score"),
        quality_definition("test", "mse", "loss"),
        *progress_definitions(),
    ]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize`` for ``test:accuracy`` or ``test:mse``."""
    return "Minimize" if name == "test:mse" else "Maximize"
