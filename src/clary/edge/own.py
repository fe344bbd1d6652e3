"""Clary's own few addresses: is it up, credentials for jobs, and the reset for tests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

import orjson

import clary
from clary.core import clock
from clary.core.errors import MissingAuthenticationToken, ServiceError
from clary.core.settings import Settings
from clary.edge.body import whole
from clary.edge.capture import Captures
from clary.edge.external.app import ExternalS3
from clary.edge.forward import Control
from clary.edge.invocations import Invocations
from clary.edge.routes import Routes
from clary.edge.trail import Call
from clary.edge.upstream import Pool
from clary.edge.watching import Watching
from clary.objects.store import ObjectStore
from clary.services.cloudtrail.api import data_events
from clary.services.iam.api import Identities, Principal
from clary.services.iam.principals import root_principal
from clary.services.iam.role_manager import api as role_manager
from clary.services.iam.sign_in import SignIns
from clary.services.kms.api import Keys
from clary.wire import sigv4
from clary.wire.http import Request, Response
from clary.wire.read_json import load_json

LARGEST_BODY = 65_536
REFRESH_SECONDS = 0.25
FAULT_SECONDS = 1.0
TEST_RESET = "/moto-api/reset"
"""Where moto's suite asks for the reset between its tests, unsigned; there is such a page in test mode alone."""

ROLE_MANAGER = "/_clary/role-manager"
ROLE_MANAGER_POLICIES = f"{ROLE_MANAGER}/policies"

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ResetRefused(ServiceError):
    """What a reset would remove is not this installation's alone."""

    code = "ResetRefused"
    status = 409


