"""What the hyperparameters, the metrics and the log of Amazon's own algorithms have in common.

Only the standard library: the control plane reads these declarations too.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/common-info-all-im-models.html
"""

from __future__ import annotations

import os
import time

from clary_runtimes.algorithms.specification import Hyperparameter, Interval
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput

COUNT = Interval(1)
NOT_NEGATIVE = Interval(0)

MACHINERY: tuple[Hyperparameter, ...] = tuple(
    Hyperparameter(name)
    for name in (
        "_data_format", "_disable_wait_to_read", "_enable_profiler", "_ftp_port", "_kvstore", "_log_level",
        "_num_gpus", "_num_kv_servers", "_num_slices", "_tuning_objective_metric", "force_dense",
    )
)  # fmt: skip
"""Hyperparameters by which the official containers set their own machinery; they change no result here."""


def progress_definitions() -> list[dict[str, str]]:
    """``MetricDefinitions`` of ``train:progress`` (percent) and ``train:throughput`` (records a second)."""
    speed = r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"
    return [
        {"Name": "train:progress", "Regex": r"#progress_metric: host=\S+, completed (\S+) %"},
        {"Name": "train:throughput", "Regex": speed},
    ]


def quality_definition(segment: str, name: str, kind: str) -> dict[str, str]:
    """``MetricDefinitions`` entry of ``<segment>:<name>``; ``kind`` is ``loss`` or ``score``."""
    regex = rf"#quality_metric: host=\S+, {segment} {name} <{kind}>=(\S+)"
    return {"Name": f"{segment}:{name}", "Regex": regex}


def say(text: str) -> None:
    """Print a line in the form of the official containers."""
    print(f"[{time.strftime('%m/%d/%Y %H:%M:%S')} INFO {os.getpid()}] {text}", flush=True)


def report(host: str, segment: str, name: str, value: float, kind: str) -> None:
    """Print a metric as the expressions above find it; ``kind`` is ``loss`` or ``score``."""
    say(f"#{segment}_score ({host}) : ('{name}', {value})")
    say(f"#quality_metric: host={host}, {segment} {name} <{kind}>={value}")


def check_one_host(job: TrainingInput, title: str) -> None:
    """Raise ``UserError`` if the job has more than one instance."""
    if len(job.resources.hosts) > 1:
        raise UserError(f"This image trains {title} on one instance; please set InstanceCount to 1")
