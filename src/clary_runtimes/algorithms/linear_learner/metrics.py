"""The metrics of the Linear Learner: names and how they look in the log.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html
"""

from __future__ import annotations

SEGMENTS = ("train", "validation", "test")

_LINES = {
    "absolute_loss": "absolute_loss <loss>",
    "binary_classification_accuracy": "binary_classification_accuracy <score>",
    "binary_f_beta": r"binary_f_\S+ <score>",
    "dcg": "dcg <score>",
    "macro_f_beta": r"macro_f_\S+ <score>",
    "macro_precision": "macro_precision <score>",
    "macro_recall": "macro_recall <score>",
    "mse": "mse <loss>",
    "multiclass_accuracy": "multiclass_accuracy <score>",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+ <score>",
    "precision": "precision <score>",
    "recall": "recall <score>",
    "roc_auc_score": "roc_auc_score <score>",
}


def metric_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of the algorithm: every documented name with the expression that finds it in the log."""
    found = [
        {"Name": f"{segment}:{name}", "Regex": rf"#quality_metric: host=\S+, {segment} {line}=(\S+)"}
        for segment in SEGMENTS
        for name, line in sorted(_LINES.items())
    ]
    for segment in ("train", "validation"):
        final = rf"{segment} \S+_objective <loss>=(\S+)"
        found.append({"Name": f"{segment}:objective_loss", "Regex": rf"#quality_metric: host=\S+, epoch=\S+, {final}"})
        found.append({"Name": f"{segment}:objective_loss:final", "Regex": rf"#quality_metric: host=\S+, {final}"})
    found.append(
        {"Name": "test:objective_loss", "Regex": r"#quality_metric: host=\S+, test \S+_objective <loss>=(\S+)"}
    )
    found.append({"Name": "train:progress", "Regex": r"#progress_metric: host=\S+, completed (\S+) %"})
    found.append(
        {"Name": "train:throughput", "Regex": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"}
    )
    return found


def direction(name: str) -> str:
    """``Maximize`` or ``Minimize`` for a metric such as ``validation:binary_f_beta``."""
    plain = name.split(":")[1] if ":" in name else name
    return "Minimize" if plain in ("absolute_loss", "mse", "objective_loss") else "Maximize"
