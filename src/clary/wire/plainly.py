"""Operations as plain JSON, whatever protocol their service speaks, for pages that have no AWS client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clary.core.errors import ServiceError, UnknownOperationException
from clary.wire.catalog import Service
from clary.wire.http import Request, Response
from clary.wire.read_json import load_json, read_structure
from clary.wire.write_json import dump_json, plain_structure

if TYPE_CHECKING:
    from botocore.model import OperationModel

_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}


def parse(service: Service, name: str, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """The operation called ``name``, and its members from the JSON object that is the body.

    Raises ``UnknownOperationException`` and ``SerializationException``.
    """
    if not service.has_operation(name):
        raise UnknownOperationException(f"{service.name} has no operation {name[:128]}.")
    operation = service.operation(name)
    if operation.input_shape is None:
        return operation, {}
    members = load_json(request.body)
    return operation, read_structure(operation.input_shape, {} if members is None else members)


def serialize(operation: OperationModel, result: dict[str, Any]) -> Response:
    """The members of the answer; times are seconds since the epoch."""
    shape = operation.output_shape
    return Response(200, dict(_HEADERS), dump_json(plain_structure(shape, result) if shape is not None else {}))


def refusal(error: ServiceError) -> Response:
    """An error with its code and message."""
    return Response(error.status, dict(_HEADERS), dump_json({"__type": error.code, "message": error.message}))
