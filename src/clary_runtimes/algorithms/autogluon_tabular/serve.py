"""Inference with AutoGluon-Tabular.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-AutoGluon-Tabular.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pandas
from autogluon.tabular import TabularPredictor

from clary_runtimes.algorithms.jumpstart.answers import TabularHandler
from clary_runtimes.contract.errors import UserError

Array = Any


class AutoGluonHandler(TabularHandler):
    """Answers for a predictor: probabilities of every class, also where there are two, or predictions."""

    inline_bytes = 0
    """An ensemble takes tens of milliseconds."""
    predictor: Any

    def load(self) -> None:
        """Load the predictor and its models; raises ``UserError`` if there is none."""
        try:
            self.predictor = TabularPredictor.load(str(self.model_folder), verbosity=0)
        except (OSError, ValueError, AssertionError, EOFError) as error:
            raise UserError(f"{self.model_folder} holds no model of this algorithm: {error}") from error
        self.predictor.persist()
        names = self.predictor.original_features
        self.width = len(names)
        kinds = self.predictor.feature_metadata_in
        numeric = set(kinds.get_features(valid_raw_types=["int", "float"]))
        self._numeric = [number for number, name in enumerate(names) if name in numeric]
        # What the models do not look at, such as a column with one value, may hold anything.
        self._names = names
        self._labels = list(self.predictor.class_labels or ())

    @property
    def labels(self) -> Sequence[Any]:
        return self._labels

    def parse(self, body: bytes) -> Any:
        """The rows of a request as a data frame; raises ``ValueError`` naming the row of what cannot be used."""
        lines = [cells for cells in csv.reader(io.StringIO(body.decode("utf-8"))) if cells]
        if not lines:
            raise ValueError("there is no row")
        for number, cells in enumerate(lines, start=1):
            if len(cells) != self.width:
                raise ValueError(f"row {number} has {len(cells)} features where the model has {self.width}")
        rows = pandas.DataFrame(lines, columns=self._names).replace("", None)
        for column in self._numeric:
            values = pandas.to_numeric(rows.iloc[:, column], errors="coerce")
            bad = values.isna() & rows.iloc[:, column].notna() & (rows.iloc[:, column].str.lower() != "nan")
            if bad.any():
                row = int(bad.to_numpy().argmax())
                cell = rows.iloc[row, column]
                raise ValueError(f"row {row + 1}, column {column + 1}: could not convert string to float: {cell!r}")
            rows[self._names[column]] = values
        return rows

    def predict(self, rows: Any, how: None = None) -> Array:
        if self._labels:
            return self.predictor.predict_proba(rows).to_numpy()
        return self.predictor.predict(rows).to_numpy()


handler = AutoGluonHandler
