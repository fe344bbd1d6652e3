"""The metrics of DeepAR: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar-tuning.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions, quality_definition


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    documented = (("test", "RMSE"), ("test", "mean_wQuantileLoss"), ("train", "final_loss"))
    found = [quality_definition(segment, name, "loss") for segment, name in documented]
    by_epoch = r"#quality_metric: host=\S+, epoch=\S+, train loss <loss>=(\S+)"
    return [*found, {"Name": "train:loss:epoch", "Regex": by_epoch}, *progress_definitions()]


def direction(name: str) -> str:
    """``Minimize`` for every metric, such as ``test:RMSE``; ``Maximize`` for those of speed."""
    return "Maximize" if name in ("train:progress", "train:throughput") else "Minimize"
