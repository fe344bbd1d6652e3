"""MLflow tracking servers as clients and browsers reach them.

Clients sign: for ``sagemaker-mlflow``, with the server's ARN in a header, as AWS's plugin of MLflow does it at any
address; or for any service at the server's own address, as MLflow does it by itself (``MLFLOW_TRACKING_AWS_SIGV4``).
Browsers come with a session's cookie, to a host name that is the server's alone: its pages show what users bring, and
no page of Clary's is of their origin. Both need the permissions that AWS names for MLflow's REST API.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-track-experiments.html
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from clary.core.errors import AccessDenied, MissingAuthenticationToken, ServiceError
from clary.core.settings import Settings
from clary.edge.answer import Answer, Header, UpstreamError
from clary.edge.body import whole
from clary.edge.forward import Control
from clary.edge.routes import Routes, TrackingRoute
from clary.edge.upstream import Pool
from clary.services.iam.api import Identities, Principal
from clary.services.sagemaker.mlflow.api import OPEN, PATH, Sessions, action_of, pages_url, server_of
from clary.wire import sigv4
from clary.wire.http import Request, Response

log = logging.getLogger(__name__)

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of a request. Artifacts that are larger go to S3, as all do unless somebody wants it otherwise."""
TIMEOUT_SECONDS = 60.0
ARN_HEADER = "x-mlflow-sm-tracking-server-arn"
_SCOPE = "/sagemaker-mlflow/"
"""In every signature for this service."""
_READING = ("GET", "HEAD")
_NOT_FORWARDED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "origin",
        "proxy-authorization",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_FORWARDED_PREFIXES = ("x-amz-", "x-clary-", "x-forwarded-", "x-mlflow-sm-", "sec-")
_NOT_RETURNED = frozenset((b"connection", b"date", b"keep-alive", b"server", b"set-cookie", b"transfer-encoding"))
_POLICY = "; ".join(
    (
        "default-src 'self' data: blob:",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "frame-ancestors 'self'",
    )
)
"""Nothing from elsewhere; within the pages MLflow may do as it likes."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Authenticate = Callable[[Request, sigv4.Authorization], tuple[Principal, sigv4.Verified]]


class TrackingError(Exception):
    """What clients of MLflow are told, with a code of MLflow's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Place:
    """Which tracking server a request is for, and which path it means there."""

    def __init__(self, route: TrackingRoute | None, path: str, pages: bool = False) -> None:
        self.route = route
        self.path = path
        self.principal: Principal | None = None
        """Who asks, once that is known."""
        self.pages = pages
        """Whether the request came to the host name of the server's pages."""


