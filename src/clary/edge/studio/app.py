"""What a browser asks of Clary: Studio's pages, the sign-in, and the API with a session's cookie in the place of keys.

A cookie goes with every request that a browser makes, whoever made it do so. So nothing here does anything for a
request that another page could have caused: each carries a header of ours, and an origin that is our own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

import clary
from clary.core.errors import AccessDenied, ServiceError, UnknownOperationException
from clary.core.prices import Prices
from clary.core.settings import Settings
from clary.edge.access import authorize_invocation
from clary.edge.body import whole
from clary.edge.forward import Control
from clary.edge.inference import LARGEST_PAYLOAD, Inference
from clary.edge.studio.algorithms import described
from clary.edge.studio.pages import StudioPages
from clary.edge.trail import Call
from clary.edge.watching import Watching
from clary.services.cloudtrail.api import HIDDEN
from clary.services.iam.api import Identities, Principal
from clary.services.iam.role_manager import api as role_manager
from clary.services.iam.sign_in import LASTS_S, BrowserSession, SignInFailed, SignIns
from clary.studio import STATIC
from clary.wire import plainly
from clary.wire.http import Request, Response

PATH = "/_clary/studio/"
LARGEST_SIGN_IN = 65_536
LARGEST_CALL = 8 * 1024 * 1024
OURS = "x-clary-studio"
"""A header that no form and no link of another page can set."""
SIGN_IN_REGION = "us-east-1"
"""The region that AWS records sign-ins of its console in."""
_RECORDED = {
    "call": ("clary", "Unknown"),
    "invoke": ("sagemaker-runtime", "InvokeEndpoint"),
    "s3": ("s3", "Unknown"),
    "sign-in": ("signin", "ConsoleLogin"),
    "sign-out": ("signin", "Logout"),
}
"""The pages whose use stands in the trail, and as what."""
LONGEST_WORD = 64
REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-west-1", "ap-northeast-1", "ap-southeast-2")
_REGION = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
S3 = Callable[[Request, Principal, str, str], Awaitable[None]]
"""Answers an S3 request of a principal, in a region, under a request id."""


class NotSignedIn(ServiceError):
    """There is no session, or it is over."""

    code = "NotSignedIn"
    status = 401


class SignedInAlready(ServiceError):
    """A link is opened where there is a session."""

    code = "SignedInAlready"
    status = 409


class Studio:
    """Everything below ``/studio/`` and ``/_clary/studio/``."""

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        control: Control,
        inference: Inference,
        watching: Watching,
    ) -> None:
        self._watching = watching
        self._settings = settings
        self._identities = identities
        self._control = control
        self._inference = inference
        self._sign_ins = SignIns(identities, identities.clock)
        public = urlsplit(settings.public_url)
        self._origin = f"{public.scheme}://{public.netloc}" if public.netloc else ""
        self._prefix = public.path.rstrip("/")
        self._secure = public.scheme == "https"
        self._cookie = "__Host-clary" if self._secure else "clary-session"
        self._pages = StudioPages(STATIC, self._prefix)

    def takes(self, path: str) -> bool:
        """Whether a request to this path is answered here."""
        return path.startswith(("/studio/", PATH)) or path == "/studio"

    def page(self, request: Request) -> Response:
        """A page or one of its files; no session is asked for, since nothing in them is anybody's."""
        if request.path == "/studio":
            return Response(308, {"location": f"{self._prefix}/studio/"}, b"")
        return self._pages.answer(request)

    async def answer(self, call: Call, receive: Receive, s3: S3) -> Response | None:
        """Answer a request below ``/_clary/studio/``; ``None`` where ``s3`` has answered it."""
        call.console = True
        try:
            return await self._answer(call, receive, s3)
        except ServiceError as error:
            call.failed(error)
            return plainly.refusal(error)

    async def _answer(self, call: Call, receive: Receive, s3: S3) -> Response | None:
        request = call.request
        words = request.path.removeprefix(PATH).split("/")
        if words[0] in _RECORDED:
            # Which operation it is says the path, whose words are taken from somebody only who has signed in.
            call.of(*_RECORDED[words[0]], self._settings.region)
        self._check_origin(request)
        if words in (["sign-in"], ["sign-in", "link"]) and request.method == "POST":
            request.body = await whole(receive, LARGEST_SIGN_IN)
            if len(words) == 2:
                self._check_signed_out(request)
            return await self._sign_in(call, words)
        principal, session = self._session(request)
        call.by(principal)
        response = await self._for(principal, session, words, call, receive, s3)
        if response is not None and (renewed := self._sign_ins.renewed(session)) is not None:
            response.headers.setdefault("set-cookie", self._cookie_of(renewed))
        return response

    async def _for(
        self,
        principal: Principal,
        session: BrowserSession,
        words: list[str],
        call: Call,
        receive: Receive,
        s3: S3,
    ) -> Response | None:
        request, request_id = call.request, call.request_id
        region = call.region = self._region(request)
        if words == ["session"] and request.method == "GET":
            return _json(200, self._described(principal, session))
        if words == ["sign-out"] and request.method == "POST":
            request.body = orjson.dumps({"session": self._text(request)})
            await self._control.send(request, "clary", region, principal, request_id)
            await _aside(self._identities.refresh)
            return Response(204, {"set-cookie": self._cookie_of("")}, b"")
        if words[0] == "call" and len(words) == 3 and all(words) and request.method == "POST":
            request.body = await whole(receive, LARGEST_CALL)
            call.of(words[1][:LONGEST_WORD], words[2][:LONGEST_WORD], region)
            response = await self._control.send(request, words[1], region, principal, request_id, words[2])
            await _aside(self._identities.refresh)
            return response
        if words[0] == "model" and request.method == "GET":
            return await self._control.send(request, "clary", region, principal, request_id)
        if words == ["health"] and request.method == "GET":
            return _json(200, await self._watching.problems(principal))
        if words == ["algorithms"] and request.method == "GET":
            return _json(200, await _aside(described))
        if words == ["prices"] and request.method == "GET":
            return _json(200, asdict(await _aside(Prices.read)))
        if words == ["role-manager"] and request.method == "GET":
            return _json(200, role_manager.described())
        if words == ["role-manager", "policies"] and request.method == "POST":
            body = await whole(receive, LARGEST_CALL)
            return _json(200, role_manager.documents_of(body, principal.account, region))
        if words[0] == "invoke" and len(words) == 2 and request.method == "POST":
            request.body = await whole(receive, LARGEST_PAYLOAD)
            name = unquote(words[1])
            arn = f"arn:aws:sagemaker:{region}:{principal.account}:endpoint/{name}"
            call.about_endpoint(name, arn)
            authorize_invocation(self._identities, request, principal, region, "InvokeEndpoint", arn)
            return await self._inference.invoke(request, principal, region, name)
        if words[0] == "s3":
            request.path = "/" + request.path.removeprefix(f"{PATH}s3/")
            await s3(request, principal, region, request_id)
            return None
        raise UnknownOperationException("There is no such page.")

    async def _sign_in(self, call: Call, words: list[str]) -> Response:
        """Begin a session. What must be written for it is written by control; here nothing is."""
        request = call.request
        call.more = {"eventType": "AwsConsoleSignIn", "additionalEventData": {"MFAUsed": "No"}}
        call.region = SIGN_IN_REGION
        response = await self._control.send(request, "clary", self._settings.region, None, "sign-in")
        assert isinstance(response.body, bytes)
        if response.status != 200:
            call.more["responseElements"] = {"ConsoleLogin": "Failure"}
            call.error = ("Failure", str(orjson.loads(response.body).get("message", "")))
            call.identity = self._wanted(request) if len(words) == 1 else None
            return response
        await _aside(self._identities.refresh)
        session = orjson.loads(response.body)["session"]
        call.more["responseElements"] = {"ConsoleLogin": "Success"}
        call.by(self._sign_ins.read(session)[0])
        return Response(204, {"set-cookie": self._cookie_of(session)}, b"")

    def _wanted(self, request: Request) -> dict[str, Any]:
        """Who somebody said he was who could not sign in: a name that is none may be a password in the wrong place."""
        try:
            name = orjson.loads(request.body)["UserName"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            name = None
        account = self._settings.account
        known = isinstance(name, str) and self._identities.user(account, name) is not None
        return {"type": "IAMUser", "accountId": account, "userName": name if known else HIDDEN}

    def _session(self, request: Request) -> tuple[Principal, BrowserSession]:
        try:
            return self._sign_ins.read(self._text(request))
        except SignInFailed as error:
            raise NotSignedIn(error.message) from error

    def _check_signed_out(self, request: Request) -> None:
        """Refuse a link to whoever is signed in: any page can open one, and its reader would go on as somebody else."""
        try:
            self._session(request)
        except NotSignedIn:
            return
        raise SignedInAlready("You are signed in already. To use the link, sign out first.")

    def _text(self, request: Request) -> str:
        """The session that the request's cookie holds."""
        for part in request.headers.get("cookie", "").replace(",", ";").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._cookie and value:
                return value
        raise NotSignedIn("Please sign in.")

    def _check_origin(self, request: Request) -> None:
        headers = request.headers
        if OURS not in headers:
            raise AccessDenied(f"Requests of Studio carry the header {OURS}.")
        origin = headers.get("origin")
        if origin is not None:
            if origin != self._origin and origin.partition("://")[2] != request.host:
                raise AccessDenied("The request comes from a page that is not ours.")
        elif headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise AccessDenied("The request comes from a page that is not ours.")

    def _region(self, request: Request) -> str:
        region = request.headers.get("x-clary-region") or self._settings.region
        if len(region) > 32 or not _REGION.issuperset(region):
            raise AccessDenied("This is no region.")
        return region

    def _described(self, principal: Principal, session: BrowserSession) -> dict[str, Any]:
        regions = sorted({self._settings.region, *REGIONS})
        return {
            "account": principal.account,
            "arn": principal.arn,
            "name": principal.name,
            "kind": principal.kind,
            "region": self._settings.region,
            "regions": regions,
            "version": clary.__version__,
            "expires": session.began + LASTS_S,
        }

    def _cookie_of(self, text: str) -> str:
        lasts = f"Max-Age={int(LASTS_S)}" if text else "Max-Age=0"
        secure = "; Secure" if self._secure else ""
        return f"{self._cookie}={text}; Path=/; HttpOnly; SameSite=Strict; {lasts}{secure}"


async def _aside(work: Callable[..., Any], *arguments: Any) -> Any:
    """What waits for the disk or for a password's hash, beside the loop that answers everybody."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def _json(status: int, content: dict[str, Any]) -> Response:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(status, headers, orjson.dumps(content))
