"""Signatures that botocore makes are accepted, and nothing that differs from them is."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore import auth as botocore_auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.core.errors import AccessDenied, IncompleteSignature, ServiceError, SignatureDoesNotMatch
from clary.wire.errors import (
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    ContentHashMismatch,
    InvalidRequest,
    RequestTimeTooSkewed,
)
from clary.wire.http import Request
from clary.wire.sigv4 import parse_authorization, policy_signature, signing_key, verify

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = "AKIAIOSFODNN7EXAMPLE"
ToWire = Callable[..., Request]


def sign(
    to_wire: ToWire,
    signer: Any,
    service: str,
    method: str,
    url: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    token: str | None = None,
    **options: Any,
) -> Request:
    """A request signed by one of botocore's signers."""
    request = AWSRequest(method, url, headers=headers or {}, data=body)
    signer(Credentials(KEY, SECRET, token), service, "us-east-1", **options).add_auth(request)
    return to_wire(request.prepare())


def check(request: Request, now: float | None = None, secret: str = SECRET, **options: Any) -> Any:
    authorization = parse_authorization(request)
    assert authorization is not None
    assert (authorization.access_key, authorization.region) == (KEY, "us-east-1")
    return verify(request, authorization, secret, time.time() if now is None else now, **options)


def time_of(request: Request) -> float:
    authorization = parse_authorization(request)
    assert authorization is not None
    return calendar.timegm(time.strptime(authorization.timestamp, "%Y%m%dT%H%M%SZ"))


PLAIN = [
    (
        "sagemaker",
        "POST",
        "http://localhost:7788/",
        b'{"a": 1}',
        {"X-Amz-Target": "SageMaker.X", "Content-Type": "a/b;  c=d"},
    ),
    ("sagemaker", "POST", "http://localhost:7788/endpoints/my%20e/../x//y/./invocations?b=2&a=1&a=0", b"1,2", {}),
    ("iam", "GET", "http://localhost:7788/?Version=1&Action=ListUsers&A=&B", b"", {}),
    ("lambda", "DELETE", "http://[::1]:7788/2015-03-31/functions/arn%3Aaws%3A%7Ex~/", b"", {"X-Amz-Meta": "  a   b  "}),
]
S3 = [
    ("s3", "PUT", "http://localhost:7788/bucket/a%20b//../%C3%A9~%2F+/", b"data" * 100, {"x-amz-meta-a": "b"}),
    ("s3", "GET", "http://bucket.localhost:7788/?prefix=a%2Fb&list-type=2&delimiter=", b"", {}),
    ("s3", "HEAD", "http://localhost/bucket", b"", {}),
]


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case[2][21:40])
@pytest.mark.parametrize("token", [None, "token/+="])
def test_signed_headers(case: Any, token: str | None, to_wire: ToWire) -> None:
    service, *parts = case
    request = sign(to_wire, botocore_auth.SigV4Auth, service, *parts, token=token)
    assert check(request).authorization.token == token


@pytest.mark.parametrize("case", S3, ids=lambda case: case[2][21:40])
def test_signed_headers_of_s3(case: Any, to_wire: ToWire) -> None:
    service, *parts = case
    request = sign(to_wire, botocore_auth.S3SigV4Auth, service, *parts, token="t")
    check(request)
    assert check(request, streaming=True).expected_sha256 == request.headers["x-amz-content-sha256"]


