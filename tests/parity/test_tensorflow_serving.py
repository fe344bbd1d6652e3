"""SavedModels in the TensorFlow image: made by a training job, served with no script and with scripts around them."""

from __future__ import annotations

import base64
import json
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import Lab, pack
from parity_transform import output, transform

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
TRAINING = f"{REGISTRY}/tensorflow-training:2.19.0-cpu-py312"
INFERENCE = f"{REGISTRY}/tensorflow-inference:2.19-cpu"

MODELS = """
    import os, pathlib
    import keras, numpy, tensorflow as tf

    folder = pathlib.Path(os.environ["SM_MODEL_DIR"])
    keras.utils.set_random_seed(0)

    # A line, learnt by Keras and exported: the only model of an archive without a name.
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    rows = numpy.random.default_rng(0).normal(size=(512, 2))
    model.fit(rows, rows @ [[1.0], [-1.0]], epochs=20, verbose=0)
    model.export(str(folder / "1"), verbose=False)
    model.layers[0].kernel.assign([[2.0], [0.0]])
    model.export(str(folder / "00000012"), verbose=False)

    class Several(tf.Module):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.int32, "n")])
        def both(self, text, n):
            return {"upper": tf.strings.upper(text), "half": tf.cast(n, tf.float32) / self.scale, "same_bytes": text}

        @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, "x")])
        def total(self, x):
            return {"total": self.scale * tf.reduce_sum(x), "unit": tf.constant("m")}

    several = Several()
    signatures = {"serving_default": several.both, "total": several.total}
    tf.saved_model.save(several, str(folder / "several" / "7"), signatures=signatures)

    # As estimators left them: for examples, from TensorFlow 1.
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        examples = v1.placeholder(tf.string, [None], "examples")
        features = {"x": tf.io.FixedLenFeature([], tf.float32), "name": tf.io.FixedLenFeature([], tf.string, "none")}
        found = tf.io.parse_example(examples, features)
        half = found["x"] * 0.5 + v1.get_variable("c", initializer=3.0)
        labels = tf.stack([found["name"], tf.fill(tf.shape(half), "other")], 1)
        session.run(v1.global_variables_initializer())
        sig = v1.saved_model.signature_def_utils
        builder = v1.saved_model.Builder(str(folder / "export" / "Servo" / "1533"))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map={
                "serving_default": sig.regression_signature_def(examples, half),
                "named": sig.classification_signature_def(examples, labels, tf.stack([half, 1 - half], 1)),
            },
        )
        builder.save()
    """


@pytest.fixture
def models(lab: Lab) -> str:
    """The archive that a training job makes; gives its URI."""
    lab.start_script("models", MODELS, TRAINING)
    return str(lab.completed("models", 600)["ModelArtifacts"]["S3ModelArtifacts"])


def ask(lab: Lab, name: str, body: Any, kind: str = "application/json", **more: Any) -> Any:
    return json.loads(lab.invoke(name, body if isinstance(body, str) else json.dumps(body), kind, **more))


