"""A server around S3App and boto3 clients of it."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
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
