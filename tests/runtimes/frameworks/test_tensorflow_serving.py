"""Requests of TensorFlow Serving: what clients may send, which model is meant, and JSON to tensors and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary_runtimes.contract.errors import UserError
from clary_runtimes.frameworks.tensorflow_serving.batching import batching
from clary_runtimes.frameworks.tensorflow_serving.payload import document, rest_document
from clary_runtimes.frameworks.tensorflow_serving.target import Target, of_attributes, of_path
from clary_runtimes.serving.request import Batching, RequestError


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ('{"instances": [1.0, 2.0]}', "application/json", {"instances": [1.0, 2.0]}),
        ('{"inputs": [1], "signature_name": "a"}', "application/json", {"inputs": [1], "signature_name": "a"}),
        ('{"examples": [{"x": 1}]}', None, {"examples": [{"x": 1}]}),
        ("[1, 2, 5]", "application/json; charset=utf-8", {"instances": [[1, 2, 5]]}),
        ("[[1, 2], [3, 4]]", "application/json", {"instances": [[1, 2], [3, 4]]}),
        ('{"x": [1, 2]}', "application/json", {"instances": [{"x": [1, 2]}]}),
        ("7", "application/json", {"instances": [7]}),
        ("[1, 2]\n[3, 4]\r\n\n", "application/json", {"instances": [[1, 2], [3, 4]]}),
        ('{"x": 1}\n{"x": 2}', "application/jsonlines", {"instances": [{"x": 1}, {"x": 2}]}),
        ("1.5\n2.5", "application/jsons", {"instances": [1.5, 2.5]}),
        ("1.0,2,5e-1\n1.0,2,3", "text/csv", {"instances": [[1.0, 2, 0.5], [1.0, 2, 3]]}),
        ("1\n2\n", "text/csv", {"instances": [1, 2]}),
        ('"a, b",1\n"c",2', "text/csv", {"instances": [["a, b", 1], ["c", 2]]}),
        ('good film,"bad, film"\ndull,play', "text/csv", {"instances": [["good film", "bad, film"], ["dull", "play"]]}),
    ],
)
def test_what_clients_may_send(body: str, kind: str | None, expected: Any) -> None:
    assert document(body.encode(), kind) == expected


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b"1", "image/png", 415, "Unsupported Media Type: image/png"),
        (b"{", "application/json", 400, "JSON Parse error"),
        (b"[1]\n[", "application/jsonlines", 400, "JSON Parse error"),
        (b"1,,2", "text/csv", 400, "JSON Parse error"),
        (b"\xff", "text/csv", 400, "The body is not UTF-8"),
    ],
)
def test_what_clients_may_not_send(body: bytes, kind: str, status: int, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        document(body, kind)
    assert caught.value.status == status
    assert json.loads(caught.value.message)["error"].startswith(message)


def test_requests_of_the_rest_api() -> None:
    assert rest_document(b'{"instances": [NaN]}').keys() == {"instances"}
    for body in (b"", b"[1]", b"{"):
        with pytest.raises(RequestError) as caught:
            rest_document(body)
        assert caught.value.status == 400


def test_which_model_is_meant() -> None:
    assert of_attributes(None) == of_attributes("mine=1") == Target(None, None, "predict")
    every = of_attributes("tfs-method=regress, tfs-model-name=half plus three,other=1,tfs-model-version=5")
    assert every == Target("half plus three", "5", "regress")
    for target in (Target("a", None, "predict"), Target("half_plus-3", "5", "classify")):
        assert of_path(target.path) == target
    for path in ("/v1/models/a", "/v2/models/a:predict", "/v1/models/a/versions/:predict"):
        with pytest.raises(RequestError, match="Malformed request"):
            of_path(path)


def test_variables_of_batching() -> None:
    assert batching({}) is batching({"SAGEMAKER_TFS_MAX_BATCH_SIZE": "4"}) is None
    assert batching({"SAGEMAKER_TFS_ENABLE_BATCHING": "true"}) == Batching(8, 0.001)
    size = {"SAGEMAKER_TFS_MAX_BATCH_SIZE": "32", "SAGEMAKER_TFS_BATCH_TIMEOUT_MICROS": "0"}
    assert batching({"SAGEMAKER_TFS_ENABLE_BATCHING": "True", **size}) == Batching(32, 0.0)
    for name, value in (("ENABLE_BATCHING", "yes"), ("MAX_BATCH_SIZE", "many"), ("BATCH_TIMEOUT_MICROS", "-1")):
        with pytest.raises(UserError, match=name):
            batching({"SAGEMAKER_TFS_ENABLE_BATCHING": "true", f"SAGEMAKER_TFS_{name}": value})


READ = """
import json, sys, numpy
from clary_runtimes.frameworks.tensorflow_serving import tensors
from clary_runtimes.serving.request import RequestError

found = []
for form, given, kinds in json.loads(sys.argv[1]):
    read = tensors.from_rows if form == "instances" else tensors.from_columns
    try:
        arrays = read(given, {name: numpy.dtype(kind) for name, kind in kinds.items()})
        found.append({name: [str(each.dtype), list(each.shape), str(each.tolist())] for name, each in arrays.items()})
    except RequestError as error:
        found.append([error.status, json.loads(error.message)["error"]])
