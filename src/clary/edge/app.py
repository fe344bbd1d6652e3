"""The edge's request path, in the order in which things happen to a request.

1. the Host header is one of ours; 2. the signature is read; 3. the caller is found and the signature checked; 4. S3,
inference and tracking servers are answered here, each after its policies were asked; 5. everything else goes to the
control plane.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from clary.core import clock
from clary.core.errors import InternalFailure, MissingAuthenticationToken, ServiceError
from clary.core.ids import request_id as new_request_id
from clary.core.settings import Settings
from clary.edge import trail_objects as object_calls
from clary.edge import trail_tracking as tracking_calls
from clary.edge.access import authorize_invocation
from clary.edge.body import CheckedBody, announced, whole
from clary.edge.crowd import SMALL_BODY, Crowd
from clary.edge.forward import Control
from clary.edge.hosts import HostCheck
from clary.edge.inference import LARGEST_PAYLOAD, Inference
from clary.edge.objects import S3
from clary.edge.own import TEST_RESET, OwnPages
from clary.edge.payload_parts import PayloadParts
from clary.edge.studio.app import PATH as STUDIO
from clary.edge.studio.app import Studio
from clary.edge.tracking import LARGEST_BODY as TRACKED_BODY
from clary.edge.tracking import Tracking
from clary.edge.trail import Call, Trail
from clary.services.iam.api import Identities, Principal
from clary.services.s3.http import S3Request, S3Response
from clary.wire import route as routing
from clary.wire import serialize, sigv2, sigv4
from clary.wire.http import Request, Response

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HELD = {
    "content-disposition": "attachment",
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_SANDBOX = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"
"""A page may do what pages do, but as nobody: not with the cookies or in the name of whoever serves it.

Reference: https://www.w3.org/TR/CSP3/#directive-sandbox
"""
_HELD_NAMES = frozenset((*_HELD, "set-cookie"))

_INVOCATIONS = ("InvokeEndpoint", "InvokeEndpointWithResponseStream")
LARGEST_BODY = LARGEST_PAYLOAD + 65_536
"""Bytes of a body that is held in memory; S3's are streamed and have no limit here."""
LARGEST_CALL = 8 * 1024 * 1024
"""Bytes of a body that goes to the control plane."""
GROWTH = 8
"""A document takes so many times its bytes while it is parsed and handled."""