@pytest.mark.parametrize(
    ("case", "signer"),
    [(PLAIN[2], botocore_auth.SigV4QueryAuth), *((case, botocore_auth.S3SigV4QueryAuth) for case in S3)],
)
def test_presigned_requests(case: Any, signer: Any, to_wire: ToWire) -> None:
    service, method, url, _, headers = case
    request = sign(to_wire, signer, service, method, url, b"", headers, token="a/b+c=", expires=60)
    request.body = b"anything" if service == "s3" else b""
    signed = time_of(request)
    result = check(request, signed + 60)
    assert result.authorization.presigned
    assert result.authorization.token == "a/b+c="
    with pytest.raises(ServiceError) as caught:
        check(request, signed + 61)
    assert caught.value.status == 403
    assert type(caught.value) is (AccessDenied if service == "s3" else SignatureDoesNotMatch)


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_byte_is_refused(data: st.DataObject, to_wire: ToWire) -> None:
    service, *parts = data.draw(st.sampled_from(PLAIN + S3))
    is_s3 = service == "s3"
    presigned = is_s3 and data.draw(st.booleans())
    if presigned:
        request = sign(to_wire, botocore_auth.S3SigV4QueryAuth, service, parts[0], parts[1], b"", parts[3])
    else:
        request = sign(to_wire, botocore_auth.S3SigV4Auth if is_s3 else botocore_auth.SigV4Auth, service, *parts)
    now = time_of(request)
    check(request, now)
    authorization = parse_authorization(request)
    assert authorization is not None
    names = [name for name in authorization.signed_headers if not presigned or name in request.headers]
    where = data.draw(
        st.sampled_from(
            ["method", "path", "query", "header", "signature", *(["body"] if request.body and not presigned else [])]
        )
    )
    if where == "method":
        changed = replace(request, method="PATCH")
    elif where == "path":
        changed = replace(request, path=request.path + "x")
    elif where == "query":
        changed = replace(request, query=request.query + "&x=1")
    elif where == "body":
        position = data.draw(st.integers(0, len(request.body) - 1))
        body = bytearray(request.body)
        body[position] ^= data.draw(st.integers(1, 255))
        changed = replace(request, body=bytes(body))
    elif where == "signature":
        old = authorization.signature
        new = ("0" if old[0] != "0" else "1") + old[1:]
        changed = replace(
            request,
            query=request.query.replace(old, new),
            headers={name: value.replace(old, new) for name, value in request.headers.items()},
        )
    else:
        name = data.draw(st.sampled_from(names))
        changed = replace(request, headers={**request.headers, name: request.headers[name] + "x"})
    with pytest.raises(ServiceError) as caught:
        check(changed, now)
    assert caught.value.status in (400, 403)


def test_another_secret_is_refused(to_wire: ToWire) -> None:
    request = sign(to_wire, botocore_auth.SigV4Auth, *PLAIN[0])
    with pytest.raises(SignatureDoesNotMatch, match="The request signature we calculated does not match"):
        check(request, secret=SECRET + "x")


def test_the_clock_may_be_wrong_by_a_quarter_of_an_hour(to_wire: ToWire) -> None:
    request = sign(to_wire, botocore_auth.SigV4Auth, *PLAIN[0])
    signed = time_of(request)
    for now in (signed - 900, signed + 900):
        check(request, now)
    with pytest.raises(
        SignatureDoesNotMatch, match=r"Signature expired: \d{8}T\d{6}Z is now earlier than .* - 15 min\.\)"
    ):
        check(request, signed + 901)
    with pytest.raises(
        SignatureDoesNotMatch, match=r"Signature not yet current: .* is still later than .* \+ 15 min\.\)"
    ):
        check(request, signed - 901)
    request = sign(to_wire, botocore_auth.S3SigV4Auth, *S3[0])
    with pytest.raises(RequestTimeTooSkewed):
        check(request, signed + 2000)


def test_other_spellings_of_the_same_path_and_query(to_wire: ToWire) -> None:
    """Some clients sign what they should have sent: encoded as AWS encodes."""
    request = sign(
        to_wire, botocore_auth.S3SigV4Auth, "s3", "GET", "http://localhost:7788/bucket/a%20%28b%29?prefix=%28%29"
    )
    check(replace(request, path="/bucket/a%20(b)", query="prefix=()"))
    with pytest.raises(SignatureDoesNotMatch):
        check(replace(request, path="/bucket%2Fa%20(b)"))


