"""The examples of ``classify`` and ``regress``, and their results.

Reference: https://www.tensorflow.org/tfx/serving/api_rest#classify_and_regress_api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from clary_runtimes.frameworks.tensorflow_serving import tensors
from clary_runtimes.frameworks.tensorflow_serving.target import refusal

Array = Any


def serialized(document: Mapping[str, Any], method: str) -> Array:
    """``examples``, each with the features of ``context`` too, as ``tf.train.Example``. Raises ``RequestError`` 400."""
    examples, context = document.get("examples"), document.get("context", {})
    if not isinstance(examples, list) or not examples:
        raise refusal(f"When method is {method}, key 'examples' is expected with a list of at least one example")
    for each in (context, *examples):
        if not isinstance(each, dict):
            raise refusal("Example must be JSON object")
    found = [_example({**context, **each}).SerializeToString() for each in examples]
    return np.array(found, dtype=object)


def regressed(outputs: Mapping[str, Array]) -> bytes:
    """``results``: a number for each example. Raises ``RequestError`` 400 for a model that gives none."""
    values = outputs.get("outputs")
    if values is None:
        raise refusal("Expected regression signature output to be outputs")
    return tensors.dumps({"results": values.reshape(-1)}, outputs)


def classified(outputs: Mapping[str, Array]) -> bytes:
    """``results``: the labels and scores for each example. Raises ``RequestError`` 400 for a model that gives none."""
    known = [outputs[name] for name in ("classes", "scores") if name in outputs]
    if not known:
        raise refusal("Expected classification signature outputs to be classes, scores or both")
    # A model without the one has empty labels, or scores of zero.
    classes = outputs.get("classes", np.full(known[0].shape, b"", object))
    scores = outputs.get("scores", np.zeros(known[0].shape, np.float32))
    results = [
        [[label.decode("utf-8", "replace"), score] for label, score in zip(*row, strict=True)]
        for row in zip(classes, scores, strict=True)
    ]
    return tensors.dumps({"results": results}, {"scores": scores})


def _example(features: Mapping[str, Any]) -> Any:
    return tf.train.Example(
        features=tf.train.Features(feature={name: _feature(name, value) for name, value in features.items()})
    )


def _feature(name: str, given: Any) -> Any:
    values = [_plain(each) for each in (given if isinstance(given, list) else [given])]
    kinds = {type(each) for each in values}
    try:
        if kinds <= {int}:
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        if kinds == {float}:
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        if kinds == {bytes}:
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    except ValueError as error:  # a number that is too large for int64
        raise refusal(f"Feature: {name}: {error}") from error
    raise refusal(f"Feature: {name} has elements of unexpected or different JSON types")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bool):
        return int(value)
    raw = tensors.decoded(value)
    return value if raw is None else raw
