"""What answers for the models of an archive in the TensorFlow image.

Environment: ``SAGEMAKER_TFS_DEFAULT_MODEL_NAME``, the model of requests that name none, and what ``batching`` reads.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.contract.folders import Folders
from clary_runtimes.frameworks.tensorflow_serving import rest, tensors
from clary_runtimes.frameworks.tensorflow_serving.batching import batching
from clary_runtimes.frameworks.tensorflow_serving.models import Models, Signature
from clary_runtimes.frameworks.tensorflow_serving.payload import document
from clary_runtimes.frameworks.tensorflow_serving.script import MODULE, Script
from clary_runtimes.frameworks.tensorflow_serving.target import Target, of_attributes
from clary_runtimes.serving.request import ATTRIBUTES, Batching, Decoded, Reply, in_steps


class ServingHandler:
    """Answers with SavedModels, and with the functions of ``code/inference.py`` where the archive has it."""

    inline_bytes = 0
    """A model may take any time."""
    headers = (ATTRIBUTES,)

    def __init__(self, folders: Folders, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folders.model
        self._environ = os.environ if environ is None else environ
        self.batching: Batching | None = batching(self._environ)
        self._script: Script | None = None

    def load(self) -> None:
        """Load the models and import the script. Raises ``UserError``."""
        self._models = Models(self._folder, self._environ.get("SAGEMAKER_TFS_DEFAULT_MODEL_NAME"))
        code = self._folder / "code"
        if (code / f"{MODULE}.py").is_file():
            self._script = Script(code, self._models)
            self.batching = None  # it gets a request, not rows

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer a request for the default model."""
        if self._script is not None:
            return self._script.invoke(body, content_type, accept, None)
        return in_steps(self, body, content_type, accept)

    def invoke_with(
        self, body: bytes, content_type: str | None, accept: str | None, headers: Mapping[str, str]
    ) -> Reply:
        """Answer a request for the model, the version and the method that its attributes say."""
        attributes = headers[ATTRIBUTES]
        if self._script is not None:
            return self._script.invoke(body, content_type, accept, attributes)
        answer = rest.answer(self._models, of_attributes(attributes), document(body, content_type))
        return Reply(200, _answered(accept), answer)

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """What a request asks of the default model."""
        call = rest.call(self._models, Target(), document(body, content_type))
        rows: Any = call.tensors
        if (
            self.batching is not None
            and call.write is tensors.to_rows
            and len(rows) == len(call.signature.outputs) == 1
        ):
            [rows] = rows.values()
        return Decoded(rows, call.signature, (call, _answered(accept)))

    def predict(self, rows: Any, how: Signature) -> Any:
        """The outputs by name for inputs by name; for rows of the one input those of the one output."""
        if isinstance(rows, dict):
            return how.run(rows)
        [outputs] = how.run(dict.fromkeys(how.kinds, rows)).values()
        return outputs

    def encode(self, predictions: Any, answer: tuple[rest.Call, str]) -> Reply:
        """The answer of one request."""
        call, content_type = answer
        if not isinstance(predictions, dict):
            predictions = dict.fromkeys(call.signature.outputs, predictions)
        return Reply(200, content_type, call.write(predictions))


def _answered(accept: str | None) -> str:
    """The content type of an answer, which is one line of JSON in any case."""
    first = content_types.media_type((accept or "").partition(",")[0])
    return content_types.JSONLINES if first == content_types.JSONLINES else content_types.JSON