print(json.dumps(found))
"""


def test_json_becomes_tensors(linear_learner: Any) -> None:
    x, text, both = {"x": "float32"}, {"text": "object"}, {"x": "float32", "n": "int64"}
    cases: list[tuple[str, Any, dict[str, str], Any]] = [
        ("instances", [1, 2.5], x, {"x": ["float32", [2], "[1.0, 2.5]"]}),
        ("instances", [[1, 2], [3, 4]], {"x": "int8"}, {"x": ["int8", [2, 2], "[[1, 2], [3, 4]]"]}),
        ("instances", [{"x": [1.5]}], x, {"x": ["float32", [1, 1], "[[1.5]]"]}),
        (
            "instances",
            [{"x": 1, "n": [1, 2]}, {"n": [3, 4], "x": 2}],
            both,
            {"x": ["float32", [2], "[1.0, 2.0]"], "n": ["int64", [2, 2], "[[1, 2], [3, 4]]"]},
        ),
        ("instances", ["é", {"b64": "AP8="}], text, {"text": ["object", [2], str(["é".encode(), b"\0\xff"])]}),
        ("instances", [[True], [False]], {"b": "bool"}, {"b": ["bool", [2, 1], "[[True], [False]]"]}),
        ("inputs", 3, x, {"x": ["float32", [], "3.0"]}),
        ("inputs", {"b64": "YQ=="}, text, {"text": ["object", [], str(b"a")]}),
        ("inputs", {"x": 1, "n": [2], "o": 0}, both, {"x": ["float32", [], "1.0"], "n": ["int64", [1], "[2]"]}),
        ("instances", [], x, "Expecting 'instances' to be a list"),
        ("instances", {"x": 1}, x, "Expecting 'instances' to be a list"),
        ("instances", [{"junk": "data"}], x, "Failed to process element: 0 key: junk of 'instances' list."),
        ("instances", [{"x": 1, "n": 1}, {"x": 1}], both, "Failed to process element: 1 of 'instances' list."),
        ("instances", [{"x": 1, "n": 1}, 1], both, "Expecting object but got list at item 1"),
        ("instances", [1], both, "instances is a plain list, but expecting list of objects"),
        ("inputs", [1], both, "inputs is a plain value/list, but expecting an object"),
        ("inputs", {"x": 1}, both, "Missing named input: n"),
        ("instances", ["1"], x, "Failed to process input x: a JSON value is not of the expected type float32"),
        ("instances", [None], x, "Failed to process input x"),
        ("instances", [True], x, "Failed to process input x"),
        ("instances", [1e39], x, "Failed to process input x"),
        ("instances", [1.5], {"n": "int32"}, "Failed to process input n"),
        ("instances", [300], {"n": "uint8"}, "Failed to process input n"),
        ("instances", [[1], [1, 2]], x, "Failed to process input x"),
        ("instances", [["a"], ["a", "b"]], text, "Failed to process input text"),
        ("instances", [1], text, "Failed to process input text"),
        ("instances", [{"b64": "?"}], text, "Unable to base64 decode"),
        ("instances", [1], {"c": "complex64"}, "Failed to process input c"),
    ]
    found = linear_learner.evaluate(READ, json.dumps([c[:3] for c in cases]))
    for (form, given, _, expected), answer in zip(cases, found, strict=True):
        if isinstance(expected, str):
            assert answer[0] == 400 and answer[1].startswith(expected), (form, given, answer)
        else:
            assert answer == expected, (form, given)


WRITE = r"""
import json, numpy
from clary_runtimes.frameworks.tensorflow_serving import tensors
from clary_runtimes.serving.request import RequestError

a = numpy.array([0.1, 4], numpy.float32)
texts = numpy.array([[b"\xc3\xa9"], [b"\xff"]], object)
several = {"score": a, "label": texts, "raw_bytes": texts[:, 0], "flag": a > 1, "n": numpy.arange(4).reshape(2, 2)}
refused = []
for outputs in ({"x": numpy.float32(1).reshape(())}, {"x": a, "y": a[:1]}):
    try:
        tensors.to_rows(outputs)
    except RequestError as error:
        refused.append(error.status)
print(json.dumps([
    tensors.to_rows({"x": a}).decode(),
    tensors.to_columns({"x": a.reshape(1, 2)}).decode(),
    tensors.to_columns({"x": a[0]}).decode(),
    tensors.to_rows({"x": numpy.array([0.1, numpy.nan, -numpy.inf], numpy.float32)}).decode(),
    tensors.to_rows({"x": numpy.array([numpy.nan, 1]), "n": numpy.arange(2)}).decode(),
    json.loads(tensors.to_rows(several)),
    json.loads(tensors.to_columns(several))["outputs"]["n"],
    refused,
]))
"""


def test_tensors_become_json(linear_learner: Any) -> None:
    *texts, rows, columns, refused = linear_learner.evaluate(WRITE)
    assert texts == [
        '{"predictions":[0.1,4.0]}',
        '{"outputs":[[0.1,4.0]]}',
        '{"outputs":0.1}',
        '{"predictions": [0.1, NaN, -Infinity]}',
        '{"predictions": [{"x": NaN, "n": 0}, {"x": 1.0, "n": 1}]}',
    ]
    assert rows["predictions"] == [
        {"score": 0.1, "label": ["é"], "raw_bytes": {"b64": "w6k="}, "flag": False, "n": [0, 1]},
        {"score": 4.0, "label": ["\ufffd"], "raw_bytes": {"b64": "/w=="}, "flag": True, "n": [2, 3]},
    ]
    assert columns == [[0, 1], [2, 3]] and refused == [400, 400]