class EdgeApp:
    """The ASGI application that clients talk to."""

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        s3: S3,
        inference: Inference,
        control: Control,
        own: OwnPages,
        studio: Studio,
        tracking: Tracking,
        trail: Trail,
    ) -> None:
        self._trail = trail
        self._studio = studio
        self._tracking = tracking
        self._settings = settings
        self._identities = identities
        self._s3 = s3
        self._inference = inference
        self._control = control
        self._own = own
        self._requests = own.watching.requests
        self._hosts = HostCheck(settings)
        self.crowd = Crowd()
        self._revisions: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        call = Call(_request(scope), new_request_id())
        watched = self._requests.begin(call, send)
        try:
            await self._take(call, receive, watched.send, watched.begun)
        finally:
            watched.end()

    async def _take(self, call: Call, receive: Receive, send: Send, begun: float) -> None:
        request, request_id = call.request, call.request_id
        try:
            self._hosts.check(request.host)
            # First, for under the host names of their pages nothing else is served.
            if (place := self._tracking.place(request)) is not None:
                send = tracking_calls.recorded(self._trail, call, place, send)
                async with self.crowd.room(announced(request.headers, TRACKED_BODY)):
                    await self._tracking.answer(
                        place, request, receive, send, request_id, partial(self._authenticate, call)
                    )
                return
            # Not under the name of a bucket, whose pages would be of Studio's origin then.
            if self._studio.takes(request.path) and routing.bucket_in_host(request.host) is None:
                is_object = request.path.startswith(f"{STUDIO}s3/")
                async with self.crowd.room(0 if is_object else announced(request.headers, LARGEST_BODY)):
                    await self._answer_studio(call, receive, send)
                return
            if request.path.startswith("/_clary/") or (request.path == TEST_RESET and self._settings.test_mode):
                response = await self._own.answer(request, receive, call)
                self._trail.keep(call)
                await _send(send, response)
                return
            authorization = sigv4.parse_authorization(request)
            if _is_s3(request, authorization):
                call.service = "s3"
                await self._answer_s3(call, authorization, receive, send)
                return
            async with self.crowd.room(self._wanted(request, authorization)):
                request.body = await whole(receive, LARGEST_BODY if _is_invocation(request) else LARGEST_CALL)
                response = await self._answer(call, authorization, begun)
            self._check_unread(response)
        except Exception as error:  # noqa: BLE001 - every request is answered
            response = _failure(call, error)
        response.headers.setdefault("x-amzn-requestid", request_id)
        self._keep(call, response)
        await _send(send, response)

    def _wanted(self, request: Request, authorization: sigv4.Authorization | None) -> int:
        """The room in memory that a request's body needs. Raises ``RequestTooLarge``, and what is wrong with who asks
        for much of it."""
        is_invocation = _is_invocation(request)
        size = announced(request.headers, LARGEST_BODY if is_invocation else LARGEST_CALL)
        if size > SMALL_BODY:
            # The signature cannot be checked before the body is here; but nobody unknown is given room for it.
            if authorization is None:
                raise MissingAuthenticationToken("Missing Authentication Token")
            self._identities.resolve(authorization.access_key, authorization.token)
        return size if is_invocation or size <= SMALL_BODY else size * GROWTH

    def _check_unread(self, response: Response) -> None:
        if isinstance(response.body, bytes):
            self.crowd.check_unread(len(response.body))

    def _keep(self, call: Call, response: Response) -> None:
        """Record a call that is about to be answered."""
        if call.service == "s3":
            # It was refused before S3 has seen it.
            body = CheckedBody(_nothing, None, call.request.headers)
            bucket = routing.bucket_in_host(call.request.host) or ""
            asked = _s3_request(
                call.request, body, None, call.region or routing.DEFAULT_REGION, call.request_id, bucket
            )
            object_calls.keep(self._trail, call, asked, call.error)
        else:
            self._trail.keep(call, response.trail)

    async def invocation(self, request: Request) -> Response:
        """The answer to an ``InvokeEndpoint`` that is here as a whole."""
        begun = perf_counter()
        request_id = new_request_id()
        call = Call(request, request_id)
        if self._requests.tracer is not None:
            self._requests.place(call)
        try:
            self._hosts.check(request.host)
            authorization = sigv4.parse_authorization(request)
            assert authorization is not None
            call.of("sagemaker-runtime", "InvokeEndpoint", authorization.region)
            principal = self._authenticate(call, request, authorization)[0]
            response = await self._invoke(call, principal, authorization.region, "InvokeEndpoint", begun)
            self._check_unread(response)
        except Exception as error:  # noqa: BLE001 - every request is answered
            response = _failure(call, error)
        response.headers.setdefault("x-amzn-requestid", request_id)
        self._trail.keep(call)
        assert isinstance(response.body, bytes)
        sizes = len(request.body), len(response.body)
        self._requests.count(call, response.status, perf_counter() - begun, *sizes)
        return response

    async def _answer(self, call: Call, authorization: sigv4.Authorization | None, begun: float) -> Response:
        request = call.request
        if authorization is None:
            raise MissingAuthenticationToken("Missing Authentication Token")
        route = routing.identify(request)
        call.of(route.service, route.operation or "", route.region)
        principal = self._authenticate(call, request, authorization)[0]
        if route.service == "sagemaker-runtime" and route.operation in _INVOCATIONS:
            return await self._invoke(call, principal, route.region, route.operation, begun)
        response = await self._control.send(
            request,
            route.service,
            route.region,
            principal,
            call.request_id,
            calls_function=(route.service, route.operation) == ("lambda", "Invoke"),
        )
        # What the request changed is known here before its sender can use it.
        revisions = self._identities.database.revisions()
        if revisions != self._revisions:
            self._own.refresh()
            self._revisions = revisions
        return response

    async def _invoke(self, call: Call, principal: Principal, region: str, operation: str, begun: float) -> Response:
        request = call.request
        name = unquote(request.path.split("/", 3)[2])
        arn = f"arn:aws:sagemaker:{region}:{principal.account}:endpoint/{name}"
        call.about_endpoint(name, arn)
        authorize_invocation(self._identities, request, principal, region, operation, arn)
        if operation == "InvokeEndpoint":
            return await self._inference.invoke(request, principal, region, name, begun)
        return await self._inference.invoke_streaming(request, principal, region, name, begun)

    def _authenticate(
        self, call: Call, request: Request, authorization: sigv4.Authorization, *, streaming: bool = False
    ) -> tuple[Principal, sigv4.Verified]:
        call.access_key, call.region = authorization.access_key, authorization.region
        credential = self._identities.resolve(authorization.access_key, authorization.token)
        verified = sigv4.verify(request, authorization, credential.secret, clock.now(), streaming=streaming)
        call.principal = credential.principal
        return credential.principal, verified

    async def _answer_studio(self, call: Call, receive: Receive, send: Send) -> None:
        request = call.request
        if not request.path.startswith("/_clary/"):
            await _send(send, self._studio.page(request))
            return

        async def s3(asked: Request, principal: Principal, region: str, request_id: str) -> None:
            body = CheckedBody(receive, None, asked.headers)
            taken = _s3_request(asked, body, principal, region, request_id)
            response = await self._s3.handle(taken)
            call.by(principal)
            object_calls.keep(self._trail, call, taken, _failure_of(response))
            # Nothing that users bring is ever shown as a page of Studio's origin.
            held = [(name, value) for name, value in response.headers if name.lower() not in _HELD_NAMES]
            await _send_s3(send, replace(response, headers=[*held, *_HELD.items()]))

        if (response := await self._studio.answer(call, receive, s3)) is not None:
            self._trail.keep(call, response.trail)
            await _send(send, response)

    async def _answer_s3(
        self, call: Call, authorization: sigv4.Authorization | None, receive: Receive, send: Send
    ) -> None:
        request = call.request
        principal, verified = None, None
        if authorization is not None:
            principal, verified = self._authenticate(call, request, authorization, streaming=True)
        elif (claimed := sigv2.parse_query(request)) is not None:
            call.access_key = claimed.access_key
            credential = self._identities.resolve(claimed.access_key, claimed.token)
            sigv2.verify_query(
                request, claimed, credential.secret, clock.now(), routing.bucket_in_host(request.host) or ""
            )
            principal = call.principal = credential.principal
        body = CheckedBody(receive, verified, request.headers)
        asked = _s3_request(
            request,
            body,
            principal,
            authorization.region if authorization is not None else routing.DEFAULT_REGION,
            call.request_id,
            routing.bucket_in_host(request.host) or "",
        )
        response = await self._s3.handle(asked)
        object_calls.keep(self._trail, call, asked, _failure_of(response))
        if not asked.virtual_bucket:
            # Studio's pages have this origin too. As a page, an object has none of its own.
            response.add("content-security-policy", _SANDBOX)
        await _send_s3(send, response)


