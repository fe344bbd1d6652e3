"""The control plane's request path: what the edge has authenticated is validated, authorised, handled and answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import Executor
from typing import Any

from clary.control.own import OwnRequests
from clary.core.errors import (
    ConflictException,
    InternalFailure,
    NotAvailableYet,
    ServiceError,
    UnknownOperationException,
)
from clary.resources.context import Context, Platform, ServiceApp
from clary.services.iam.api import Identities, Principal
from clary.state.records import VersionConflict
from clary.wire import plainly
from clary.wire.catalog import service as service_named
from clary.wire.http import Request, Response
from clary.wire.parse import parse
from clary.wire.route import identify
from clary.wire.serialize import serialize, serialize_error
from clary.wire.validate import validate

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ATTEMPTS = 3
"""How often a request is handled that meets another change of the same resource."""


class ControlApp:
    """An ASGI application that speaks with the edge alone, over a socket that only this user can open."""

    def __init__(
        self,
        platform: Platform,
        identities: Identities,
        services: Mapping[str, ServiceApp],
        executor: Executor,
        reset: Callable[[], None],
    ) -> None:
        self._platform = platform
        self._identities = identities
        self._services = services
        self._executor = executor
        self._own = OwnRequests(identities, services, platform.settings.account, reset)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] == "/_clary/health":
            response = Response(200, {"content-type": "application/json"}, b'{"status":"ok"}')
        else:
            request = Request(
                method=scope["method"],
                path=scope["raw_path"].decode("latin-1"),
                query=scope["query_string"].decode("latin-1"),
                headers=headers,
                body=body,
                host=headers.get("host", ""),
            )
            response = await asyncio.get_running_loop().run_in_executor(self._executor, self._answer, request)
        await _send(send, response)

    def _answer(self, request: Request) -> Response:
        request_id = request.headers["x-clary-request-id"]
        name = request.headers["x-clary-service"]
        if name == "clary":
            return self._own.answer(request)
        wanted = request.headers.get("x-clary-operation")
        if wanted and name not in self._services:
            return plainly.refusal(UnknownOperationException(f"The service {name[:64]} is not available in Clary yet."))
        service = service_named(name)
        operation, protocol = None, service.protocol
        try:
            if wanted:
                operation, params = plainly.parse(service, wanted, request)
            else:
                route = identify(request)
                protocol = route.protocol
                operation, params = parse(service, request, route)
            context = Context(
                caller=(caller := Principal.from_json(request.headers["x-clary-principal"])),
                account=caller.account,
                region=request.headers["x-clary-region"],
                request_id=request_id,
                platform=self._platform,
                # AWS's SDKs number each call and keep the number when they try it again.
                token=request.headers.get("amz-sdk-invocation-id") or request_id,
            )
            handler = self._handler(name, operation.name)
            validate(operation, params, patterns=not self._platform.settings.test_mode)
            self._authorize(caller, name, operation.name, context, params)
            result = self._handle(handler, context, params)
            if wanted:
                return plainly.serialize(operation, result)
            return serialize(service, operation, result, request_id, protocol)
        except ServiceError as error:
            return (
                plainly.refusal(error) if wanted else serialize_error(service, error, request_id, operation, protocol)
            )
        except Exception:
            log.exception("request %s to %s failed", request_id, name)
            failure = InternalFailure(f"The request failed inside Clary; its log has the cause under {request_id}.")
            return (
                plainly.refusal(failure)
                if wanted
                else serialize_error(service, failure, request_id, operation, protocol)
            )

    def _handler(self, service: str, operation: str) -> Callable[[Context, dict[str, Any]], dict[str, Any]]:
        app = self._services.get(service)
        if app is None:
            raise UnknownOperationException(f"The service {service} is not available in Clary yet.")
        handler = app.operations.get(operation)
        if handler is None:
            raise NotAvailableYet(f"The operation {operation} of {service} is not available in Clary yet.")
        return handler

    def _authorize(
        self, caller: Principal, service: str, operation: str, context: Context, params: dict[str, Any]
    ) -> None:
        app = self._services[service]
        resource = app.resource_of(context, operation, params) if app.resource_of else "*"
        if operation not in app.open_operations:
            self._identities.authorize(caller, f"{app.action_prefix or service}:{operation}", resource, {})

    @staticmethod
    def _handle(
        handler: Callable[[Context, dict[str, Any]], dict[str, Any]], context: Context, params: dict[str, Any]
    ) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            try:
                return handler(context, dict(params))
            except VersionConflict:
                continue
        raise ConflictException("The resource is being changed by another request. Please try again.")


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, response: Response) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    assert isinstance(response.body, bytes)
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
