"""Where a tracking server and its pages are."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.core.settings import Settings
from clary.services.sagemaker.mlflow.addresses import api_url, pages_url, server_of

LOCAL: dict[str, str] = {}
PUBLIC = {"public_url": "https://ml.example.com:8443/clary", "content_host": "content.example.com"}


def settings(values: dict[str, str]) -> Settings:
    return Settings(Path("/home"), Path("/cache"), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "api", "pages"),
    [
        (LOCAL, "http://127.0.0.1:7788/_clary/mlflow/t-1", "http://t-1.localhost:7788"),
        (PUBLIC, "https://ml.example.com:8443/clary/_clary/mlflow/t-1", "https://t-1.content.example.com:8443"),
        ({"host": "10.0.0.5"}, "http://10.0.0.5:7788/_clary/mlflow/t-1", ""),
    ],
)
def test_addresses_are_those_that_clients_reach(values: dict[str, str], api: str, pages: str) -> None:
    assert api_url(settings(values), "t-1") == api
    assert pages_url(settings(values), "t-1") == pages


def test_pages_are_known_by_their_host() -> None:
    assert server_of(settings(LOCAL), "t-1.localhost:7788") == "t-1"
    assert server_of(settings(PUBLIC), "t-1.Content.example.com") == "t-1"
    for host in ("localhost", "t-1", "bucket.localhost", "t-1.content.example.com.evil", "t-1.a.localhost", ""):
        assert server_of(settings(LOCAL), host) == ""
    assert server_of(settings({"host": "10.0.0.5"}), "t-1.") == ""