class Tracking:
    """All tracking servers of the installation."""

    def __init__(
        self, settings: Settings, identities: Identities, routes: Routes, pool: Pool, control: Control
    ) -> None:
        self._settings = settings
        self._identities = identities
        self._routes = routes
        self._pool = pool
        self._control = control
        self._sessions = Sessions(identities)
        self._secure = settings.public_url.startswith("https://")
        self._cookie = "__Host-clary-mlflow" if self._secure else "clary-mlflow"

    def place(self, request: Request) -> Place | None:
        """Which server is meant, or ``None`` if the request is none of a tracking server's."""
        if (server := server_of(self._settings, request.host)) and (route := self._routes.tracking(server)):
            return Place(route, request.path, pages=True)
        if request.path.startswith(PATH):
            server, slash, rest = request.path.removeprefix(PATH).partition("/")
            return Place(self._routes.tracking(server), slash + rest or "/")
        if _SCOPE in request.headers.get("authorization", ""):
            return Place(self._routes.tracking(request.headers.get(ARN_HEADER, "")), request.path)
        return None

    async def answer(
        self, place: Place, request: Request, receive: Receive, send: Send, request_id: str, authenticate: Authenticate
    ) -> None:
        """Answer a request of a tracking server."""
        try:
            response = await self._answer(place, request, receive, send, request_id, authenticate)
        except TrackingError as error:
            response = _told(error.status, error.code, str(error))
        except ServiceError as error:
            # MLflow's clients know these codes, and do not try again.
            code = "PERMISSION_DENIED" if error.status in (400, 401, 403) else error.code
            response = _told(403 if code == "PERMISSION_DENIED" else error.status, code, error.message)
            if "text/html" in request.headers.get("accept", ""):
                response = Response(response.status, {"content-type": "text/plain"}, error.message.encode())
        if response is not None:
            response.headers.setdefault("x-amzn-requestid", request_id)
            await _send(send, response)

    async def _answer(
        self, place: Place, request: Request, receive: Receive, send: Send, request_id: str, authenticate: Authenticate
    ) -> Response | None:
        authorization = sigv4.parse_authorization(request)
        request.body = await whole(receive, LARGEST_BODY)
        if authorization is not None:
            principal = authenticate(request, authorization)[0]
        elif place.pages and place.route is not None:
            if place.path == "/auth" and request.method == "GET":
                return await self._begin(place.route, request, request_id)
            principal = self._of_browser(place.route, request)
        elif place.route is not None and request.method in _READING and place.path == "/":
            return self._to_pages(place.route)
        else:
            raise MissingAuthenticationToken("Missing Authentication Token")
        place.principal = principal
        if place.route is None or place.route.account != principal.account:
            raise AccessDenied("There is no such tracking server in this account.")
        self._authorize(place.route, principal, request.method, place.path)
        await self._proxy(place, request, send)
        return None

    # Who asks, and whether he may

    async def _begin(self, route: TrackingRoute, request: Request, request_id: str) -> Response:
        """Begin the session of a presigned URL. What must be written for it is written by control."""
        ticket = parse_qs(request.query).get("authToken", [""])[0]
        body = orjson.dumps({"server": route.arn, "ticket": ticket})
        asked = Request("POST", "/_clary/mlflow/session", "", {"content-type": "application/json"}, body, request.host)
        answered = await self._control.send(asked, "clary", self._settings.region, None, request_id)
        assert isinstance(answered.body, bytes)
        told = orjson.loads(answered.body)
        if answered.status != 200:
            raise AccessDenied(told["message"])
        secure = "; Secure" if self._secure else ""
        # The link is on a page of another site, so that a stricter cookie would not come with the next request.
        cookie = f"{self._cookie}={told['session']}; Path=/; HttpOnly; SameSite=Lax{secure}"
        return Response(303, {"location": "/", "set-cookie": cookie, "cache-control": "no-store"}, b"")

    def _of_browser(self, route: TrackingRoute, request: Request) -> Principal:
        if request.method not in _READING:
            # A cookie goes with every request that a browser makes, whichever page made it do so.
            origin = request.headers.get("origin")
            same = request.headers.get("sec-fetch-site") == "same-origin"
            if urlsplit(origin).netloc != request.host if origin is not None else not same:
                raise AccessDenied("The request comes from a page of another origin.")
        for part in request.headers.get("cookie", "").replace(",", ";").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._cookie:
                return self._sessions.read(route.server, value)
        raise AccessDenied("There is no session. The URL that CreatePresignedMlflowTrackingServerUrl gives begins one.")

    def _to_pages(self, route: TrackingRoute) -> Response:
        url = pages_url(self._settings, route.server)
        if not url:
            raise MissingAuthenticationToken("Missing Authentication Token")
        return Response(307, {"location": f"{url}/", "cache-control": "no-store"}, b"")

    def _authorize(self, route: TrackingRoute, principal: Principal, method: str, path: str) -> None:
        decoded = unquote(path)
        action = action_of("GET" if method == "HEAD" else method, decoded)
        # What is allowed is what MLflow does only where nobody reads the path in another way.
        if action is None or "//" in decoded or not {".", ".."}.isdisjoint(decoded.split("/")):
            raise TrackingError(404, "ENDPOINT_NOT_FOUND", f"Tracking servers have no {method[:16]} {path[:256]}.")
        if action != OPEN:
            self._identities.authorize(principal, action, route.arn, {})

    # The way to the server

    async def _proxy(self, place: Place, request: Request, send: Send) -> None:
        route = place.route
        assert route is not None
        if route.address is None:
            if route.stopped:
                raise TrackingError(400, "INVALID_STATE", f"The tracking server {route.arn} is not running.")
            raise TrackingError(503, "TEMPORARILY_UNAVAILABLE", f"The tracking server {route.arn} is being started.")
        headers: list[Header] = [(b"host", b"localhost")]
        for name, value in request.headers.items():
            if name not in _NOT_FORWARDED and not name.startswith(_NOT_FORWARDED_PREFIXES):
                headers.append((name.encode("latin-1"), value.encode("latin-1")))
        query = f"?{request.query}" if request.query else ""
        method = "GET" if request.method == "HEAD" else request.method
        target = f"{place.path}{query}".encode("latin-1")
        try:
            answer = await self._pool.stream(
                route.address, method.encode(), target, headers, request.body, TIMEOUT_SECONDS
            )
        except (UpstreamError, TimeoutError) as error:
            raise TrackingError(
                503, "TEMPORARILY_UNAVAILABLE", f"The tracking server does not answer: {error}"
            ) from error
        try:
            await _pass_on(answer, place, request.method == "HEAD", send)
        except (UpstreamError, TimeoutError) as error:
            # The answer has begun: that it has no end tells its reader that it is not whole.
            log.warning("%s broke off an answer: %s", route.arn, error)
        finally:
            if answer.stream is not None:
                await answer.stream.aclose()


async def _pass_on(answer: Answer, place: Place, head_only: bool, send: Send) -> None:
    headers = [(name, value) for name, value in answer.headers if name not in _NOT_RETURNED]
    if place.pages:
        headers += [(b"content-security-policy", _POLICY.encode()), (b"referrer-policy", b"no-referrer")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.stream is not None and not head_only:
        async for piece in answer.stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if head_only else answer.body})


def _told(status: int, code: str, message: str) -> Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(status, headers, orjson.dumps({"error_code": code, "message": message}))


async def _send(send: Send, response: Response) -> None:
    assert isinstance(response.body, bytes)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
