"""Host headers: ours are answered, others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.core.errors import AccessDenied
from clary.core.settings import Settings
from clary.edge.hosts import HostCheck


def check(host: str, **settings: str) -> None:
    HostCheck(Settings(home=Path("/home"), cache=Path("/cache"), **settings)).check(host)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:7788",
        "LOCALHOST",
        "localhost.",
        "Localhost.:7788",
        "127.0.0.1:7788",
        "[::1]:7788",
        "bucket.localhost:7788",
        "a.b.localhost",
    ],
)
def test_loopback_names_are_ours(host: str) -> None:
    check(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:7788",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "x.127.0.0.1",
        "[::2]",
        "[",
        "\xff",
        "localhost,evil.example",
        "evil.example,x.localhost",
        "evil.example@localhost",
        "evil.example/.localhost",
        "localhost:port",
        "localhost:7788:7788",
        "evil example.localhost",
        "[::1",
        "[::1]evil.example",
    ],
)
def test_others_are_refused(host: str) -> None:
    with pytest.raises(AccessDenied, match="not served here"):
        check(host)


def test_names_from_the_settings_are_ours() -> None:
    check("clary.lan:7788", hosts="clary.lan, other.lan")
    check("bucket.other.lan", hosts="clary.lan, other.lan")
