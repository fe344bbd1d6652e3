"""Serving with the functions of a user's script."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

TRAIN = """
import sys, joblib, numpy as np
from sklearn.linear_model import LogisticRegression
rows = np.loadtxt(sys.argv[1], delimiter=",")
joblib.dump(LogisticRegression(max_iter=1000).fit(rows[:, 1:], rows[:, 0]), sys.argv[2])
"""

MODEL_FN = """
import os, joblib
def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""

FLOWERS = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]
CSV = "\n".join(",".join(map(str, row)) for row in FLOWERS)


def _model(root: Path, script: str, name: str = "inference.py") -> Path:
    path = root / "model" / "code" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    return root


@pytest.fixture
def trained(sklearn: Any, ml_root: Path, datasets: Path) -> Path:
    """A model archive with a logistic regression of the iris data."""
    model = ml_root / "model" / "model.joblib"
    model.parent.mkdir(parents=True)
    subprocess.run([sklearn.python, "-c", TRAIN, str(datasets / "iris-train.csv"), str(model)], check=True)
    return ml_root


def test_default_functions(sklearn: Any, trained: Path, serve: Any) -> None:
    server = serve(sklearn, _model(trained, MODEL_FN)).wait()
    assert server.invoke(CSV).json() == [0.0, 1.0, 2.0]
    assert server.invoke(CSV, accept="*/*").content_type == "application/json"
    assert server.invoke(CSV, accept="text/csv").body == b"0.0\n1.0\n2.0\n"
    assert server.invoke(json.dumps(FLOWERS), "application/json").json() == [0.0, 1.0, 2.0]
    assert server.invoke(json.dumps(FLOWERS[1]), "application/json").json() == [1.0]
    lines = "\n".join(map(json.dumps, FLOWERS))
    assert server.invoke(lines, "application/jsonlines", "application/jsonlines").body == b"0.0\n1.0\n2.0\n"
    npy = trained / "rows.npy"
    code = "import json, sys, numpy; numpy.save(sys.argv[1], json.loads(sys.argv[2])); print(0)"
    sklearn.evaluate(code, str(npy), json.dumps(FLOWERS))
    answer = server.invoke(npy.read_bytes(), "application/x-npy", "application/x-npy")
    assert answer.content_type == "application/x-npy"
    npy.write_bytes(answer.body)
    code = "import json, sys, numpy; print(json.dumps(numpy.load(sys.argv[1]).tolist()))"
    assert sklearn.evaluate(code, str(npy)) == [0.0, 1.0, 2.0]


def test_refused_requests(sklearn: Any, trained: Path, serve: Any) -> None:
    server = serve(sklearn, _model(trained, MODEL_FN)).wait()
    for body, content_type, accept, status, message in (
        (CSV, "image/png", None, 415, "Content type image/png is not supported by this framework."),
        (CSV, "text/csv", "image/png", 406, "Content type image/png is not supported by this framework."),
        ("1,x", "text/csv", None, 400, "row 1, column 2: could not convert string to float: 'x'"),
        ("{", "application/json", None, 400, "Unable to decode the payload as application/json"),
        (b"\xff", "text/csv", None, 400, "The body is not UTF-8"),
        (b"abc", "application/x-npy", None, 400, "Unable to decode the payload as application/x-npy"),
        ("1,2", "text/csv", None, 500, "X has 2 features, but LogisticRegression is expecting 4 features as input."),
    ):
        answer = server.invoke(body, content_type, accept)
        assert (answer.status, message in answer.body.decode()) == (status, True), answer
    assert "Traceback" in server.log.read_text() and "expecting 4 features" in server.log.read_text()
    pickled = subprocess.run(
        [sklearn.python, "-c", "import sys, numpy; numpy.save(sys.stdout.buffer, numpy.array([{}], dtype=object))"],
        capture_output=True,
        check=True,
    ).stdout
    assert server.invoke(pickled, "application/x-npy").status == 400