def test_a_body_of_s3_must_have_the_promised_hash(to_wire: ToWire) -> None:
    request = sign(to_wire, botocore_auth.S3SigV4Auth, *S3[0])
    with pytest.raises(ContentHashMismatch):
        check(replace(request, body=b"other"))
    with pytest.raises(InvalidRequest, match="Missing required header"):
        check(
            replace(
                request,
                headers={name: value for name, value in request.headers.items() if name != "x-amz-content-sha256"},
            )
        )
    for value in ("", "STREAMING-NONSENSE", "E3B0"):
        with pytest.raises(InvalidRequest):
            check(replace(request, headers={**request.headers, "x-amz-content-sha256": value}))


def test_only_s3_may_leave_its_body_unsigned(to_wire: ToWire) -> None:
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    request = sign(to_wire, botocore_auth.SigV4Auth, "sagemaker", "POST", "http://localhost/x", b"a", headers)
    with pytest.raises(SignatureDoesNotMatch):
        check(request)
    check(request, unsigned_payload=True)


def test_the_host_and_amz_headers_must_be_signed(to_wire: ToWire) -> None:
    request = sign(to_wire, botocore_auth.S3SigV4Auth, *S3[0])
    with pytest.raises(AccessDenied) as caught:
        check(replace(request, headers={**request.headers, "x-amz-acl": "public-read"}))
    assert caught.value.members == {"HeadersNotSigned": "x-amz-acl"}
    request = sign(to_wire, botocore_auth.SigV4Auth, *PLAIN[0])
    header = request.headers["authorization"].replace("host;", "")
    with pytest.raises(SignatureDoesNotMatch, match="'Host' or ':authority' must be a 'SignedHeader'"):
        check(replace(request, headers={**request.headers, "authorization": header}))


def header(text: str, date: str | None = "20261120T100000Z") -> Request:
    return Request(
        "POST", "/", headers={"authorization": text, **({"x-amz-date": date} if date else {})}, host="localhost"
    )


