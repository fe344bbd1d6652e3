"""Presigned URLs of signature version 2, as botocore makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.core.errors import AccessDenied, SignatureDoesNotMatch
from clary.wire.http import Request
from clary.wire.sigv2 import parse_query, verify_query

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ToWire = Callable[..., Request]


def presigned(to_wire: ToWire, url: str, method: str = "GET", token: str | None = None, **headers: str) -> Request:
    request = AWSRequest(method, url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    HmacV1QueryAuth(Credentials(KEY, SECRET, token), expires=600).add_auth(request)
    return to_wire(AWSRequest(method, request.url).prepare())


def check(request: Request, secret: str = SECRET, **more: Any) -> str | None:
    claimed = parse_query(request)
    assert claimed is not None
    assert claimed.access_key == KEY
    verify_query(request, claimed, secret, int(claimed.expires) - 300, **more)
    return claimed.token


@pytest.mark.parametrize(
    "path",
    [
        "/bucket/key",
        "/bucket/a%20b/%C3%A9+",
        "/bucket/key?versionId=3&partNumber=2&prefix=unsigned",
        "/bucket/key?response-content-disposition=" + quote('attachment; filename="a b"'),
        "/bucket?uploads",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_botocore_signs_is_accepted(to_wire: ToWire, path: str, method: str) -> None:
    check(presigned(to_wire, f"http://localhost:7788{path}", method))


def test_headers_and_the_token_are_part_of_the_signature(to_wire: ToWire) -> None:
    request = presigned(to_wire, "http://localhost:7788/b/k", "PUT", token="a/token+", x_amz_meta_a="1")
    assert check(request) == "a/token+"
    request.query = request.query.replace("x-amz-meta-a=1", "x-amz-meta-a=2")
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


@pytest.mark.parametrize("change", ["method", "path", "secret", "expires"])
def test_anything_else_is_refused(to_wire: ToWire, change: str) -> None:
    request = presigned(to_wire, "http://localhost:7788/b/k")
    secret = SECRET
    if change == "method":
        request.method = "DELETE"
    elif change == "path":
        request.path = "/b/other"
    elif change == "secret":
        secret = "another"
    else:
        request.query = request.query.replace("Expires=1", "Expires=9")
    with pytest.raises(SignatureDoesNotMatch):
        check(request, secret)


def test_the_bucket_in_the_host_name_counts(to_wire: ToWire) -> None:
    request = presigned(to_wire, "http://localhost:7788/bucket/key")
    request.path = "/key"
    check(request, virtual_bucket="bucket")


def test_half_a_signature_and_an_old_one_are_refused(to_wire: ToWire) -> None:
    request = presigned(to_wire, "http://localhost:7788/b/k")
    claimed = parse_query(request)
    assert claimed is not None
    with pytest.raises(AccessDenied, match="Request has expired"):
        verify_query(request, claimed, SECRET, int(claimed.expires) + 1)
    with pytest.raises(AccessDenied, match="Invalid date"):
        verify_query(request, claimed._replace(expires="soon"), SECRET, 0)
    request.query = f"AWSAccessKeyId={KEY}"
    with pytest.raises(AccessDenied, match="requires the Signature"):
        parse_query(request)
    request.query = "prefix=a"
    assert parse_query(request) is None
