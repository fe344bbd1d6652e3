"""A request into an operation and its parameters, in whichever protocol it speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.core.errors import SerializationException, UnknownOperationException
from clary.wire import cbor, compression, read_json, read_query
from clary.wire.catalog import Service
from clary.wire.formerly_query import in_query_form
from clary.wire.http import Request
from clary.wire.read_rest import read_rest
from clary.wire.route import Route, identify

if TYPE_CHECKING:
    from botocore.model import OperationModel

MAX_QUERY_BODY = 8 * 1024 * 1024


def parse(service: Service, request: Request, route: Route | None = None) -> tuple[OperationModel, dict[str, Any]]:
    """The operation model and the parameters of a request, named and typed as in boto3.

    Timestamps are aware ``datetime`` in UTC, blobs are ``bytes``; a payload that is a blob is ``request.body`` itself.
    Pass the ``route`` where it is known already. Members that the model does not know are ignored; members that are
    absent or null are absent. Raises ``SerializationException``, ``UnknownOperationException`` and other errors with a
    status of 4xx.
    """
    if route is None:
        route = identify(request)
    if route.service != service.name or route.operation is None:
        raise UnknownOperationException(f"No operation of {service.name} answers this request")
    operation = service.operation(route.operation)
    if operation.request_compression and compression.is_compressed(request):
        request = replace(request, body=compression.unpacked(request.body))
    return operation, _PARSERS[route.protocol](service, operation, request, route)


def _parse_json(service: Service, operation: Any, request: Request, route: Route) -> dict[str, Any]:
    value = read_json.load_json(request.body)
    if operation.input_shape is None:
        return {}
    return read_json.read_structure(operation.input_shape, {} if value is None else value)


def _parse_rest_json(service: Service, operation: Any, request: Request, route: Route) -> dict[str, Any]:
    return read_rest(service, operation, request, route.path, xml=False)


def _parse_rest_xml(service: Service, operation: Any, request: Request, route: Route) -> dict[str, Any]:
    return read_rest(service, operation, request, route.path, xml=True)


def _parse_query(service: Service, operation: Any, request: Request, route: Route) -> dict[str, Any]:
    if len(request.body) > MAX_QUERY_BODY:
        raise SerializationException("The body is too large")
    try:
        form = request.body.decode("utf-8")
    except UnicodeDecodeError:
        raise SerializationException("The body is not valid UTF-8") from None
    tree = read_query.load_form(request.query, form)
    shape = in_query_form(service).operation(operation.name).input_shape
    if shape is None:
        return {}
    params = read_query.read_structure(shape, tree)
    if "QueueUrl" in shape.members and request.path != "/":
        # Requests of this protocol go to the address of the queue, and need not name it again.
        params.setdefault("QueueUrl", request.path)
    return params


def _parse_cbor(service: Service, operation: Any, request: Request, route: Route) -> dict[str, Any]:
    return {} if operation.input_shape is None else cbor.read_structure(operation.input_shape, cbor.load(request.body))


_PARSERS: dict[str, Callable[[Service, Any, Request, Route], dict[str, Any]]] = {
    "json": _parse_json,
    "rest-json": _parse_rest_json,
    "rest-xml": _parse_rest_xml,
    "query": _parse_query,
    "ec2": _parse_query,
    "smithy-rpc-v2-cbor": _parse_cbor,
}
