"""An installation of its own for every test, with boto3 clients whose requests go straight to the handlers."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import pytest
from botocore.awsrequest import AWSResponse

from clary.control.authorization import authorized
from clary.core.errors import ServiceError
from clary.core.ids import request_id
from clary.core.settings import Settings, load
from clary.resources.context import Context, Platform, ServiceApp
from clary.services.iam.api import Identities, Principal
from clary.services.iam.service import SERVICE as IAM
from clary.services.kms.service import SERVICE as KMS
from clary.services.logs.service import SERVICE as LOGS
from clary.services.organizations.service import SERVICE as ORGANIZATIONS
from clary.services.sts.service import SERVICE as STS
from clary.state.database import Database
from clary.wire import catalog
from clary.wire.failures import serialize_error
from clary.wire.http import Request
from clary.wire.parse import parse
from clary.wire.serialize import serialize
from clary.wire.validate import validate

ACCOUNT = "123456789012"
SERVICES: dict[str, ServiceApp] = {app.name: app for app in (IAM, KMS, STS, LOGS, ORGANIZATIONS)}


class _Body(io.BytesIO):
    def stream(self, amount: int = 65536, decode_content: bool | None = None) -> Any:
        while block := self.read(amount):
            yield block


class Installation:
    """Identities over a database of their own, and clients that act as any principal."""

    def __init__(self, home: Path, **overrides: Any) -> None:
        self.settings: Settings = load(home, environ={}, **overrides)
        self.settings.create_folders()
        self.database = Database(self.settings.database_url)
        self.database.prepare()
        self.now = time.time()
        self.identities = Identities(self.database, self.settings, self.clock)
        self.identities.bootstrap()

    def clock(self) -> float:
        return self.now

    @property
    def platform(self) -> Platform:
        nothing: Any = None
        return Platform(
            settings=self.settings,
            database=self.database,
            identity=self.identities,
            placement=nothing,
            images=nothing,
            programs=nothing,
            functions=nothing,
            wake=lambda row: None,
            clock=self.clock,
        )

    @property
    def administrator(self) -> Principal:
        with self.database.read() as transaction:
            from clary.services.iam.entities import access_keys

            key = access_keys(transaction, ACCOUNT, "administrator")[0].name
        return self.identities.resolve(key).principal

    def context(self, caller: Principal | None = None, region: str = "us-east-1") -> Context:
        principal = caller or self.administrator
        return Context(principal, principal.account, region, request_id(), self.platform)

    def client(self, service: str, caller: Principal | None = None, region: str = "us-east-1") -> Any:
        """A boto3 client that signs, serializes and parses as ever; only the network is left out."""
        client = boto3.client(
            service,
            region_name=region,
            endpoint_url="http://127.0.0.1:7788",
            aws_access_key_id="AKIA",
            aws_secret_access_key="secret",
            config=botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
        app = SERVICES[service]

        def send(request: Any, **_: Any) -> AWSResponse:
            return self._answer(app, request, self.context(caller, region))

        client.meta.events.register("before-send", send)
        return client

    def _answer(self, app: ServiceApp, sent: Any, context: Context) -> AWSResponse:
        known = catalog.service(app.name)
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in sent.headers.items()
        }
        operation = None
        try:
            operation, params = parse(known, Request(sent.method, "/", "", headers, body, "127.0.0.1:7788"))
            validate(operation, params)
            context = authorized(self.identities, app, operation.name, context, params)
            answer = serialize(known, operation, app.operations[operation.name](context, params), context.request_id)
        except ServiceError as error:
            answer = serialize_error(known, error, context.request_id, operation)
        assert isinstance(answer.body, bytes)
        return AWSResponse(sent.url, answer.status, answer.headers, _Body(answer.body))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Any]:
    made = Installation(tmp_path / "home")
    yield made
    made.database.close()


@pytest.fixture(scope="session")
def make_installation() -> type[Installation]:
    """For modules whose tests share one."""
    return Installation


@pytest.fixture
def iam(installation: Any) -> Any:
    return installation.client("iam")


@pytest.fixture
def sts(installation: Any) -> Any:
    return installation.client("sts")


@pytest.fixture
def logs(installation: Any) -> Any:
    return installation.client("logs")


@pytest.fixture
def in_test_mode(tmp_path: Path) -> Iterator[Any]:
    made = Installation(tmp_path, test_mode=True)
    yield made
    made.database.close()