def test_functions_of_the_script(sklearn: Any, ml_root: Path, serve: Any) -> None:
    script = """
import json
from helper import FACTOR
def model_fn(model_dir): return {"offset": 1, "dir": model_dir}
def input_fn(body, content_type):
    assert isinstance(body, str) if content_type == "application/json" else isinstance(body, bytes)
    return json.loads(body)
def predict_fn(data, model): return [value * FACTOR + model["offset"] for value in data]
def output_fn(prediction, accept): return json.dumps({"p": prediction, "accept": accept}), "application/x-own"
"""
    _model(ml_root, "FACTOR = 10", "helper.py")
    root = _model(ml_root, script, "serve_it.py")
    server = serve(
        sklearn, root, SAGEMAKER_PROGRAM="serve_it.py", SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code"
    ).wait()
    answer = server.invoke("[1, 2]", "application/json")
    assert (answer.content_type, answer.json()) == ("application/x-own", {"p": [11, 21], "accept": "application/json"})
    assert server.invoke("[1]", "application/x-mine", "text/x").json() == {"p": [11], "accept": "text/x"}
    assert server.invoke("[null]", "application/json").status == 500


def test_transform_function_and_context(sklearn: Any, ml_root: Path, serve: Any) -> None:
    script = """
def model_fn(model_dir, context): return context.system_properties["model_dir"] == model_dir
def transform_fn(model, body, content_type, accept): return f"{model} {body.decode()} {content_type} {accept}"
"""
    server = serve(sklearn, _model(ml_root, script)).wait()
    answer = server.invoke("hello", "text/plain", "text/plain")
    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"True hello text/plain text/plain")


def test_the_context_has_headers_of_the_request(sklearn: Any, ml_root: Path, serve: Any) -> None:
    script = """
def model_fn(model_dir): return None
def input_fn(body, content_type, context): return context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")
def predict_fn(data, model): return data
def output_fn(prediction, accept, context): return f"{prediction} {context.get_all_request_header(0)}"
"""
    server = serve(sklearn, _model(ml_root, script), SAGEMAKER_TS_BATCH_SIZE="4").wait()
    given = {"X-Amzn-SageMaker-Custom-Attributes": "a=1", "Traceparent": "00-1"}
    answer = server.request("POST", "/invocations", "x", given)
    assert answer.body == b"a=1 {'x-amzn-sagemaker-custom-attributes': 'a=1', 'traceparent': '00-1'}"
    assert server.invoke("x").body == b"None {}"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("x = 1", "Please provide a model_fn implementation."),
        ("def model_fn(d): raise RuntimeError('no weights')", "no weights"),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        (
            "def model_fn(d): pass\ndef transform_fn(*a): pass\ndef input_fn(*a): pass",
            "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn",
        ),
    ],
)
def test_a_broken_script_ends_the_server(sklearn: Any, ml_root: Path, serve: Any, script: str, message: str) -> None:
    server = serve(sklearn, _model(ml_root, script))
    assert server.process.wait(60) == 1
    assert message in server.log.read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [("SAGEMAKER_TS_BATCH_SIZE", "many"), ("SAGEMAKER_TS_BATCH_SIZE", "0"), ("SAGEMAKER_TS_MAX_BATCH_DELAY", "-1")],
)
def test_a_batch_that_cannot_be_ends_the_server(sklearn: Any, ml_root: Path, serve: Any, name: str, value: str) -> None:
    server = serve(sklearn, _model(ml_root, "def model_fn(folder): pass"), **{name: value})
    assert server.process.wait(60) != 0
    assert f"{name} must be a whole number from " in server.log.read_text()


def test_a_script_in_the_xgboost_image(xgboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    xgboost.job(ml_root).channel("train", datasets / "diabetes-train.csv").succeed({"num_round": "3"})
    script = """
import os, xgboost
def model_fn(model_dir): return xgboost.Booster(model_file=os.path.join(model_dir, "xgboost-model"))
"""
    server = serve(xgboost, _model(ml_root, script), SAGEMAKER_PROGRAM="inference.py").wait()
    row = (datasets / "diabetes-validation.csv").read_text().splitlines()[0].partition(",")[2]
    scripted = server.invoke(row).json()
    libsvm = " ".join(f"{index}:{value}" for index, value in enumerate(row.split(",")))
    assert server.invoke(libsvm, "text/libsvm").json() == pytest.approx(scripted, rel=1e-5)
    assert server.invoke("x", "text/csv").status == 415
