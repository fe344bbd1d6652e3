"""The service models that botocore ships, loaded on first use.

Importing botocore's model classes takes a quarter of a second, so this module only reads files until somebody asks for
a model.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from clary.core.errors import UnknownOperationException

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

# The protocols that are spoken here, the preferred first (botocore prefers the same order).
PROTOCOLS = ("json", "rest-json", "rest-xml", "query")

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_METADATA = re.compile(rb'"metadata"\s*:\s*(?=\{)')
_HEAD_BYTES = 4096


class UnknownService(LookupError):
    """botocore ships no model under that name."""


class Summary(NamedTuple):
    """What can be said of a service without loading its model."""

    name: str
    signing_name: str
    endpoint_prefix: str
    target_prefix: str
    api_version: str
    protocols: tuple[str, ...]


class Service:
    """One service model; ``name`` is botocore's name of the service, for example ``sagemaker-runtime``."""

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        self.name = name
        self.description = description
        self.metadata: dict[str, Any] = description["metadata"]
        self.protocols: tuple[str, ...] = tuple(self.metadata.get("protocols") or (self.metadata["protocol"],))
        self.protocol: str = next(
            (spoken for spoken in PROTOCOLS if spoken in self.protocols), self.metadata["protocol"]
        )
        self.target_prefix: str = self.metadata.get("targetPrefix", "")
        self.signing_name: str = self.metadata.get("signingName") or self.metadata["endpointPrefix"]
        self._operations: dict[str, OperationModel] = {}

    @cached_property
    def model(self) -> ServiceModel:
        """botocore's ``ServiceModel``."""
        from botocore.model import ServiceModel

        return ServiceModel(self.description, self.name)

    @property
    def operation_names(self) -> list[str]:
        return list(self.description["operations"])

    def has_operation(self, name: str) -> bool:
        return name in self.description["operations"]

    def operation(self, name: str) -> OperationModel:
        """botocore's ``OperationModel``, the same object on every call.

        Raises ``UnknownOperationException`` if the service has no operation of that name.
        """
        known = self._operations.get(name)
        if known is None:
            if name not in self.description["operations"]:
                raise UnknownOperationException(f"The operation {name[:128]} is not part of the service {self.name}")
            known = self._operations[name] = self.model.operation_model(name)
        return known

    def error_shape_name(self, code: str) -> str | None:
        """The name of the exception shape that stands for an error ``code``, if the model has one."""
        return self._error_shapes.get(code)

    @cached_property
    def _error_shapes(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for name, shape in self.description["shapes"].items():
            if shape.get("exception"):
                names[name] = name
                names.setdefault(shape.get("error", {}).get("code", name), name)
        return names

    def __repr__(self) -> str:
        return f"Service({self.name})"


@lru_cache(maxsize=64)
def service(name: str) -> Service:
    """The service that botocore calls ``name``, loaded on the first call.

    Raises ``UnknownService``.
    """
    file = _model_file(name)
    if file is None:
        raise UnknownService(name)
    description = orjson.loads(gzip.decompress(file.read_bytes()))
    extras = file.with_name("service-2.sdk-extras.json")
    if extras.exists():
        _merge(description, orjson.loads(extras.read_bytes()).get("merge", {}))
    return Service(name, description)


@cache
def service_names() -> tuple[str, ...]:
    """The names of all services that botocore ships a model of, in alphabetical order."""
    return tuple(sorted(folder.name for folder in _data().iterdir() if folder.is_dir() and _model_file(folder.name)))


@cache
def summaries() -> tuple[Summary, ...]:
    """A summary of every service; only the head of each model file is read (0.1 s for all)."""
    found = []
    for name in service_names():
        file = _model_file(name)
        if file is None:
            continue
        with file.open("rb") as stream:
            head = zlib.decompressobj(wbits=31).decompress(stream.read(_HEAD_BYTES), _HEAD_BYTES)
        start = _METADATA.search(head)
        if start is None:
            metadata = service(name).metadata
        else:
            metadata = json.JSONDecoder().raw_decode(head[start.end() :].decode("utf-8", "replace"))[0]
        found.append(
            Summary(
                name,
                metadata.get("signingName") or metadata["endpointPrefix"],
                metadata["endpointPrefix"],
                metadata.get("targetPrefix", ""),
                metadata["apiVersion"],
                tuple(metadata.get("protocols") or (metadata["protocol"],)),
            )
        )
    return tuple(found)


@cache
def _data() -> Path:
    spec = find_spec("botocore")
    if spec is None or spec.origin is None:
        raise UnknownService("botocore is not installed")
    return Path(spec.origin).parent / "data"


def _model_file(name: str) -> Path | None:
    """The newest version of a service's model."""
    folder = _data() / name
    if not name or "/" in name or name.startswith(".") or not folder.is_dir():
        return None
    versions = sorted((version for version in folder.iterdir() if _VERSION.match(version.name)), reverse=True)
    files = (version / "service-2.json.gz" for version in versions)
    return next((file for file in files if file.exists()), None)


def _merge(base: dict[str, Any], extra: dict[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
