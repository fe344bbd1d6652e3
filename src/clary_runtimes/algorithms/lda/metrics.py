"""The metrics of Latent Dirichlet Allocation: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lda-tuning.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions, quality_definition


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    return [quality_definition(segment, "pwll", "score") for segment in ("train", "test")] + progress_definitions()


def direction(name: str) -> str:
    """``Maximize`` for every metric, such as ``test:pwll``."""
    return "Maximize"
