"""The metrics of BlazingText: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext-tuning.html
"""

from __future__ import annotations

LINES = {
    "train:mean_rho": "#mean_rho",
    "train:accuracy": "#train_accuracy",
    "validation:accuracy": "#validation_accuracy",
}
"""How each metric is called in the log."""


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    return [{"Name": name, "Regex": rf"{line}: (\S+)"} for name, line in LINES.items()]


def report(name: str, value: float) -> None:
    """Print the metric called ``name`` as the expressions above find it."""
    print(f"{LINES[name]}: {value:.4f}", flush=True)


def direction(name: str) -> str:
    """``Maximize`` for every metric, such as ``validation:accuracy``."""
    return "Maximize"
