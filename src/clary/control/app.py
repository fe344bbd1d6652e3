"""The control plane's request path: what the edge has authenticated is validated, authorised, handled and answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from clary.control.authorization import authorized
from clary.control.calls import handled, handler_of
from clary.control.own import OwnRequests
from clary.control.watching import Watching
from clary.core.errors import InternalFailure, ServiceError, UnknownOperationException
from clary.core.tracing import Tracer, place_below, read
from clary.resources.context import Context, Platform, ServiceApp
from clary.services.cloudtrail.api import TRAIL_HEADER, Told
from clary.services.cloudwatch.api import keep_batch
from clary.services.iam.api import Identities, Principal
from clary.services.iam.request_context import way_here
from clary.wire import plainly
from clary.wire.catalog import service as service_named
from clary.wire.http import Request, Response
from clary.wire.parse import parse
from clary.wire.route import identify
from clary.wire.serialize import serialize, serialize_error
from clary.wire.validate import validate

log = logging.getLogger(__name__)


class ControlApp:
    """Answers the edge's requests, from any thread."""

    def __init__(
        self,
        platform: Platform,
        identities: Identities,
        services: Mapping[str, ServiceApp],
        reset: Callable[[], None],
        watching: Watching,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self._platform = platform
        self._identities = identities
        self._services = services
        keep_metrics = partial(keep_batch, platform)
        account = platform.settings.account
        self._own = OwnRequests(identities, services, account, reset, keep_metrics, platform, watching)

    def answer(self, request: Request) -> Response:
        """One request; waits until it is done, so that each has a thread."""
        if request.path == "/_clary/health":
            return Response(200, {"content-type": "application/json"}, b'{"status":"ok"}')
        request_id = request.headers["x-clary-request-id"]
        name = request.headers["x-clary-service"]
        if name == "clary":
            return self._own.answer(request)
        wanted = request.headers.get("x-clary-operation")
        if wanted and name not in self._services:
            return plainly.refusal(UnknownOperationException(f"The service {name[:64]} is not available in Clary yet."))
        if self._platform.database.is_shared:
            self._identities.refresh()  # another process may have changed them
        service = service_named(name)
        operation, protocol = None, service.protocol
        parent = read(request.headers.get("x-clary-traceparent")) if self._tracer is not None else None
        place, began = place_below(parent), time.time()
        told = Told(name)
        try:
            if wanted:
                told.named(wanted)
                operation, params = plainly.parse(service, wanted, request)
            else:
                route = identify(request)
                protocol = route.protocol
                told.named(route.operation or "")
                operation, params = parse(service, request, route)
            told.asked(operation, params)
            context = Context(
                caller=(caller := _principal(request.headers["x-clary-principal"])),
                account=caller.account,
                region=(region := request.headers["x-clary-region"]),
                request_id=request_id,
                platform=self._platform,
                # AWS's SDKs number each call and keep the number when they try it again.
                token=request.headers.get("amz-sdk-invocation-id") or request_id,
                trace=str(place) if parent is not None else "",
                told=way_here(request.headers, request.headers.get("x-clary-client", ""), region),
            )
            handler = handler_of(self._services, name, operation.name)
            validate(operation, params, patterns=not self._platform.settings.test_mode)
            told.acts_on(self._services[name], context, params)
            context = authorized(self._identities, self._services[name], operation.name, context, params)
            result = handled(handler, context, params)
            told.answered(result)
            if wanted:
                response = plainly.serialize(operation, result)
            else:
                response = serialize(service, operation, result, request_id, protocol)
        except ServiceError as error:
            told.failed(error)
            response = (
                plainly.refusal(error) if wanted else serialize_error(service, error, request_id, operation, protocol)
            )
        except Exception:
            log.exception("request %s to %s failed", request_id, name)
            failure = InternalFailure(f"The request failed inside Clary; its log has the cause under {request_id}.")
            told.failed(failure)
            response = (
                plainly.refusal(failure)
                if wanted
                else serialize_error(service, failure, request_id, operation, protocol)
            )
        if self._tracer is not None and parent is not None:
            broken = f"HTTP {response.status}" if response.status >= 500 else ""
            called = f"control {name} {operation.name if operation is not None else ''}".rstrip()
            self._tracer.keep(called, place, parent, began, time.time(), error=broken)
        response.headers[TRAIL_HEADER] = told.text(response.headers)
        return response


@lru_cache(maxsize=1024)
def _principal(text: str) -> Principal:
    """The caller as the edge tells it; the same for all requests of one."""
    return Principal.from_json(text)