def _s3_request(
    request: Request,
    body: CheckedBody,
    principal: Principal | None,
    region: str,
    request_id: str,
    virtual_bucket: str = "",
) -> S3Request:
    return S3Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=aiter(body),
        account=principal.account if principal is not None else "",
        region=region,
        request_id=request_id,
        trailers=body.trailers,
        principal=principal,
        virtual_bucket=virtual_bucket,
        client=request.client,
    )


def _is_invocation(request: Request) -> bool:
    """Whether the body may be an endpoint's payload."""
    return request.path.startswith(("/endpoints/", "/_clary/studio/invoke/"))


def _is_s3(request: Request, authorization: sigv4.Authorization | None) -> bool:
    if authorization is not None:
        return authorization.is_s3
    # Nobody calls another service without a signature, except by mistake; such requests carry a target or a form.
    headers = request.headers
    return "x-amz-target" not in headers and not headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "application/x-amz-json")
    )


def _request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        host=headers.get("host", ""),
        client=(scope.get("client") or ("",))[0],
    )


def _failure(call: Call, error: Exception) -> Response:
    request_id = call.request_id
    if not isinstance(error, ServiceError):
        log.error("request %s failed", request_id, exc_info=error)
        error = InternalFailure(f"The request failed inside Clary; its log has the cause under {request_id}.")
    service = routing.service_of(call.request)
    response = serialize.serialize_error(service, error, request_id)
    call.service = call.service or (service.name if service is not None else "")
    call.failed(error, response)
    return response


def _failure_of(response: S3Response) -> tuple[str, str] | None:
    """The error that an answer of S3 says; of an external store's only its status is known."""
    if response.failure is None and response.status >= 400:
        return str(response.status), ""
    return response.failure


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


async def _send(send: Send, response: Response) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if isinstance(response.body, bytes):
        headers.append((b"content-length", b"%d" % len(response.body)))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})
        return
    assert isinstance(response.body, PayloadParts)
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for part in response.body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await response.body.aclose()


async def _send_s3(send: Send, response: S3Response) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
        return
    try:
        async for piece in response.body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        if isinstance(response.body, AsyncGenerator):
            await response.body.aclose()
    await send({"type": "http.response.body", "body": b""})
