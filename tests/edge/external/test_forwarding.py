"""What of a request goes on to the external store, and with which signature."""

from __future__ import annotations

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.core.external_keys import Keys
from clary.edge.external.forwarding import headers_of, parameters_of, take_headers
from clary.edge.external.signing import UNSIGNED, sign, target_of
from clary.services.s3 import routes
from clary.services.s3.errors import InvalidArgument
from clary.services.s3.http import S3Request
from clary.wire import sigv4
from clary.wire.http import Request


def test_the_store_gets_the_one_subresource_that_was_allowed() -> None:
    request = S3Request("GET", "/b/k", "versionId=3&tagging&acl&uploadId=1&append&response-expires=never&versionId=4")
    assert routes.operation(request, "b", "k") == "GetObjectAcl"
    assert parameters_of(request) == {"versionId": "3", "acl": "", "response-expires": "never"}
    request = S3Request("PUT", "/b/k", "partNumber=2&uploadId=1&AWSAccessKeyId=x&Signature=y&Expires=1")
    assert parameters_of(request) == {"partNumber": "2", "uploadId": "1"}


def test_headers_in_parameters_are_headers_and_cannot_end_a_line() -> None:
    request = S3Request("PUT", "/b/k", "X-Amz-Signature=s&X-Amz-Date=d&x-amz-meta-a=%C3%A9&x-amz-acl=public-read")
    take_headers(request)
    assert request.headers == {"x-amz-meta-a": "\xc3\xa9", "x-amz-acl": "public-read"}
    assert parameters_of(request) == {}
    with pytest.raises(InvalidArgument):
        take_headers(S3Request("PUT", "/b/k", "x-amz-meta-a=1%0D%0Ax-amz-acl:public-read"))


def test_headers_for_clary_end_here() -> None:
    request = S3Request(
        "PUT",
        "/b/k",
        headers={
            "authorization": "x",
            "content-encoding": "aws-chunked,gzip",
            "content-length": "9",
            "content-type": "text/plain",
            "host": "clary",
            "if-match": "*",
            "origin": "https://example.com",
            "x-amz-acl": "private",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "7",
            "x-amz-meta-a": "1",
            "x-amz-security-token": "t",
            "x-amz-trailer": "x-amz-checksum-crc32",
            "x-clary-local-path": "1",
        },
    )
    assert headers_of(request) == {
        "content-encoding": "gzip",
        "content-type": "text/plain",
        "if-match": "*",
        "x-amz-meta-a": "1",
    }


@pytest.mark.parametrize("key", ["", "plain", "a b/ü+~'!*()/.././/x%41"])
def test_signatures_are_those_that_the_platform_itself_would_take(key: str) -> None:
    keys = Keys("AKIA", "secret", "token")
    path, query = target_of("bucket", key, {"prefix": "a/b +é", "list-type": "2", "acl": ""})
    headers = {"host": "store:9000", "content-type": "text/plain", "x-amz-meta-a": "\xc3\xa9  two"}
    signed = sign(keys, "eu-west-1", "PUT", path, query, headers, UNSIGNED, 1_760_000_000)
    request = Request("PUT", path, query, signed, host="store:9000")
    authorization = sigv4.parse_authorization(request)
    assert authorization is not None and authorization.token == "token"
    sigv4.verify(request, authorization, "secret", 1_760_000_000, streaming=True)


def test_signatures_are_botocores(monkeypatch: pytest.MonkeyPatch) -> None:
    path, query = target_of("bucket", "a b/ü", {"prefix": "a/b"})
    theirs = AWSRequest("GET", f"http://store:9000{path}?{query}", {"x-amz-meta-a": "1"})
    S3SigV4Auth(Credentials("AKIA", "secret"), "s3", "us-east-1").add_auth(theirs)
    stamp = theirs.context["timestamp"]
    monkeypatch.setattr("clary.edge.external.signing.time.strftime", lambda *_: stamp)
    payload = theirs.headers["X-Amz-Content-SHA256"]
    headers = {"host": "store:9000", "x-amz-meta-a": "1"}
    ours = sign(Keys("AKIA", "secret"), "us-east-1", "GET", path, query, headers, payload)
    assert ours["authorization"] == theirs.headers["Authorization"]
