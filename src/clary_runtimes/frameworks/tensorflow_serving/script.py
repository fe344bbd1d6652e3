"""``code/inference.py`` of an archive: ``input_handler`` and ``output_handler`` around the model, or ``handler`` alone.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html#providing-python-scripts-for-pre-post-processing
"""

from __future__ import annotations

import importlib
import io
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import requests

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.contract.errors import UserError
from clary_runtimes.frameworks.tensorflow_serving.listener import listen, post
from clary_runtimes.frameworks.tensorflow_serving.models import Models
from clary_runtimes.frameworks.tensorflow_serving.target import of_attributes, refusal
from clary_runtimes.serving.request import Reply

MODULE = "inference"


class Context(NamedTuple):
    """What the functions are told of a request."""

    model_name: str
    model_version: str
    method: str
    rest_uri: str
    """Where the REST API answers for the model."""
    grpc_port: str | None
    """None: there is no gRPC here."""
    custom_attributes: str | None
    request_content_type: str
    accept_header: str
    content_length: int


class Script:
    """The functions of ``inference.py``."""

    def __init__(self, folder: Path, models: Models) -> None:
        """Import it from ``folder``. Raises ``UserError`` if it has none of the functions."""
        for place in (folder, folder / "lib"):
            if place.is_dir():
                sys.path.insert(0, str(place))
        module = importlib.import_module(MODULE)
        self._handler: Callable[..., Any] | None = getattr(module, "handler", None)
        self._before: Callable[..., Any] | None = getattr(module, "input_handler", None)
        self._after: Callable[..., Any] | None = getattr(module, "output_handler", None)
        if self._handler is None and (self._before is None or self._after is None):
            raise UserError(
                "inference.py must implement either handler, or both input_handler and output_handler. See "
                "https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html"
            )
        self._models = models
        self._address = listen(models)

    def invoke(self, body: bytes, content_type: str | None, accept: str | None, attributes: str | None) -> Reply:
        """Answer a request with the functions. Raises ``RequestError``: what they raise is answered with 500."""
        target = self._models.resolve(of_attributes(attributes))
        context = Context(
            model_name=str(target.model),
            model_version=str(target.version),
            method=target.method,
            rest_uri=self._address + target.path,
            grpc_port=None,
            custom_attributes=attributes,
            request_content_type=content_type or content_types.JSON,
            accept_header=accept or content_types.JSON,
            content_length=len(body),
        )
        try:
            result = self._answer(io.BytesIO(body), context, target.path)
        except Exception as error:
            traceback.print_exc()
            raise refusal(str(error), 500) from error
        answer, kind = result if isinstance(result, tuple) else (result, context.accept_header)
        return Reply(200, kind, answer.encode() if isinstance(answer, str) else bytes(answer))

    def _answer(self, data: io.BytesIO, context: Context, path: str) -> Any:
        if self._handler is not None:
            return self._handler(data, context)
        assert self._before is not None and self._after is not None
        # As `requests.post` would send it, without the way through the network.
        sent = requests.Request("POST", context.rest_uri, data=self._before(data, context)).prepare().body or b""
        response = requests.Response()
        response.url = context.rest_uri
        response.headers["Content-Type"] = content_types.JSON
        response.status_code, content = post(self._models, path, sent.encode() if isinstance(sent, str) else sent)
        response.raw = io.BytesIO(content)
        return self._after(response, context)
