"""AutoGluon-Tabular beside the library used directly, with the same arguments; one round each, for it takes minutes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.algorithms import Row

IMAGE = "autogluon-tabular"
BESIDE = ()


def measure() -> Iterator[Row]:
    """Train both on the 569 tumours of scikit-learn, a quarter of them for validation."""
    from autogluon.tabular import TabularPredictor
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    from clary_runtimes.algorithms.autogluon_tabular.hyperparameters import SPECIFICATION
    from clary_runtimes.algorithms.autogluon_tabular.train import WITHOUT, fit

    rows, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    rows.insert(0, "target", labels)
    train, validation = train_test_split(rows, test_size=0.25, random_state=0, stratify=labels)
    given = SPECIFICATION.parse({"verbosity": "0"})

    def library(folder: Path) -> Any:
        predictor = TabularPredictor("target", "binary", "roc_auc", str(folder), verbosity=0)
        return predictor.fit(train, tuning_data=validation, excluded_model_types=list(WITHOUT))

    def once(work: Callable[[Path], Any]) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            predictor = work(Path(folder))
            seconds = time.perf_counter() - started
            return float(predictor.evaluate(validation, silent=True)["roc_auc"]), seconds

    theirs, their_seconds = once(library)
    ours, seconds = once(lambda folder: fit(folder, train, validation, "binary", given))
    yield Row("breast cancer", "defaults", "AutoGluon", "AUC", ours, theirs, seconds, their_seconds)
