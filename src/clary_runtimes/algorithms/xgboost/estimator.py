"""The XGBoost library with the hyperparameters of Amazon's algorithm.

T. Chen, C. Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016; what the hyperparameters mean is
https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xgboost

from clary_runtimes.algorithms.data.spool import Spool
from clary_runtimes.algorithms.data.table import Table, join
from clary_runtimes.algorithms.xgboost import callbacks, scores
from clary_runtimes.algorithms.xgboost.cross_validation import cross_validate
from clary_runtimes.algorithms.xgboost.data import matrix, same_width
from clary_runtimes.algorithms.xgboost.hyperparameters import DEFAULT_OBJECTIVE, SPECIFICATION
from clary_runtimes.algorithms.xgboost.library import explained, for_library
from clary_runtimes.algorithms.xgboost.metrics import COMPUTED_HERE, direction
from clary_runtimes.algorithms.xgboost.pickled import unpickled
from clary_runtimes.contract.errors import UserError

Array = Any
Say = Callable[[str], None]

MODEL_FILE = "xgboost-model"

NOT_THE_LIBRARYS = (
    "num_round", "early_stopping_rounds", "save_model_on_termination", "_kfold", "_num_cv_round",
    "_tuning_objective_metric", "csv_weights", "dsplit", "use_dask_gpu_training", "eval_metric",
)  # fmt: skip


class Begin(NamedTuple):
    """What one model is boosted from, and what happens after each of its rounds."""

    checkpoint: Path | None = None
    """A model file to go on with …"""
    first_round: int = 0
    """… which has so many rounds."""
    after: Sequence[Any] = ()
    """Callbacks of the library."""


class XGBoost:
    """Boosted trees. The arguments are the documented hyperparameters by their names, ``num_round`` at least.

    Values may be numbers, lists (``eval_metric=["auc", "f1"]``) or texts; ``reg_lambda`` is ``lambda``, which is a word
    of Python's. Raises ``UserError`` for hyperparameters outside their documented ranges.

    Once it is fitted: ``models``, the library's boosters (one, or one a fold with ``_kfold``); ``history``, the metrics
    of every round of the last of them, as in ``history["validation"]["auc"]``; and with ``_kfold``
    ``held_out_predictions`` (rows,) or (rows, classes), of each row by models that have not seen it.
    """

    def __init__(self, /, **hyperparameters: Any) -> None:
        given = SPECIFICATION.parse({name: _text(value) for name, value in hyperparameters.items()})
        self.hyperparameters = given
        self.objective: str = given.setdefault("objective", DEFAULT_OBJECTIVE)
        self.num_round: int = given["num_round"]
        self.folds: int | None = given.get("_kfold")
        self.fold_rounds: int = given.get("_num_cv_round", 1)
        self.metrics: list[str] = list(given.get("eval_metric", []))
        tuned = given.get("_tuning_objective_metric", "").partition(":")[2]
        if tuned and tuned not in self.metrics:
            self.metrics.append(tuned)
        self.models: list[Any] = []
        self.history: dict[str, dict[str, list[float]]] = {}
        self.held_out_predictions: Array | None = None
        self.classes = 0
        self.width = 0
        self._threads: int | None = None

    @property
    def may_be_binned(self) -> bool:
        """Whether the trees are grown from bins, or the library may choose so, as it does where there are many rows."""
        given = self.hyperparameters
        return (
            given.get("booster", "gbtree") in ("gbtree", "dart")
            and given.get("tree_method", "auto") in ("auto", "hist", "gpu_hist")
            and given.get("process_type", "default") == "default"
            and not {"updater", "_kfold"} & set(given)
        )

    def check_labels(self, labels: Array, before: int = 0) -> None:
        """Raise ``UserError`` for labels (rows,) outside the objective's range; ``before`` rows were looked at already.

        Not every release of the library says so in these words.
        """
        if self.objective in ("binary:logistic", "binary:logitraw", "reg:logistic"):
            bad, reason = (labels < 0) | (labels > 1), "label must be in [0,1] for logistic regression"
        elif self.objective.startswith("multi:"):
            classes = self.hyperparameters["num_class"]
            bad, reason = (labels < 0) | (labels >= classes), "label must be in [0, num_class)"
        else:
            return
        if bad.any():
            row = int(bad.argmax())
            raise UserError(f"{reason} (row {before + row + 1} has {labels[row]:g})")

    def fit(
        self,
        features: Array,
        labels: Array,
        weights: Array | None = None,
        *,
        groups: Array | None = None,
        validation: tuple[Array, ...] | None = None,
        say: Say = lambda text: None,
    ) -> XGBoost:
        """Fit (rows, columns), dense or CSR, and labels (rows,); NaN, or what CSR leaves out, is missing.

        ``weights`` (rows,) and ``groups`` (rows,), the sorted query numbers of a ranking, may be None. ``validation``
        is such features and labels, and weights and groups if there are any: ``early_stopping_rounds`` needs it.
        ``say`` gets a line with the metrics of every round. Raises ``UserError`` for what cannot be learnt from.
        """
        rows = _table(features, labels, weights, groups)
        held = None if validation is None else _table(*validation)
        for each in (rows, held):
            if each is not None:
                self.check_labels(each.labels)
        return self.fit_tables(rows, held, say=say)

    def fit_tables(
        self,
        train: Table | Spool,
        validation: Table | Spool | None = None,
        *,
        say: Say = lambda text: None,
        begin: Callable[[int], Begin] = lambda number: Begin(),
    ) -> XGBoost:
        """Fit what was read from channels, whose labels were checked; rows in a file are binned piece by piece.

        ``begin`` says what the model of that number, from 0 on, begins with. Raises ``UserError``.
        """
        parameters = self._parameters(isinstance(train, Spool))
        if validation is not None:
            same_width(train, validation)

        def boost(train: Any, validation: Any, number: int) -> Any:
            return self._boost(parameters, train, validation, say, begin(number))

        with explained():
            if self.folds is None:
                bins = int(parameters.get("max_bin", 256))
                train_matrix = matrix(train, bins)
                validation_matrix = None if validation is None else matrix(validation, bins, train_matrix)
                self.models = [boost(train_matrix, validation_matrix, 0)]
            else:
                every = [each for each in (train, validation) if isinstance(each, Table)]
                rows = join(every, "the channels train and validation")
                self.models, self.held_out_predictions = cross_validate(self, rows, boost, say)
        self._examine()
        return self

    def _parameters(self, binned: bool) -> dict[str, Any]:
        given = {name: value for name, value in self.hyperparameters.items() if name not in NOT_THE_LIBRARYS}
        if binned and given.get("tree_method", "auto") == "auto":
            given["tree_method"] = "hist"
        parameters = for_library(given)
        known = [name for name in self.metrics if name not in COMPUTED_HERE]
        if known:
            parameters["eval_metric"] = known
        elif self.metrics:
            parameters["disable_default_eval_metric"] = 1
        return parameters

    def _boost(self, parameters: dict[str, Any], train: Any, validation: Any, say: Say, begin: Begin) -> Any:
        """A model; the best one of all rounds if early stopping is on."""
        after: list[Any] = [callbacks.MetricsLog(begin.first_round, say), *begin.after]
        patience = self.hyperparameters.get("early_stopping_rounds")
        if patience and validation is None:
            say("early_stopping_rounds needs a validation channel: there is none, so it has no effect")
        elif patience:
            metric = self.metrics[-1] if self.metrics else None
            after.append(
                xgboost.callback.EarlyStopping(
                    rounds=patience,
                    data_name="validation",
                    metric_name=metric,
                    maximize=None if metric is None else direction(metric) == "Maximize",
                    save_best=True,
                )
            )
        self.history = {}
        return xgboost.train(
            parameters,
            train,
            num_boost_round=max(0, self.num_round - begin.first_round),
            evals=[(train, "train")] + ([(validation, "validation")] if validation is not None else []),
            custom_metric=scores.evaluation(self.metrics, self.objective),
            callbacks=[callbacks.InOrder(after)],
            xgb_model=str(begin.checkpoint) if begin.checkpoint is not None else None,
            evals_result=self.history,
            verbose_eval=False,
        )

    def _examine(self) -> None:
        """Take from the models what predictions need."""
        config = json.loads(self.models[0].save_config())["learner"]
        self.objective = config["objective"]["name"]
        self.classes = int(config["learner_model_param"].get("num_class") or 0)
        self.width = self.models[0].num_features()
        self._tree_model = config["gradient_booster"]["name"] == "gbtree"
        self._ends = [_last_round(model) for model in self.models]

    def predict(self, features: Array) -> Array:
        """Predictions (rows,) or, for ``multi:softprob``, (rows, classes) for (rows, columns), dense or CSR.

        They are what the objective gives: a probability for ``binary:logistic``, a class for ``multi:softmax``, a value
        for ``reg:…``. Several models vote on classes and average numbers. Raises ``ValueError`` for another number of
        columns than in training.
        """
        if features.shape[1] != self.width:
            raise ValueError(f"the rows have {features.shape[1]} features where the model has {self.width}")
        found = [self._one(model, features, end) for model, end in zip(self.models, self._ends, strict=True)]
        if len(found) == 1:
            return found[0]
        stacked = np.stack(found)
        if self.objective in ("multi:softmax", "binary:hinge"):
            votes = np.stack([(stacked == label).sum(axis=0) for label in range(max(2, self.classes))])
            return votes.argmax(axis=0).astype(np.float32)
        return stacked.mean(axis=0)

    def _one(self, model: Any, rows: Array, end: int) -> Array:
        if self._tree_model:
            # Spares the copy into a DMatrix: half the time of a small request.
            return model.inplace_predict(rows, iteration_range=(0, end), validate_features=False)
        return model.predict(
            xgboost.DMatrix(rows, nthread=self._threads), iteration_range=(0, end), validate_features=False
        )

    def score(self, features: Array, labels: Array) -> dict[str, float]:
        """The metrics of labelled rows, by their documented names: ``accuracy`` and others of classes, else ``mse`` …

        Raises ``ValueError`` for a ranking or a survival time, whose metrics need more than labels.
        """
        return scores.quality(self.predict(features), np.asarray(labels), self.objective)

    def save(self, folder: Path) -> None:
        """Leave ``xgboost-model``, or ``xgboost-model-0`` and so on of several, in ``folder``: the library opens them.

        Hyperparameters are not in these files.
        """
        for number, model in enumerate(self.models):
            name = MODEL_FILE if len(self.models) == 1 else f"{MODEL_FILE}-{number}"
            callbacks.save_model(model, folder / name)

    @classmethod
    def load(cls, folder: Path, *, ensemble: bool = True, threads: int = 0) -> XGBoost:
        """The model in ``folder``, for predictions: any file of the library's, or pickled booster of it.

        All files together are one ensemble, or only the first counts. ``threads`` predict, 0 being all processors. A
        model is as trusted as its owner's code. Raises ``UserError`` if there is none or it cannot be read.
        """
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise UserError(f"No model file in {folder}")
        found = cls(num_round=1)
        found._threads = threads or None
        found.models = [_booster(file, threads) for file in (files if ensemble else files[:1])]
        found._examine()
        return found


def _table(features: Array, labels: Array, weights: Array | None = None, groups: Array | None = None) -> Table:
    # Another matrix around the same numbers: sparse rows may be made wider.
    features = features if isinstance(features, np.ndarray) else features.tocsr().copy()
    if features.ndim != 2 or not features.shape[0]:
        raise UserError(f"features must be (rows, columns) with at least one row; these are of shape {features.shape}")
    beside = {"labels": labels, "weights": weights, "groups": groups}
    columns = {name: None if value is None else np.asarray(value) for name, value in beside.items()}
    for name, column in columns.items():
        if column is not None and column.shape != (features.shape[0],):
            raise UserError(f"{name} are of shape {column.shape} where there are {features.shape[0]} rows")
    return Table(features, **columns)


def _text(value: Any) -> str:
    """A hyperparameter as a job has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return str(value)


def _booster(file: Path, threads: int) -> Any:
    with file.open("rb") as stream:
        start = stream.read(9)
    try:
        # Releases before 1.3 of the official container wrote pickles, the first of them with Python 2.
        if start[:1] == b"\x80" or start == b"ccopy_reg":
            model = unpickled(file.read_bytes())
        else:
            model = xgboost.Booster()
            model.load_model(str(file))
    except (xgboost.core.XGBoostError, pickle.UnpicklingError) as error:
        raise UserError(f"Model {file} cannot be loaded:\n{str(error).partition('Stack trace')[0]}") from error
    model.set_param({"nthread": threads})
    return model


def _last_round(model: Any) -> int:
    """How many rounds to use: those up to the best one where early stopping left its mark, else all (0)."""
    best = model.attr("best_iteration")
    return int(best) + 1 if best is not None and int(best) < model.num_boosted_rounds() else 0
