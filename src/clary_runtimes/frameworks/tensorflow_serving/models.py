"""The SavedModels of an archive, found where Amazon documents them and run as TensorFlow Serving runs them.

References: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html and
https://www.tensorflow.org/guide/saved_model
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from clary_runtimes.contract.errors import UserError
from clary_runtimes.frameworks.tensorflow_serving.target import Target, refusal

Array = Any

DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True, eq=False)
class Signature:
    """A function of a SavedModel."""

    method: str
    """``tensorflow/serving/predict`` and so on."""
    kinds: Mapping[str, Any]
    """The type of each input by its name, as NumPy calls it."""
    outputs: tuple[str, ...]
    call: Callable[..., Sequence[Array]]

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs by name for the inputs by name. Raises ``RequestError`` 400 for what the model does not take."""
        try:
            found = self.call(*(tensors[name] for name in self.kinds))
        except tf.errors.InvalidArgumentError as error:
            raise refusal(error.message) from error
        return {name: _array(each) for name, each in zip(self.outputs, found, strict=True)}


class Models:
    """All models of an archive, in all versions."""

    def __init__(self, folder: Path, default: str | None) -> None:
        """Load them; ``default`` is the one that requests get which name none. Raises ``UserError``."""
        self._versions = {
            name: {number: _load(place) for number, place in sorted(versions.items())}
            for name, versions in find(folder).items()
        }
        if not self._versions:
            raise UserError(
                "no SavedModel bundles found! The archive must have <version>/saved_model.pb, or "
                "<name>/<version>/saved_model.pb, where the version is a whole number."
            )
        self.default = default or min(self._versions)
        if self.default not in self._versions:
            raise UserError(f"There is no model {default} in the archive: {', '.join(sorted(self._versions))}")

    def resolve(self, target: Target) -> Target:
        """The target with the name and the version that it means. Raises ``RequestError`` where there is none such."""
        name = target.model or self.default
        versions = self._versions.get(name)
        if target.version is None:
            if versions is None:
                raise refusal(f"Servable not found for request: Latest({name})", 404)
            return target._replace(model=name, version=str(max(versions)))
        if not target.version.isdecimal():
            raise refusal(f"Malformed request: POST {target._replace(model=name).path}")
        if versions is None or int(target.version) not in versions:
            raise refusal(f"Servable not found for request: Specific({name}, {target.version})", 404)
        return target._replace(model=name, version=str(int(target.version)))

    def signature(self, target: Target, name: str) -> Signature:
        """A function of the model that a target means. Raises ``RequestError``."""
        found = self.resolve(target)
        signature = self._versions[str(found.model)][int(str(found.version))].get(name)
        if signature is None:
            raise refusal(f'Serving signature name: "{name}" not found in signature def')
        return signature


def find(folder: Path) -> dict[str, dict[int, Path]]:
    """The folders of SavedModels by name and version: a folder whose name is a number is a version of its parent."""
    found: dict[str, dict[int, Path]] = {}
    for file in sorted(folder.rglob("saved_model.pb")):
        version = file.parent
        if version.name.isdecimal() and version != folder:
            found.setdefault(version.parent.name, {})[int(version.name)] = version
    return found


def _array(output: Any) -> Array:
    # A string alone comes as `bytes`, and NumPy's own type for it would lose zeros at its end.
    return np.array(output, dtype=object) if isinstance(output, bytes) else output


def _load(folder: Path) -> dict[str, Signature]:
    """The functions of a SavedModel by name. Raises ``UserError``."""
    # That this is the older way to load is no matter of the user's.
    tf.get_logger().setLevel("ERROR")
    session = tf.compat.v1.Session(graph=tf.Graph())
    try:
        with session.graph.as_default():
            definitions = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], str(folder)).signature_def
    except (tf.errors.OpError, RuntimeError, ValueError, OSError) as error:
        raise UserError(f"The SavedModel {folder} cannot be loaded: {error}") from error
    return {name: _signature(session, each) for name, each in definitions.items() if _is_served(each)}


def _is_served(definition: Any) -> bool:
    """Whether all that goes in and out are tensors that have a name, which sparse and ragged ones do not."""
    tensors = [*definition.inputs.values(), *definition.outputs.values()]
    return bool(definition.inputs) and all(each.WhichOneof("encoding") == "name" for each in tensors)


def _signature(session: Any, definition: Any) -> Signature:
    options = config_pb2.CallableOptions(
        feed=[each.name for each in definition.inputs.values()],
        fetch=[each.name for each in definition.outputs.values()],
    )
    return Signature(
        definition.method_name,
        {name: tf.dtypes.as_dtype(each.dtype).as_numpy_dtype for name, each in definition.inputs.items()},
        tuple(definition.outputs),
        # `Session.run` compares shapes with those that were declared, which TensorFlow Serving leaves to the model.
        session._make_callable_from_options(options),
    )
