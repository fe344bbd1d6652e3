"""AutoGluon-Tabular beside the library used directly, with the same arguments; with the evaluation, which is short."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.algorithms import Row
from bench.algorithms._alternate import alternately

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

    def evaluated(work: Callable[[Path], Any]) -> Callable[[], float]:
        def run() -> float:
            with tempfile.TemporaryDirectory() as folder:
                return float(work(Path(folder)).evaluate(validation, silent=True)["roc_auc"])

        return run

    (ours, theirs), (seconds, their_seconds) = alternately(
        evaluated(lambda folder: fit(folder, train, validation, "binary", given)), evaluated(library)
    )
    yield Row("breast cancer", "defaults", "AutoGluon", "AUC", ours, theirs, seconds, their_seconds)
