"""Calls of operations: those of requests, and those that a resource makes for its owner, such as a schedule's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clary.control.authorization import authorized
from clary.core.errors import ConflictException, NotAvailableYet, UnknownOperationException
from clary.resources.context import Context, Handler, ServiceApp
from clary.services.iam.api import Identities
from clary.state.records import VersionConflict
from clary.wire.catalog import service as service_named
from clary.wire.read_json import read_structure
from clary.wire.validate import validate

if TYPE_CHECKING:
    from botocore.model import Shape

ATTEMPTS = 3
"""How often a request is handled that meets another change of the same resource."""


def handler_of(services: Mapping[str, ServiceApp], service: str, operation: str) -> Handler:
    """The handler of an operation. Raises ``UnknownOperationException`` or ``NotAvailableYet`` if there is none."""
    app = services.get(service)
    if app is None:
        raise UnknownOperationException(f"The service {service} is not available in Clary yet.")
    handler = app.operations.get(operation)
    if handler is None:
        raise NotAvailableYet(f"The operation {operation} of {service} is not available in Clary yet.")
    return handler


def handled(handler: Handler, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """What a handler answers, which is asked again when another request has changed the same resource.

    Raises ``ConflictException`` if that goes on.
    """
    for _ in range(ATTEMPTS):
        try:
            return handler(context, dict(params))
        except VersionConflict:
            continue
    raise ConflictException("The resource is being changed by another request. Please try again.")


class Calls:
    """Makes calls inside the platform, which are checked like any other (see ``clary.resources.context.Calls``)."""

    def __init__(self, identities: Identities, services: Mapping[str, ServiceApp]) -> None:
        self._identities = identities
        self._services = services

    def offers(self, service: str, operation: str) -> bool:
        """Whether there is such an operation, if only to say that it comes later."""
        return service in self._services and service_named(service).has_operation(operation)

    def make(self, context: Context, service: str, operation: str, members: Any) -> Mapping[str, Any]:
        """Call an operation with members as JSON has them; gives those of the answer."""
        handler = handler_of(self._services, service, operation)
        model = service_named(service).operation(operation)
        params = read_structure(model.input_shape, _sent(model.input_shape, members)) if model.input_shape else {}
        validate(model, params, patterns=not context.platform.settings.test_mode)
        self._identities.refresh()
        context = authorized(self._identities, self._services[service], operation, context, params)
        return handled(handler, context, params)


def _sent(shape: Shape, value: Any) -> Any:
    """Members as clients send them, who write bytes as base64: here they are text, or JSON as it is (``Payload``)."""
    if shape.type_name == "blob" and value is not None:
        text = value if isinstance(value, str) else json.dumps(value)
        return base64.b64encode(text.encode()).decode()
    if shape.type_name == "structure" and isinstance(value, dict):
        known = shape.members
        return {name: _sent(known[name], each) if name in known else each for name, each in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_sent(shape.member, each) for each in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _sent(shape.value, each) for key, each in value.items()}
    return value
