"""Serving with the functions of the user's script: ``model_fn``, ``input_fn``, ``predict_fn``, ``output_fn``.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html#sagemaker-scikit-learn-model-server
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.folders import Folders
from clary_runtimes.frameworks import encoding
from clary_runtimes.frameworks.context import Context
from clary_runtimes.frameworks.defaults import defaults
from clary_runtimes.frameworks.source import MODULES, serving_source
from clary_runtimes.serving.request import HEADERS, Batching, Decoded, Reply, RequestError, in_steps

DEFAULT_PROGRAM = "inference.py"


class ScriptHandler:
    """Answers with the functions of the program ``SAGEMAKER_PROGRAM`` (``inference.py``), or defaults for them."""

    inline_bytes = 0
    """A user's functions may wait for anything."""

    def __init__(self, folders: Folders, framework: str, environ: Mapping[str, str] | None = None) -> None:
        self.folders, self.framework = folders, framework
        self.environ = os.environ if environ is None else environ
        self.default_accept = self.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content_types.JSON)
        self.context = Context(str(folders.model))
        self.headers: Collection[str] = ()
        self.model: Any = None
        self.batching: Batching | None = _batching(self.environ)

    def load(self) -> None:
        """Import the program and load its model; raises ``UserError`` for functions that do not go together."""
        module = self._import()
        transform = getattr(module, "transform_fn", None)
        parts = [getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn")]
        if transform is not None and any(parts):
            raise UserError(
                "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn "
                "implementation"
            )
        self.transform_fn: Callable[..., Any] | None = transform
        if transform is not None:
            self.batching = None  # it gets a request, not rows
        self.input_fn: Callable[..., Any] | None = parts[0]
        usual = defaults(self.framework)
        self.read = usual.read
        self.predict_fn: Callable[..., Any] = parts[1] or usual.predict
        self.output_fn: Callable[..., Any] = parts[2] or usual.write
        model_fn = getattr(module, "model_fn", None) or usual.load
        if model_fn is None:
            raise UserError(
                "Please provide a model_fn implementation.\n"
                "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
            )
        folder = str(self.folders.model)
        pre_model_fn, warmup_fn = getattr(module, "pre_model_fn", None), getattr(module, "model_warmup_fn", None)
        if pre_model_fn is not None:
            self._call(pre_model_fn, folder)
        self.model = self._call(model_fn, folder)
        if warmup_fn is not None:
            self._call(warmup_fn, folder, self.model)
        answering = ((self.transform_fn, 4), (self.input_fn, 2), (self.predict_fn, 2), (self.output_fn, 2))
        # A script that reads no context shares predictions, whatever the headers are.
        if any(each is not None and _parameters(each) == count + 1 for each, count in answering):
            self.headers = HEADERS

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer one request with the script's functions."""
        return in_steps(self, body, content_type, accept)

    def invoke_with(
        self, body: bytes, content_type: str | None, accept: str | None, headers: Mapping[str, str]
    ) -> Reply:
        """The same; the functions find the headers in the context."""
        told = copy.copy(self)
        told.context = Context(str(self.folders.model), headers)
        return in_steps(told, body, content_type, accept)

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """What ``input_fn`` makes of a request; with ``transform_fn``, which does all of it, the request itself."""
        content_type = content_type or content_types.JSON
        if not accept or accept == "*/*":
            accept = self.default_accept
        payload: bytes | str = body
        if content_types.media_type(content_type) in encoding.TEXTS:
            try:
                payload = body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise RequestError(400, f"The body is not UTF-8: {error}") from error
        if self.transform_fn is not None:
            return Decoded((payload, content_type, accept), None, accept)
        if self.input_fn is not None:
            data = self._call(self.input_fn, payload, content_type)
        else:
            data = self.read(body, content_type)
        return Decoded(data, None, accept)

    def predict(self, rows: Any, how: None) -> Any:
        """What ``predict_fn`` makes of the data of one request or several, or ``transform_fn`` of one request."""
        if self.transform_fn is not None:
            return self._call(self.transform_fn, self.model, *rows)
        return self._call(self.predict_fn, rows, self.model)

    def encode(self, predictions: Any, answer: str) -> Reply:
        """What ``output_fn`` makes of predictions, or of a request ``transform_fn``."""
        result = predictions if self.transform_fn is not None else self._call(self.output_fn, predictions, answer)
        if isinstance(result, tuple) and len(result) == 2:
            result, answer = result
        if hasattr(result, "get_data"):  # a Flask or Werkzeug response
            result, answer = result.get_data(), result.mimetype or answer
        if isinstance(result, Iterator):
            return Reply(200, answer, map(_encoded, result))
        return Reply(200, answer, _encoded(result))

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the script, which may ask for the context as one more argument."""
        if _parameters(function) == len(arguments) + 1:
            return function(*arguments, self.context)
        return function(*arguments)

    def _import(self) -> ModuleType | None:
        program = self.environ.get("SAGEMAKER_PROGRAM") or DEFAULT_PROGRAM
        folder = serving_source(self.folders, self.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", ""))
        path = folder / program
        for place in (str(path.parent), str(folder)):
            if place not in sys.path:
                sys.path.insert(0, place)
        if str(MODULES) not in sys.path:
            sys.path.append(str(MODULES))
        name = path.name.removesuffix(".py")
        if importlib.util.find_spec(name) is None:
            if "SAGEMAKER_PROGRAM" in self.environ:
                raise UserError(f"The program {program} is not in {folder}")
            return None
        return importlib.import_module(name)


@lru_cache(maxsize=32)
def _parameters(function: Callable[..., Any]) -> int:
    """How many parameters a function has; 0 for one that does not say, such as a builtin."""
    try:
        return len(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return 0


def _batching(environ: Mapping[str, str]) -> Batching | None:
    """What the model's variables declare: ``SAGEMAKER_TS_BATCH_SIZE`` requests, and ``SAGEMAKER_TS_MAX_BATCH_DELAY``
    milliseconds, as for the model server of the PyTorch image. Raises ``UserError`` for what is no such number."""
    requests = _whole(environ, "SAGEMAKER_TS_BATCH_SIZE", 1)
    delay = _whole(environ, "SAGEMAKER_TS_MAX_BATCH_DELAY", 0)
    return Batching(requests, delay / 1000) if requests > 1 else None


def _whole(environ: Mapping[str, str], name: str, least: int) -> int:
    """The whole number that a variable holds; ``least`` if it is not set."""
    text = environ.get(name, "").strip() or str(least)
    if not text.isdecimal() or int(text) < least:
        raise UserError(f"{name} must be a whole number from {least} on, and it is {text!r}")
    return int(text)


def _encoded(result: Any) -> bytes:
    if isinstance(result, str):
        return result.encode("utf-8")
    if not isinstance(result, (bytes, bytearray, memoryview)):
        raise TypeError(f"the script answered with {type(result).__name__}; it must be str or bytes")
    return bytes(result)
