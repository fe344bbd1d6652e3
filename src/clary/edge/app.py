"""The edge's request path, in the order in which things happen to a request.

1. the Host header is one of ours; 2. the signature is read; 3. the caller is found and the signature checked; 4. S3,
inference and tracking servers are answered here, each after its policies were asked; 5. everything else goes to the
control plane.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import replace
from functools import lru_cache
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, unquote

from clary.core import clock
from clary.core.errors import InternalFailure, MissingAuthenticationToken, ServiceError
from clary.core.ids import request_id as new_request_id
from clary.core.settings import Settings
from clary.edge.body import CheckedBody, whole
from clary.edge.forward import Control
from clary.edge.hosts import HostCheck
from clary.edge.inference import LARGEST_PAYLOAD, Inference
from clary.edge.objects import S3
from clary.edge.own import TEST_RESET, OwnPages
from clary.edge.payload_parts import PayloadParts
from clary.edge.studio.app import Studio
from clary.edge.tracking import Tracking
from clary.objects.model import Bucket
from clary.services.iam.api import Identities, Principal
from clary.services.iam.policy import Policies, policies
from clary.services.s3 import configurations
from clary.services.s3.http import S3Request, S3Response
from clary.wire import route as routing
from clary.wire import serialize, sigv2, sigv4
from clary.wire.http import Request, Response

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_CONDITION_PARAMETERS = ("prefix", "delimiter", "max-keys")
_CONDITION_HEADERS = (
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-write",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-storage-class",
)

_GLOBAL_CONDITIONS = {"aws:Referer": "referer", "aws:UserAgent": "user-agent"}

_HELD = {
    "content-disposition": "attachment",
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_HELD_NAMES = frozenset((*_HELD, "set-cookie"))

_INVOCATIONS = ("InvokeEndpoint", "InvokeEndpointWithResponseStream")
LARGEST_BODY = LARGEST_PAYLOAD + 65_536
"""Bytes of a body that is held in memory; S3's are streamed and have no limit here."""


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
    ) -> None:
        self._studio = studio
        self._tracking = tracking
        self._settings = settings
        self._identities = identities
        self._s3 = s3
        self._inference = inference
        self._control = control
        self._own = own
        self._hosts = HostCheck(settings)
        self._revisions: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        begun = perf_counter()
        request = _request(scope)
        request_id = new_request_id()
        try:
            self._hosts.check(request.host)
            # First, for under the host names of their pages nothing else is served.
            if (place := self._tracking.place(request)) is not None:
                await self._tracking.answer(place, request, receive, send, request_id, self._authenticate)
                return
            if self._studio.takes(request.path):
                await self._answer_studio(request, request_id, receive, send)
                return
            if request.path.startswith("/_clary/") or (request.path == TEST_RESET and self._settings.test_mode):
                await _send(send, await self._own.answer(request, receive))
                return
            authorization = sigv4.parse_authorization(request)
            if _is_s3(request, authorization):
                await self._answer_s3(request, authorization, request_id, receive, send)
                return
            request.body = await whole(receive, LARGEST_BODY)
            response = await self._answer(request, authorization, request_id, begun)
        except Exception as error:  # noqa: BLE001 - every request is answered
            response = _failure(request, error, request_id)
        response.headers.setdefault("x-amzn-requestid", request_id)
        await _send(send, response)

    async def invocation(self, request: Request) -> Response:
        """The answer to an ``InvokeEndpoint`` that is here as a whole."""
        begun = perf_counter()
        request_id = new_request_id()
        try:
            self._hosts.check(request.host)
            authorization = sigv4.parse_authorization(request)
            assert authorization is not None
            principal = self._authenticate(request, authorization)[0]
            response = await self._invoke(request, principal, authorization.region, "InvokeEndpoint", begun)
        except Exception as error:  # noqa: BLE001 - every request is answered
            response = _failure(request, error, request_id)
        response.headers.setdefault("x-amzn-requestid", request_id)
        return response

    async def _answer(
        self, request: Request, authorization: sigv4.Authorization | None, request_id: str, begun: float
    ) -> Response:
        if authorization is None:
            raise MissingAuthenticationToken("Missing Authentication Token")
        route = routing.identify(request)
        principal = self._authenticate(request, authorization)[0]
        if route.service == "sagemaker-runtime" and route.operation in _INVOCATIONS:
            return await self._invoke(request, principal, route.region, route.operation, begun)
        response = await self._control.send(request, route.service, route.region, principal, request_id)
        # What the request changed is known here before its sender can use it.
        revisions = self._identities.database.revisions()
        if revisions != self._revisions:
            self._own.refresh()
            self._revisions = revisions
        return response

    async def _invoke(
        self, request: Request, principal: Principal, region: str, operation: str, begun: float
    ) -> Response:
        name = unquote(request.path.split("/", 3)[2])
        arn = f"arn:aws:sagemaker:{region}:{principal.account}:endpoint/{name}"
        self._identities.authorize(principal, f"sagemaker:{operation}", arn)
        if operation == "InvokeEndpoint":
            return await self._inference.invoke(request, principal, region, name, begun)
        return await self._inference.invoke_streaming(request, principal, region, name, begun)

    def _authenticate(
        self, request: Request, authorization: sigv4.Authorization, *, streaming: bool = False
    ) -> tuple[Principal, sigv4.Verified]:
        credential = self._identities.resolve(authorization.access_key, authorization.token)
        verified = sigv4.verify(request, authorization, credential.secret, clock.now(), streaming=streaming)
        return credential.principal, verified

    async def _answer_studio(self, request: Request, request_id: str, receive: Receive, send: Send) -> None:
        if not request.path.startswith("/_clary/"):
            await _send(send, self._studio.page(request))
            return

        async def s3(asked: Request, principal: Principal, region: str, request_id: str) -> None:
            body = CheckedBody(receive, None, asked.headers)
            response = await self._s3.handle(_s3_request(asked, body, principal, region, request_id))
            # Nothing that users bring is ever shown as a page of Studio's origin.
            held = [(name, value) for name, value in response.headers if name.lower() not in _HELD_NAMES]
            await _send_s3(send, replace(response, headers=[*held, *_HELD.items()]))

        if (response := await self._studio.answer(request, receive, request_id, s3)) is not None:
            await _send(send, response)

    async def _answer_s3(
        self,
        request: Request,
        authorization: sigv4.Authorization | None,
        request_id: str,
        receive: Receive,
        send: Send,
    ) -> None:
        principal, verified = None, None
        if authorization is not None:
            principal, verified = self._authenticate(request, authorization, streaming=True)
        elif (claimed := sigv2.parse_query(request)) is not None:
            credential = self._identities.resolve(claimed.access_key, claimed.token)
            sigv2.verify_query(
                request, claimed, credential.secret, clock.now(), routing.bucket_in_host(request.host) or ""
            )
            principal = credential.principal
        body = CheckedBody(receive, verified, request.headers)
        response = await self._s3.handle(
            _s3_request(
                request,
                body,
                principal,
                authorization.region if authorization is not None else routing.DEFAULT_REGION,
                request_id,
                routing.bucket_in_host(request.host) or "",
            )
        )
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


