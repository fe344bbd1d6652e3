"""The built-in algorithms by the names of their images: each has its folder here, with the same rooms in it.

``hyperparameters`` and ``metrics`` need only the standard library, since the control plane reads them too, and
``description.toml`` says it all for people; ``train`` and ``serve`` are imported only inside jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from clary_runtimes.algorithms.specification import Specification
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput
from clary_runtimes.serving.request import Handler

ALGORITHMS = (
    "xgboost", "linear-learner", "kmeans", "pca", "knn", "randomcutforest", "factorization-machines", "lda",
    "lightgbm", "catboost", "autogluon-tabular",
    "blazingtext", "forecasting-deepar",
)  # fmt: skip


class Algorithm:
    """One built-in algorithm; its rooms are opened as they are asked for."""

    def __init__(self, name: str) -> None:
        self._folder = f"{__package__}.{name.replace('-', '_')}"

    def _room(self, name: str) -> Any:
        return import_module(f"{self._folder}.{name}")

    @property
    def specification(self) -> Specification:
        """Its hyperparameters."""
        specification: Specification = self._room("hyperparameters").SPECIFICATION
        return specification

    def description(self) -> dict[str, Any]:
        """What it is, in words for people: ``title``, ``summary``, ``channels``, ``hyperparameters`` …"""
        import tomllib  # jobs, which need no words, do not wait for it
        from importlib import resources

        return tomllib.loads(resources.files(self._folder).joinpath("description.toml").read_text("utf-8"))

    def validate(self, hyperparameters: Mapping[str, str]) -> list[str]:
        """What is wrong with the hyperparameters of a job, in the words of the official container; empty if nothing."""
        return self.specification.validate(hyperparameters)

    def metric_definitions(self) -> list[dict[str, str]]:
        """``MetricDefinitions``: every documented metric with the expression that finds it in the log."""
        definitions: list[dict[str, str]] = self._room("metrics").metric_definitions()
        return definitions

    def direction(self, metric: str) -> str:
        """Whether a metric is to ``Minimize`` or to ``Maximize``."""
        wanted: str = self._room("metrics").direction(metric)
        return wanted

    @property
    def training_module(self) -> str:
        """The module that trains, which imports all that training needs."""
        return f"{self._folder}.train"

    def train(self, job: TrainingInput) -> None:
        """Train as ``job`` says; raises ``UserError`` for what the user can prevent."""
        # Refuses before the libraries are imported, which takes seconds.
        self.specification.parse(job.hyperparameters)
        if len(job.resources.hosts) > 1:
            raise UserError("The built-in algorithms train on one instance here; please set InstanceCount to 1")
        train: Callable[[TrainingInput], None] = self._room("train").train
        train(job)

    def handler(self, model: Path) -> Handler:
        """What answers for the model in a folder."""
        handler: Handler = self._room("serve").handler(model)
        return handler


def find(name: str) -> Algorithm | None:
    """The algorithm called ``name``; ``None`` where there is none."""
    return Algorithm(name) if name in ALGORITHMS else None
