"""The metrics of Factorization Machines: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/fm-tuning.html
"""

from __future__ import annotations

from clary_runtimes.algorithms.first_party import progress_definitions

LINES = {
    "absolute_loss": "absolute_loss <loss>",
    "binary_classification_accuracy": "binary_classification_accuracy <score>",
    "binary_classification_cross_entropy": "binary_classification_cross_entropy <loss>",
    "binary_f_beta": "binary_f_1.000 <score>",
    "mse": "mse <loss>",
    "rmse": "rmse <loss>",
}
"""How each metric is called in the log."""


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every name with the expression that finds it in the log."""
    found = []
    for name, line in LINES.items():
        ending = rf"{line}=(\S+)"
        found += [
            {"Name": f"train:{name}:epoch", "Regex": rf"#quality_metric: host=\S+, epoch=\S+, train {ending}"},
            {"Name": f"train:{name}", "Regex": rf"#quality_metric: host=\S+, train {ending}"},
            {"Name": f"test:{name}", "Regex": rf"#quality_metric: host=\S+, test {ending}"},
        ]
    return found + progress_definitions()


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize`` for a metric such as ``test:rmse`` or ``train:rmse:epoch``."""
    plain = name.split(":")[1] if ":" in name else name
    return "Minimize" if LINES.get(plain, "").endswith("<loss>") else "Maximize"
