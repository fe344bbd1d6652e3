"""The metrics of PCA: names and how they look in the log.

Amazon documents none but the progress; how well the components stand for the rows of a channel is ours.
Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/pca.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions, quality_definition

EXPLAINED, ERROR = "explained_variance_ratio", "reconstruction_error"


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    return [
        quality_definition("train", EXPLAINED, "score"),
        quality_definition("test", EXPLAINED, "score"),
        quality_definition("test", ERROR, "loss"),
        *progress_definitions(),
    ]


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize`` for a metric such as ``test:reconstruction_error``."""
    return "Minimize" if name.endswith(ERROR) else "Maximize"
