"""A server around S3App and boto3 clients of it."""

from __future__ import annotations

import http.client
import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

_specification = importlib.util.spec_from_file_location("s3_asgi", Path(__file__).with_name("asgi.py"))
assert _specification is not None and _specification.loader is not None
asgi = importlib.util.module_from_spec(_specification)
sys.modules["s3_asgi"] = asgi
_specification.loader.exec_module(asgi)
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with asgi.running(tmp_path_factory.mktemp("objects")) as running:
        yield running


def make_client(url: str, **settings: Any) -> Any:
    """A boto3 client that retries nothing, so that errors are seen as they come."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=settings.pop("region", "us-east-1"),
        aws_access_key_id="AKIATEST",
        aws_secret_access_key="secret",
        config=botocore.config.Config(retries={"total_max_attempts": 1}, **settings),
    )


@pytest.fixture(scope="session")
def s3(server: Any) -> Any:
    return make_client(server.url)


@pytest.fixture(scope="session")
def client(server: Any) -> Callable[..., Any]:
    return lambda **settings: make_client(server.url, **settings)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"bucket-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def raw(server: Any) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """Sends a request as it is written here; status, headers by lower-case name, and body."""

    def send(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    return send


@pytest.fixture(scope="session")
def fails() -> Callable[..., Any]:
    """Runs a call that must fail with a code; the error's members."""

    def check(code: str, call: Callable[..., Any], status: int | None = None, **arguments: Any) -> dict[str, Any]:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error: dict[str, Any] = caught.value.response["Error"]
        assert error["Code"] == code, error
        if status is not None:
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        return error

    return check