def refusal(lab: Lab, name: str, body: Any, kind: str = "application/json", **more: Any) -> tuple[int, str]:
    """The status and the error with which the container refuses a request."""
    with pytest.raises(ClientError) as caught:
        ask(lab, name, body, kind, **more)
    assert caught.value.response["Error"]["Code"] == "ModelError"
    return caught.value.response["OriginalStatusCode"], json.loads(caught.value.response["OriginalMessage"])["error"]


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_models_without_a_script(lab: Lab, models: str) -> None:
    # The archive of a job is served by its own image too, and requests may share a prediction.
    sharing = {"SAGEMAKER_TFS_ENABLE_BATCHING": "true", "SAGEMAKER_TFS_BATCH_TIMEOUT_MICROS": "20000"}
    lab.deploy("all", models, TRAINING, Environment={"SAGEMAKER_TFS_DEFAULT_MODEL_NAME": "model", **sharing})
    doubled = {"predictions": [[2.0], [6.0]]}
    assert ask(lab, "all", {"instances": [[1, 1], [3, 1]]}) == doubled
    assert ask(lab, "all", {"inputs": [[1, 1], [3, 1]]}) == {"outputs": [[2.0], [6.0]]}
    assert ask(lab, "all", [[1, 1], [3, 1]]) == ask(lab, "all", "[1, 1]\n[3, 1]", "application/jsons") == doubled
    assert (
        ask(lab, "all", "1,1\n3,1\n", "text/csv") == ask(lab, "all", "[1,1]\n[3,1]", "application/jsonlines") == doubled
    )
    line = lab.runtime.invoke_endpoint(
        EndpointName="all", ContentType="text/csv", Accept="application/jsonlines", Body="1,1"
    )
    assert line["ContentType"] == "application/jsonlines" and line["Body"].read() == b'{"predictions":[[2.0]]}'
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda number: ask(lab, "all", {"instances": [[number, 0]] * (number % 3 + 1)}), range(40))
    assert list(found) == [{"predictions": [[2.0 * number]] * (number % 3 + 1)} for number in range(40)]

    lab.put("in/rows.csv", "1,1\n3,1\n")
    transform(lab, "batch", "all")
    assert json.loads(output(lab, "batch", "rows.csv")) == doubled

    older = ask(lab, "all", [[3, 1], [1, 2]], CustomAttributes="tfs-model-version=1")["predictions"]
    assert [value for [value] in older] == pytest.approx([2, -1], abs=0.05)

    several = {"CustomAttributes": "tfs-model-name=several"}
    rows = [{"text": "a", "n": 1}, {"text": {"b64": base64.b64encode(b"b").decode()}, "n": 4}]
    a, b = ask(lab, "all", {"instances": rows}, **several)["predictions"]
    assert a == {"upper": "A", "half": 0.5, "same_bytes": {"b64": "YQ=="}}
    assert b == {"upper": "B", "half": 2.0, "same_bytes": {"b64": "Yg=="}}
    columns = ask(lab, "all", {"inputs": {"text": ["a", "b"], "n": [1, 4]}}, **several)["outputs"]
    assert columns["upper"] == ["A", "B"] and columns["half"] == [0.5, 2.0]
    assert ask(lab, "all", {"signature_name": "total", "inputs": [[1, 2], [3, 4]]}, **several) == {
        "outputs": {"total": 20.0, "unit": "m"}
    }

    examples = {"examples": [{"x": 1.0, "name": "one"}, {"x": 2.0}]}
    servo = "tfs-model-name=Servo,tfs-method="
    assert ask(lab, "all", examples, CustomAttributes=f"{servo}regress") == {"results": [3.5, 4.0]}
    named = ask(lab, "all", {"signature_name": "named", **examples}, CustomAttributes=f"{servo}classify")
    assert named == {"results": [[["one", 3.5], ["other", -2.5]], [["none", 4.0], ["other", -3.0]]]}
    context = {"context": {"name": "each"}, "signature_name": "named", "examples": [{"x": 1.0}]}
    assert ask(lab, "all", context, CustomAttributes=f"{servo}classify") == {
        "results": [[["each", 3.5], ["other", -2.5]]]
    }

    for body, attributes, status, message in (
        ({"junk": "data"}, "", 400, "Failed to process element: 0 key: junk of 'instances' list."),
        ([[1, 2, 3]], "", 400, "Matrix size-incompatible: In[0]: [1,3], In[1]: [2,1]"),
        ({"instances": [["a", "b"]]}, "", 400, "Failed to process input keras_tensor"),
        ({"instances": [1], "signature_name": "x"}, "", 400, 'Serving signature name: "x" not found in signature def'),
        ({"instances": [[1, 2]], "signature_name": [1]}, "", 400, "'signature_name' key must be a string value."),
        ({"instances": [[1, 2]], "inputs": [[1, 2]]}, "", 400, "Not formatted correctly"),
        ({"inputs": [1, 2]}, "tfs-model-name=several", 400, "inputs is a plain value/list"),
        ({"instances": [1], "signature_name": "total"}, "tfs-model-name=several", 400, "The outputs have no"),
        (examples, "", 400, "Missing 'inputs' or 'instances' key"),
        (examples, "tfs-method=regress", 400, "Expected regress signature method_name"),
        ({"examples": []}, f"{servo}regress", 400, "When method is regress, key 'examples' is expected"),
        ({"examples": [{"x": [1.0, "a"]}]}, f"{servo}regress", 400, "Feature: x has elements"),
        ({"examples": [{"x": 2**63}]}, f"{servo}regress", 400, "Feature: x: "),
        ([[1, 2]], "tfs-method=guess", 400, "Malformed request: POST /v1/models/model/versions/12:guess"),
        ([[1, 2]], "tfs-model-name=none", 404, "Servable not found for request: Latest(none)"),
        ([[1, 2]], "tfs-model-version=5", 404, "Servable not found for request: Specific(model, 5)"),
        ([[1, 2]], "tfs-model-version=x", 400, "Malformed request: POST /v1/models/model/versions/x:predict"),
    ):  # fmt: skip
        answer = refusal(lab, "all", body, CustomAttributes=attributes or "mine=1")
        assert answer[0] == status and answer[1].startswith(message), (body, attributes, answer)
    assert refusal(lab, "all", "x", "image/png") == (415, "Unsupported Media Type: image/png")


