"""TensorFlow Serving's REST API: what is asked of a model, and what is answered.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from clary_runtimes.frameworks.tensorflow_serving import examples, tensors
from clary_runtimes.frameworks.tensorflow_serving.models import DEFAULT_SIGNATURE, Models, Signature
from clary_runtimes.frameworks.tensorflow_serving.target import METHODS, Target, refusal

Array = Any


class Call(NamedTuple):
    """A request that was read."""

    signature: Signature
    tensors: dict[str, Array]
    write: Callable[[Mapping[str, Array]], bytes]
    """Makes the answer of the outputs; raises ``RequestError``."""


def call(models: Models, target: Target, document: Mapping[str, Any]) -> Call:
    """What ``document`` asks of the target. Raises ``RequestError``."""
    if target.method not in METHODS:
        raise refusal(f"Malformed request: POST {models.resolve(target).path}")
    name = document.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(name, str):
        raise refusal("'signature_name' key must be a string value.")
    signature = models.signature(target, name or DEFAULT_SIGNATURE)
    if target.method != "predict":
        return _call_with_examples(signature, target.method, document)
    if "instances" in document and "inputs" in document:
        raise refusal("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in document:
        return Call(signature, tensors.from_rows(document["instances"], signature.kinds), tensors.to_rows)
    if "inputs" in document:
        return Call(signature, tensors.from_columns(document["inputs"], signature.kinds), tensors.to_columns)
    raise refusal("Missing 'inputs' or 'instances' key")


def answer(models: Models, target: Target, document: Mapping[str, Any]) -> bytes:
    """The answer to ``document``. Raises ``RequestError``."""
    asked = call(models, target, document)
    return asked.write(asked.signature.run(asked.tensors))


def _call_with_examples(signature: Signature, method: str, document: Mapping[str, Any]) -> Call:
    if signature.method != f"tensorflow/serving/{method}":
        raise refusal(
            f"Expected {method} signature method_name to be tensorflow/serving/{method}. Was: {signature.method}"
        )
    [name] = signature.kinds
    write = examples.classified if method == "classify" else examples.regressed
    return Call(signature, {name: examples.serialized(document, method)}, write)