SCOPE = f"Credential={KEY}/20261120/us-east-1/sagemaker/aws4_request"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            header(""),
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' ",
        ),
        (
            header("Basic abc", None),
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ),
        (header("AWS4-HMAC-SHA256"), "Authorization header requires 'Credential' parameter."),
        (header(f"AWS4-HMAC-SHA256 {SCOPE}, Signature=a"), "Authorization header requires 'SignedHeaders' parameter."),
        (
            header(f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host"),
            "Authorization header requires 'Signature' parameter.",
        ),
        (
            header(f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature="),
            "Authorization header requires 'Signature' parameter.",
        ),
        (
            header("AWS4-HMAC-SHA256 what, Signature=a"),
            "'what' not a valid key=value pair (missing equal-sign) in Authorization header",
        ),
        (
            header("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=a"),
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            header(f"AWS4-HMAC-SHA256 {SCOPE[:-1]}, SignedHeaders=host, Signature=a"),
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4_reques'.",
        ),
        (
            header(f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature=a", None),
            "existence of either a 'X-Amz-Date' or a 'Date' header",
        ),
        (
            header(f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature=a", "noon"),
            "existence of either a 'X-Amz-Date'",
        ),
    ],
)
def test_incomplete_signatures_are_explained(request_: Request, message: str) -> None:
    with pytest.raises(IncompleteSignature) as caught:
        parse_authorization(request_)
    assert message in caught.value.message


def test_the_header_itself_is_not_repeated() -> None:
    with pytest.raises(IncompleteSignature) as caught:
        parse_authorization(header(f"Basic {SECRET}"))
    assert SECRET not in caught.value.message


def test_malformed_signatures_of_s3_have_its_codes() -> None:
    text = f"AWS4-HMAC-SHA256 Credential={KEY}/20261120/us-east-1/s3/aws5, SignedHeaders=host, Signature=a"
    with pytest.raises(AuthorizationHeaderMalformed):
        parse_authorization(header(text))
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F20261120%2Fus-east-1%2Fs3%2Faws4_request"
    query += "&X-Amz-Date=20261120T100000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
    for extra in ("", "&X-Amz-Expires=604801", "&X-Amz-Expires=-1", "&X-Amz-Expires=x"):
        with pytest.raises(AuthorizationQueryParametersError):
            parse_authorization(Request("GET", "/b/k", query + extra))
    assert parse_authorization(Request("GET", "/b/k", query + "&X-Amz-Expires=604800")) is not None


def test_date_and_scope_must_agree(to_wire: ToWire) -> None:
    request = header(f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature=a", "20261121T100000Z")
    authorization = parse_authorization(request)
    assert authorization is not None
    with pytest.raises(SignatureDoesNotMatch, match="'20261120' != '20261121', from '20261121T100000Z'"):
        verify(request, authorization, SECRET, 0)
    request = header(
        f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature=a".replace("20261120", "20269999"), "20269999T100000Z"
    )
    authorization = parse_authorization(request)
    assert authorization is not None
    with pytest.raises(IncompleteSignature):
        verify(request, authorization, SECRET, 0)


def test_a_date_header_will_do(to_wire: ToWire) -> None:
    request = sign(to_wire, botocore_auth.SigV4Auth, *PLAIN[0][:4], headers={"Date": "x"})
    assert "x-amz-date" not in request.headers
    check(request)


def test_an_access_key_may_contain_slashes() -> None:
    text = "AWS4-HMAC-SHA256 Credential=a/b/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=a"
    authorization = parse_authorization(header(text))
    assert authorization is not None
    assert authorization.access_key == "a/b"


def test_anonymous_requests_have_none() -> None:
    assert parse_authorization(Request("GET", "/")) is None


def test_browser_uploads(to_wire: ToWire) -> None:
    request = AWSRequest("POST", "http://localhost/bucket")
    request.context["s3-presign-post-fields"] = {}
    request.context["s3-presign-post-policy"] = {"conditions": []}
    botocore_auth.S3SigV4PostAuth(Credentials(KEY, SECRET), "s3", "us-east-1").add_auth(request)
    fields = request.context["s3-presign-post-fields"]
    assert policy_signature(SECRET, fields["x-amz-credential"], fields["policy"]) == fields["x-amz-signature"]


def test_signing_key_of_the_documentation() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html"""
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


_NOISE = st.text(max_size=30)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [SCOPE, "SignedHeaders=host", "Signature=a", "Signature=é", "Credential=", "x", "=", "SignedHeaders="]
        )
        | _NOISE
    ),
    st.dictionaries(
        st.sampled_from(["x-amz-date", "date", "x-amz-content-sha256"]),
        st.sampled_from(["20261120T100000Z", ""]) | _NOISE,
    ),
    st.lists(
        st.sampled_from(
            ["X-Amz-Signature=é", "X-Amz-Date=20261120T100000Z", "X-Amz-Expires=5", "X-Amz-SignedHeaders=host"]
        )
        | st.sampled_from(["X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=a/20261120/r/s3/aws4_request"])
        | _NOISE
    ),
    st.booleans(),
    _NOISE,
)
def test_any_signature_is_refused_in_an_orderly_way(
    parts: list[str], headers: dict[str, str], query: list[str], presigned: bool, path: str
) -> None:
    if not presigned:
        headers["authorization"] = "AWS4-HMAC-SHA256 " + ", ".join(parts)
    request = Request("GET", path, "&".join(query) if presigned else "", headers, host=path)
    try:
        authorization = parse_authorization(request)
        if authorization is not None:
            verify(request, authorization, SECRET, 1795168800)
            raise AssertionError("nobody signed this")
    except ServiceError as error:
        assert error.status in (400, 403)