AROUND = """
    import json
    from helping import shift  # in code/lib

    def input_handler(data, context):
        assert context.request_content_type == "text/csv", context
        values = [float(value) for value in data.read().decode().split(",")]
        return json.dumps({"instances": [shift(values)]})

    def output_handler(response, context):
        if response.status_code != 200:
            raise ValueError(response.content.decode())
        answer = {"found": response.json()["predictions"], **context._asdict()}
        return json.dumps(answer), context.accept_header
    """

ALONE = """
    import requests

    def handler(data, context):
        response = requests.post(context.rest_uri, data=data.read())
        again = requests.post(context.rest_uri.replace("/versions/12", "/versions/1"), data='{"instances": [[3, 1]]}')
        return b"%d %s %d" % (response.status_code, response.content, again.status_code), "text/plain"
    """


def with_code(lab: Lab, key: str, models: str, **files: str) -> str:
    """The archive with the one unnamed model and with these files in ``code``; gives its URI."""
    kept = {name: data for name, data in lab.archive(models).items() if name[:2] in ("1/", "00")}
    code = {f"code/{name.replace('__', '/')}.py": textwrap.dedent(source).encode() for name, source in files.items()}
    return lab.put(f"{key}/model.tar.gz", pack({**kept, **code}))


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_scripts_around_models(lab: Lab, models: str) -> None:
    shift = "def shift(values): return [value + 1 for value in values]"
    lab.deploy("around", with_code(lab, "around", models, inference=AROUND, lib__helping=shift), INFERENCE)
    answer = ask(
        lab, "around", "0,1", "text/csv", Accept="application/json", CustomAttributes="tfs-model-version=12,a=b"
    )
    assert answer.pop("rest_uri").endswith("/v1/models/model/versions/12:predict")
    assert answer == {
        "found": [[2.0]], "model_name": "model", "model_version": "12", "method": "predict", "grpc_port": None,
        "custom_attributes": "tfs-model-version=12,a=b", "request_content_type": "text/csv",
        "accept_header": "application/json", "content_length": 3,
    }  # fmt: skip
    status, message = refusal(lab, "around", "1,2,3", "text/csv")
    assert status == 500 and "Matrix size-incompatible" in message
    assert refusal(lab, "around", "[1]")[0] == 500 and "AssertionError" in lab.endpoint_log("around")

    lab.deploy("alone", with_code(lab, "alone", models, inference=ALONE), INFERENCE)
    assert lab.invoke("alone", '{"instances": [[1, 1]]}', "any/type") == b'200 {"predictions":[[2.0]]} 200'
    assert lab.invoke("alone", "{").startswith(b'400 {"error": "JSON Parse error')


@pytest.mark.slow("images")
@pytest.mark.timeout(900)
def test_archives_that_cannot_be_served(lab: Lab) -> None:
    """The log says what is wrong with them."""
    cases = {
        "unversioned": ("saved_model.pb", "no SavedModel bundles found!"),
        "damaged": ("1/saved_model.pb", "cannot be loaded"),
    }
    for name, (file, _) in cases.items():
        lab.model(name, lab.put(f"{name}/model.tar.gz", pack({file: b"nothing"})), INFERENCE)
        lab.endpoint_config(name, name)
        lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for name, (_, said) in cases.items():
        assert lab.endpoint_settled(name)["EndpointStatus"] == "Failed"
        assert said in lab.endpoint_log(name)
