"""XGBoost as a class, without a job, in the environment of the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BEGIN = """
import json, sys
from pathlib import Path
import numpy as np
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_diabetes
from sklearn.model_selection import train_test_split
from clary_runtimes.algorithms.xgboost.estimator import XGBoost
from clary_runtimes.contract.errors import UserError

def parts(load):
    return train_test_split(*load(return_X_y=True), test_size=0.25, random_state=0)

def message(work):
    try:
        work()
    except (UserError, ValueError) as error:
        return f"{type(error).__name__}: {error}"

rows, held, labels, truth = parts(load_breast_cancer)
"""


def test_a_classifier_is_what_the_library_makes(xgboost: Any) -> None:
    code = """
import xgboost
given = {"objective": "binary:logistic", "eta": 0.2, "max_depth": 4}
model = XGBoost(num_round=40, eval_metric=["auc", "accuracy"], **given).fit(rows, labels, validation=(held, truth))
library = xgboost.train(given, xgboost.DMatrix(rows, labels), 40)
apart = float(np.abs(model.predict(held) - library.predict(xgboost.DMatrix(held))).max())
lines = []
XGBoost(num_round=3).fit(rows, labels, say=lines.append)
print(json.dumps([model.score(held, truth), model.history["validation"]["accuracy"][-1], apart, lines]))
"""
    score, accuracy, apart, lines = xgboost.evaluate(BEGIN + code)
    assert score["accuracy"] > 0.95 and score["f1_binary"] > 0.96
    assert score["accuracy"] == pytest.approx(accuracy, abs=1e-5) and apart < 1e-6
    assert len(lines) == 3 and lines[0].startswith("[0]#011train-rmse:")


def test_several_classes_and_sparse_rows(xgboost: Any) -> None:
    code = """
rows, held, labels, truth = parts(load_digits)
sparse = scipy.sparse.csr_matrix(rows)
model = XGBoost(num_round=30, objective="multi:softprob", num_class=10).fit(sparse, labels)
narrow = scipy.sparse.csr_matrix(held[:, :60])
XGBoost(num_round=1).fit(narrow, truth, validation=(sparse, labels))
found = model.predict(scipy.sparse.csr_matrix(held))
print(json.dumps([model.score(scipy.sparse.csr_matrix(held), truth), found.shape, narrow.shape]))
"""
    score, shape, narrow = xgboost.evaluate(BEGIN + code)
    assert score["accuracy"] > 0.94 and shape == [450, 10] and narrow == [450, 60]


def test_a_regression_stops_early_and_is_saved(xgboost: Any, tmp_path: Path) -> None:
    code = """
rows, held, labels, truth = parts(load_diabetes)
model = XGBoost(num_round=500, early_stopping_rounds=5, reg_lambda=2, max_depth=3)
model.fit(rows, labels, validation=(held, truth)).save(Path(sys.argv[1]))
loaded = XGBoost.load(Path(sys.argv[1]))
same = bool((loaded.predict(held) == model.predict(held)).all())
print(json.dumps([model.score(held, truth), model.models[0].num_boosted_rounds(), same]))
"""
    score, rounds, same = xgboost.evaluate(BEGIN + code, str(tmp_path))
    assert score["mse"] < 3900 and rounds < 100 and same
    assert [file.name for file in tmp_path.iterdir()] == ["xgboost-model"]


def test_folds_are_an_ensemble(xgboost: Any, tmp_path: Path) -> None:
    code = """
model = XGBoost(num_round=20, objective="binary:logistic", _kfold=3).fit(rows, labels)
model.save(Path(sys.argv[1]))
loaded, first = XGBoost.load(Path(sys.argv[1])), XGBoost.load(Path(sys.argv[1]), ensemble=False)
out = float(((model.held_out_predictions > 0.5) == labels).mean())
same = bool((loaded.predict(held) == model.predict(held)).all())
print(json.dumps([len(model.models), len(first.models), out, same]))
"""
    assert xgboost.evaluate(BEGIN + code, str(tmp_path)) == [3, 1, pytest.approx(0.95, abs=0.04), True]
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"xgboost-model-{number}" for number in range(3)]


def test_mistakes_are_named(xgboost: Any, tmp_path: Path) -> None:
    code = """
model = XGBoost(num_round=1, objective="binary:logistic")
ranking = XGBoost(num_round=1, objective="rank:pairwise").fit(rows, labels, groups=np.arange(len(labels)) // 10)
print(json.dumps([
    message(lambda: XGBoost(max_depth=3)),
    message(lambda: XGBoost(num_round=1, eta=2)),
    message(lambda: XGBoost(num_round=1, depth=2)),
    message(lambda: model.fit(rows, labels + 4)),
    message(lambda: model.fit(rows, labels[:-1])),
    message(lambda: model.fit(rows, labels, validation=(held[:, 1:], truth))),
    message(lambda: model.fit(rows, labels).predict(held[:, 1:])),
    message(lambda: ranking.score(held, truth)),
    message(lambda: XGBoost.load(Path(sys.argv[1]))),
]))
"""
    found = xgboost.evaluate(BEGIN + code, str(tmp_path))
    assert found[:3] == [
        "UserError: Missing required hyperparameter: num_round",
        "UserError: Hyperparameter eta: 2.0 is not in [0, 1]",
        "UserError: Extraneous hyperparameter found: depth",
    ]
    assert found[3].startswith("UserError: label must be in [0,1] for logistic regression (row 1 has ")
    assert found[4] == "UserError: labels are of shape (425,) where there are 426 rows"
    assert found[5] == "UserError: The validation channel has 29 features where the train channel has 30"
    assert found[6] == "ValueError: the rows have 29 features where the model has 30"
    assert found[7].startswith("ValueError: the metrics of rank:pairwise need more than labels")
    assert found[8] == f"UserError: No model file in {tmp_path}"


def test_models_that_were_pickled_are_loaded(xgboost: Any, tmp_path: Path) -> None:
    """As releases of the library before 1.0 left them, also under Python 2."""
    code = """
import io, pickle, xgboost
folder = Path(sys.argv[1])
given = {"objective": "binary:logistic"}
booster = xgboost.train(given, xgboost.DMatrix(rows, labels), 10)

def pickled_before(booster):
    told = io.BytesIO()
    writer = pickle._Pickler(told, protocol=0, fix_imports=True)

    class Booster:
        def __reduce_ex__(self, protocol):
            import copyreg
            return copyreg._reconstructor, (xgboost.core.Booster, object, None), {"handle": handle}

    handle = booster.save_raw("deprecated")
    writer.dump(Booster())
    return told.getvalue()

found = []
for data in (pickle.dumps(booster, protocol=4), pickled_before(booster)):
    (folder / "xgboost-model").write_bytes(data)
    model = XGBoost.load(folder)
    apart = np.abs(model.predict(held) - booster.predict(xgboost.DMatrix(held))).max()
    found.append([data[:9].decode("latin-1"), float(apart)])
(folder / "xgboost-model").write_bytes(b"ccopy_reg nonsense")
print(json.dumps([found, message(lambda: XGBoost.load(folder))]))
"""
    [[new, apart], [old, old_apart]], refused = xgboost.evaluate(BEGIN + code, str(tmp_path))
    assert new.startswith("\x80") and old == "ccopy_reg" and apart < 1e-6 and old_apart < 1e-6
    assert refused.startswith("UserError: Model ") and "cannot be loaded" in refused
