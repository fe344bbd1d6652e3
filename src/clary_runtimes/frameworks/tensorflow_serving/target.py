"""Which model a request is for, and what it is asked: the attributes and the addresses that say so.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from clary_runtimes.serving.request import RequestError

METHODS = ("predict", "classify", "regress")

_ATTRIBUTE = re.compile(r"(tfs-[a-z-]+)=([^,]+)")
_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/([^/:]+))?:([a-z]+)")


class Target(NamedTuple):
    """A method of a model."""

    model: str | None = None
    """None for the default one."""
    version: str | None = None
    """None for the newest."""
    method: str = "predict"

    @property
    def path(self) -> str:
        """Its path in the REST API."""
        version = "" if self.version is None else f"/versions/{self.version}"
        return f"/v1/models/{self.model}{version}:{self.method}"


def of_attributes(attributes: str | None) -> Target:
    """What ``CustomAttributes`` ask for: ``tfs-model-name=…,tfs-model-version=…,tfs-method=…``."""
    given = dict(_ATTRIBUTE.findall(attributes or ""))
    return Target(given.get("tfs-model-name"), given.get("tfs-model-version"), given.get("tfs-method", "predict"))


def of_path(path: str) -> Target:
    """The target with this path in the REST API. Raises ``RequestError``."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise refusal(f"Malformed request: POST {path}")
    return Target(*found.groups())


def refusal(message: str, status: int = 400) -> RequestError:
    """An error as TensorFlow Serving tells it."""
    return RequestError(status, json.dumps({"error": message}))
