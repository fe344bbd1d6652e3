"""Hands a request that is authenticated to the control plane, waiting for one that is just starting again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson

from clary.core.errors import ServiceError, ServiceUnavailable, named
from clary.edge.answer import Answer, Header, NotConnected, UpstreamError
from clary.edge.upstream import Pool
from clary.services.cloudtrail.api import TRAIL_HEADER
from clary.services.iam.api import Principal
from clary.wire.http import Request, Response

WAIT_SECONDS = 15.0
"""How long a request waits for a control plane that cannot be reached; it has not seen the request then."""
PAUSE_SECONDS = 0.05
TIMEOUT_SECONDS = 60.0
LONGEST_CALL_SECONDS = 1_080.0
"""How long a function may be waited for: as long as the longest runs, and what it takes to start its environment."""
MOST_AT_ONCE = 64
"""Each request that is under way has a thread in the control plane; more of them wait here."""
MOST_CALLS = 256
"""The same for requests that wait for functions, which make such requests themselves."""
BROKEN = 3
"""How often a request is sent again over which the control plane died: it may be the request that kills it."""

_NOT_FORWARDED = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "expect", "upgrade"})
_OWN = "x-clary-"


class Control:
    """The way to the control plane, whose processes get requests by turns."""

    def __init__(self, sockets: Sequence[Path], pool: Pool) -> None:
        self.addresses = frozenset(f"unix:{socket}" for socket in sockets)
        self._turns = cycle(self.addresses)
        self._pool = pool
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._calls = asyncio.Semaphore(MOST_CALLS)

    async def is_up(self) -> bool:
        """Whether the control plane answers."""
        try:
            answer = await self._pool.request(
                next(self._turns), b"GET", b"/_clary/health", [(b"host", b"control")], timeout=2
            )
        except (UpstreamError, TimeoutError):
            return False
        return answer.status == 200

    async def send(
        self,
        request: Request,
        service: str,
        region: str,
        principal: Principal | None,
        request_id: str,
        operation: str = "",
        *,
        calls_function: bool = False,
    ) -> Response:
        """Answer ``request`` by the control plane. Raises ``ServiceUnavailable`` if it cannot be reached.

        With an ``operation`` the body holds its members as JSON, whatever protocol the service speaks. A request that
        ``calls_function`` may take as long as that.
        """
        headers: list[Header] = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers.items()
            if name not in _NOT_FORWARDED and not name.startswith(_OWN)
        ]
        headers += [
            (b"x-clary-service", service.encode()),
            (b"x-clary-region", region.encode("latin-1")),
            (b"x-clary-request-id", request_id.encode()),
        ]
        if operation:
            headers.append((b"x-clary-operation", operation.encode("latin-1")))
        if principal is not None:
            headers.append((b"x-clary-principal", _told(principal)))
        if request.trace:
            headers.append((b"x-clary-traceparent", request.trace.encode()))
        if request.client:
            headers.append((b"x-clary-client", request.client.encode("latin-1")))
        target = request.path.encode("latin-1") + (b"?" + request.query.encode("latin-1") if request.query else b"")
        seconds = LONGEST_CALL_SECONDS if calls_function else TIMEOUT_SECONDS
        async with self._calls if calls_function else self._places:
            answer = await self._ask(request.method.encode("latin-1"), target, headers, request.body, seconds)
        returned = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in answer.headers
            if name not in (b"content-length", b"date", b"server", b"connection")
        }
        trail = returned.pop(TRAIL_HEADER, "")
        return Response(answer.status, returned, answer.body, trail)

    async def managed_key(self, account: str, region: str) -> str:
        """The ARN of the key of KMS that objects are encrypted under where nobody names one. Raises errors of KMS and
        ``ServiceUnavailable``."""
        return str(
            (await self.ask("/_clary/kms/managed", {"account": account, "region": region, "service": "s3"}))["arn"]
        )

    async def ask(self, path: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """What the control plane answers the edge itself. Raises the error it tells, and ``ServiceUnavailable``."""
        request = Request("POST", path, "", {"content-type": "application/json"}, orjson.dumps(members), "control")
        response = await self.send(request, "clary", "", None, "edge")
        assert isinstance(response.body, bytes)
        document: dict[str, Any] = orjson.loads(response.body)
        if response.status != 200:
            raise named(document.get("code", "InternalFailure"), response.status, document.get("message", ""))
        return document

    async def ask_all(
        self, path: str, members: Mapping[str, Any], seconds: float
    ) -> dict[str, dict[str, Any] | ServiceError]:
        """What each process of the control plane answers within ``seconds``, by its name, or how that failed."""

        async def ask(address: str) -> dict[str, Any] | ServiceError:
            headers = [(b"x-clary-service", b"clary"), (b"x-clary-request-id", b"edge")]
            try:
                answer = await self._pool.request(address, b"POST", path.encode(), headers, body, seconds)
            except (UpstreamError, TimeoutError) as error:
                return ServiceUnavailable(str(error) or "no answer in time")
            document: dict[str, Any] = orjson.loads(answer.body)
            if answer.status != 200:
                return named(document.get("code", "InternalFailure"), answer.status, document.get("message", ""))
            return document

        addresses, body = sorted(self.addresses), orjson.dumps(members)
        answers = await asyncio.gather(*map(ask, addresses))
        return {Path(address).stem: answer for address, answer in zip(addresses, answers, strict=True)}

    async def _ask(self, method: bytes, target: bytes, headers: list[Header], body: bytes, seconds: float) -> Answer:
        until = time.monotonic() + WAIT_SECONDS
        broken = absent = 0
        while True:
            try:
                return await self._pool.request(next(self._turns), method, target, headers, body, seconds)
            except NotConnected:
                if time.monotonic() > until:
                    raise ServiceUnavailable("The control plane is not running. Please try again.") from None
                absent += 1
                if absent % len(self.addresses):
                    continue  # another process may be there
            except TimeoutError as error:
                raise ServiceUnavailable("The control plane did not answer in time. Please try again.") from error
            except UpstreamError as error:
                # It died over this request or beside it. Sent again, a Create that was done is known by its token;
                # what is answered with an error because it was done would be so if the client tried again.
                broken += 1
                if broken > BROKEN:
                    raise ServiceUnavailable(f"The control plane broke off ({error}). Please try again.") from error
            await asyncio.sleep(PAUSE_SECONDS)


@lru_cache(maxsize=1024)
def _told(principal: Principal) -> bytes:
    """The caller as control reads it; the same for all requests of one."""
    return principal.to_json().encode("ascii")
