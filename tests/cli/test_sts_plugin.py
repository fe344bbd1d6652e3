"""Only requests to AWS STS are sent elsewhere."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clary.cli import sts_plugin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://sts.us-west-2.amazonaws.com", "http://127.0.0.1:7788/"),
        ("https://sts.amazonaws.com/", "http://127.0.0.1:7788/"),
        ("https://sts.cn-north-1.amazonaws.com.cn/?a=b", "http://127.0.0.1:7788/?a=b"),
        ("https://sts-fips.us-east-1.amazonaws.com/", "http://127.0.0.1:7788/"),
        ("https://sts.us-east-1.api.aws/", "http://127.0.0.1:7788/"),
        ("http://127.0.0.1:9999/", "http://127.0.0.1:9999/"),
        ("https://sts.example.org/", "https://sts.example.org/"),
        ("https://sts.amazonaws.com.example.org/", "https://sts.amazonaws.com.example.org/"),
        ("https://s3.us-east-1.amazonaws.com/", "https://s3.us-east-1.amazonaws.com/"),
    ],
)
def test_redirect(url: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:7788/")
    request = SimpleNamespace(url=url)
    sts_plugin.redirect(request)
    assert request.url == expected


def test_without_an_address_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    request = SimpleNamespace(url="https://sts.us-west-2.amazonaws.com")
    sts_plugin.redirect(request)
    assert request.url == "https://sts.us-west-2.amazonaws.com"