def authorize_s3(identities: Identities) -> Callable[[S3Request, str, str, Bucket | None], Awaitable[None]]:
    """The check that S3 makes before every access."""

    async def authorize(request: S3Request, action: str, arn: str, bucket: Bucket | None) -> None:
        policy = bucket_policy(bucket) if bucket is not None else None
        owner = bucket.account if bucket is not None else None
        if bucket is not None and (request.principal is None or request.principal.account != owner):
            policy = None if configurations.keeps_strangers_out(bucket) else policy
        identities.authorize(request.principal, action, arn, _conditions(request), policy, owner)

    return authorize


def _conditions(request: S3Request) -> dict[str, str]:
    """What policies may ask of a request to S3.

    Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    values = {"aws:SecureTransport": "false"}
    if request.query:
        parameters = request.parameters
        values |= {f"s3:{name}": parameters[name] for name in _CONDITION_PARAMETERS if name in parameters}
    headers = request.headers
    if request.client:
        values["aws:SourceIp"] = request.client
    values |= {key: headers[name] for key, name in _GLOBAL_CONDITIONS.items() if name in headers}
    if "x-amz-tagging" in headers:
        values |= {f"s3:RequestObjectTag/{name}": value for name, value in parse_qsl(headers["x-amz-tagging"])}
    return values | {f"s3:{name}": headers[name] for name in _CONDITION_HEADERS if name in headers}


def bucket_policy(bucket: Bucket) -> Policies | None:
    """The policy put on the bucket, compiled once for as long as it is the same."""
    document = bucket.documents.get("policy")
    return _compiled(document) if document is not None else None


@lru_cache(maxsize=1024)
def _compiled(document: bytes) -> Policies:
    return policies([document.decode("utf-8")])


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


def _failure(request: Request, error: Exception, request_id: str) -> Response:
    if isinstance(error, ServiceError):
        return _error(request, error, request_id)
    log.error("request %s failed", request_id, exc_info=error)
    failure = InternalFailure(f"The request failed inside Clary; its log has the cause under {request_id}.")
    return _error(request, failure, request_id)


def _error(request: Request, error: ServiceError, request_id: str) -> Response:
    return serialize.serialize_error(routing.service_of(request), error, request_id)


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