class OwnPages:
    """What is served below ``/_clary/``."""

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        keys: Keys,
        routes: Routes,
        pool: Pool,
        control: Control,
        store: ObjectStore | ExternalS3,
        invocations: Invocations,
        captures: Captures,
        watching: Watching,
    ) -> None:
        self.watching = watching
        self._settings = settings
        self._identities = identities
        self._keys = keys
        self._routes = routes
        self._pool = pool
        self._control = control
        self._store = store
        self._invocations = invocations
        self._captures = captures

    async def answer(self, request: Request, receive: Receive, call: Call) -> Response:
        """Answer a request; errors are JSON with ``code`` and ``message``."""
        try:
            return await self._answer(request, receive, call)
        except ServiceError as error:
            call.failed(error)
            return _json(error.status, {"code": error.code, "message": error.message})

    async def _answer(self, request: Request, receive: Receive, call: Call) -> Response:
        page = (request.method, request.path)
        if page == ("GET", "/_clary/health"):
            control = await self._control.is_up()
            status = {"status": "ok" if control else "starting", "control": control, "version": clary.__version__}
            return _json(200 if control else 503, status)
        if page == ("GET", "/_clary/metrics"):
            return await self.watching.metrics(request)
        if page == ("GET", "/_clary/health/problems"):
            call.of("clary", "DescribeHealth", self._settings.region)
            principal, _ = await self._signed(request, receive, call)
            return _json(200, await self.watching.problems(principal))
        if page == ("GET", "/_clary/credentials"):
            return self._credentials(request, call)
        if page == ("POST", "/_clary/reset"):
            return await self._reset(request, receive, call)
        if page == ("GET", "/_clary/objects"):
            return await self._objects(request, receive, call)
        if page == ("POST", "/_clary/data-events"):
            return await self._data_events(request, receive, call)
        if page == ("POST", "/_clary/link"):
            return await self._link(request, receive, call)
        if page in (("GET", ROLE_MANAGER), ("POST", ROLE_MANAGER_POLICIES)):
            return await self._role_manager(request, receive, call)
        if page == ("POST", TEST_RESET) and self._settings.test_mode:
            call.of("clary", "Reset", self._settings.region)
            return await self._clear(request, self._settings.region, root_principal(self._settings.account))
        return _json(404, {"code": "NotFound", "message": f"There is no page {request.path[:128]}."})

    def _credentials(self, request: Request, call: Call) -> Response:
        """What botocore reads from ``AWS_CONTAINER_CREDENTIALS_FULL_URI``."""
        # SageMaker assumes the role that a job was given.
        call.of("sts", "AssumeRole", self._settings.region)
        call.identity = {"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}
        ticket = request.headers.get("authorization")
        if ticket is None:
            raise MissingAuthenticationToken("The Authorization header must carry the job's ticket.")
        minted = self._identities.redeem(ticket)
        answer = {
            "AccessKeyId": minted["AccessKeyId"],
            "SecretAccessKey": minted["SecretAccessKey"],
            "Token": minted["SessionToken"],
            "Expiration": minted["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "RoleArn": minted["RoleArn"],
        }
        role = minted["RoleArn"]
        expires = minted["Expiration"].strftime("%b %d, %Y, %I:%M:%S %p")
        call.more["requestParameters"] = {"roleArn": role}
        call.more["responseElements"] = {"credentials": {"accessKeyId": minted["AccessKeyId"], "expiration": expires}}
        call.more["resources"] = [{"accountId": role.split(":")[4], "type": "AWS::IAM::Role", "ARN": role}]
        return _json(200, answer)

    async def _reset(self, request: Request, receive: Receive, call: Call) -> Response:
        """Forget everything; only an administrator of the account may ask for it."""
        call.of("clary", "Reset", self._settings.region)
        principal, region = await self._signed(request, receive, call)
        self._identities.authorize(principal, "clary:Reset", "*", {})
        return await self._clear(request, region, principal)

    async def _link(self, request: Request, receive: Receive, call: Call) -> Response:
        """A link that signs its asker in to Studio, once, within minutes."""
        call.of("signin", "GetSigninToken", self._settings.region)
        principal, _ = await self._signed(request, receive, call)
        ticket = SignIns(self._identities, self._identities.clock).link(principal)
        # In the fragment, which browsers send to nobody.
        return _json(200, {"path": f"/studio/#ticket={ticket}"})

    async def _signed(self, request: Request, receive: Receive, call: Call) -> tuple[Principal, str]:
        """Who has signed a request, and for which region."""
        authorization = sigv4.parse_authorization(request)
        if authorization is None:
            raise MissingAuthenticationToken("Missing Authentication Token")
        request.body = await whole(receive, LARGEST_BODY)
        call.access_key, call.region = authorization.access_key, authorization.region
        credential = self._identities.resolve(authorization.access_key, authorization.token)
        sigv4.verify(request, authorization, credential.secret, clock.now())
        call.principal = credential.principal
        return credential.principal, authorization.region

    async def _clear(self, request: Request, region: str, principal: Principal) -> Response:
        if isinstance(self._store, ExternalS3):
            # It may hold what was there before this installation, and what others rely on.
            raise ResetRefused(
                f"Objects lie in the external store {self._store.store.url}, which a reset must not empty; an "
                "installation with one cannot be reset."
            )
        asked = replace(request, path="/_clary/reset")
        self._invocations.forget()
        self._captures.forget()
        response = await self._control.send(asked, "clary", region, principal, "reset")
        await self._store.clear()
        self.refresh()
        return response

    async def _objects(self, request: Request, receive: Receive, call: Call) -> Response:
        """Which store is used, and whether it answers; ``problem`` is empty where it does."""
        call.of("clary", "DescribeObjects", self._settings.region)
        principal, _ = await self._signed(request, receive, call)
        self._identities.authorize(principal, "clary:DescribeObjects", "*", {})
        if isinstance(self._store, ObjectStore):
            return _json(200, {"store": "own", "place": str(self._settings.objects), "problem": ""})
        store = self._store.store
        return _json(200, {"store": "external", "place": store.url, "problem": await store.problem()})

    async def _data_events(self, request: Request, receive: Receive, call: Call) -> Response:
        """Calls that moved data: as ``LookupEvents``, which AWS has for other calls only, in its JSON."""
        call.of("cloudtrail", "LookupEvents", self._settings.region)
        principal, region = await self._signed(request, receive, call)
        self._identities.authorize(principal, "cloudtrail:LookupEvents", "*", {})
        members = load_json(request.body)
        asked = (self._settings, principal.account, region, clock.now(), members or {})
        return _json(200, await asyncio.get_running_loop().run_in_executor(None, data_events, *asked))

    async def _role_manager(self, request: Request, receive: Receive, call: Call) -> Response:
        """What roles may be made of, or the documents of one; making it is for IAM, with its own authorisation."""
        call.of("clary", "DescribeRoleManager", self._settings.region)
        principal, region = await self._signed(request, receive, call)
        if request.method == "GET":
            return _json(200, role_manager.described())
        return _json(200, role_manager.documents_of(request.body, principal.account, region))

    def refresh(self) -> None:
        """Take notice of what changed in the database."""
        self._identities.refresh()
        self._keys.refresh()
        if self._routes.refresh():
            self._pool.forget(self._routes.addresses() | self._control.addresses)

    async def keep_fresh(self) -> None:
        """Take notice of changes as they come, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(None, self._identities.refresh)
                await loop.run_in_executor(None, self._keys.refresh)
                if await loop.run_in_executor(None, self._routes.refresh):
                    # Connections belong to the loop's thread.
                    self._pool.forget(self._routes.addresses() | self._control.addresses)
            except Exception:
                # What is known goes on being served; were this the end, no change would be seen any more.
                log.exception("changes cannot be read")
                await asyncio.sleep(FAULT_SECONDS)
            await asyncio.sleep(REFRESH_SECONDS)


def _json(status: int, content: dict[str, Any]) -> Response:
    return Response(status, {"content-type": "application/json"}, orjson.dumps(content))
