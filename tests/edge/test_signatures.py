"""A request that was signed and then changed, in whatever part, is refused by a running server."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.cli.installation import EXECUTION_ROLE
from clary.testing.server import Server

FORM = "application/x-www-form-urlencoded"
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


@dataclass
class Sent:
    """A request as it goes out."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    extra: list[tuple[str, str]] = field(default_factory=list)
    """Headers that go out beside those of the same name."""

    def to(self, server: Server) -> tuple[int, str]:
        """Status and body of the answer."""
        parts = urlsplit(server.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        target = self.path + (f"?{self.query}" if self.query else "")
        connection.putrequest(self.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in [*self.headers.items(), *self.extra]:
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(self.body)))
        connection.endheaders(self.body)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, text


@pytest.fixture
def keys(clary_aws: Server) -> Credentials:
    """The administrator's."""
    return clary_aws.session().get_credentials()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Makes botocore sign at another time."""

    def set_time(late: timedelta) -> None:
        monkeypatch.setattr(
            botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: _now(late, remove_tzinfo), raising=True
        )

    return set_time


def _now(late: timedelta, remove_tzinfo: bool) -> datetime:
    now = datetime.now(UTC) + late
    return now.replace(tzinfo=None) if remove_tzinfo else now


def signed(
    server: Server,
    keys: Any,
    service: str = "sts",
    method: str = "POST",
    path: str = "/",
    body: bytes = WHO,
    headers: Mapping[str, str] | None = None,
    region: str = "us-east-1",
    expires: int | None = None,
) -> Sent:
    """A request that is signed in its headers, or with ``expires`` in its query."""
    request = AWSRequest(method, server.url + path, {"content-type": FORM, **(headers or {})}, body)
    if expires is not None:
        query_signer = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
        query_signer(keys, service, region, expires).add_auth(request)
    else:
        (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, region).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    sent = {name.lower(): str(value) for name, value in prepared.headers.items() if name.lower() != "content-length"}
    return Sent(method, parts.path, parts.query, {**sent, "host": parts.netloc}, body)


def refused(answer: tuple[int, str], code: str, status: int = 403) -> None:
    assert code in answer[1], answer
    assert answer[0] == status, answer


def test_unchanged_it_is_taken(clary_aws: Server, keys: Any) -> None:
    assert signed(clary_aws, keys).to(clary_aws)[0] == 200


CHANGES: dict[str, Callable[[Sent], Any]] = {
    "body": lambda sent: setattr(sent, "body", sent.body.replace(b"Identity", b"identity")),
    "longer body": lambda sent: setattr(sent, "body", sent.body + b"&a=b"),
    "no body": lambda sent: setattr(sent, "body", b""),
    "path": lambda sent: setattr(sent, "path", "/other"),
    "query": lambda sent: setattr(sent, "query", "a=b"),
    "method": lambda sent: setattr(sent, "method", "PUT"),
    "host": lambda sent: sent.headers.update(host="localhost"),
    "port": lambda sent: sent.headers.update(host=sent.headers["host"] + "1"),
    "content type": lambda sent: sent.headers.update({"content-type": FORM + "; charset=utf-8"}),
    "no content type": lambda sent: sent.headers.pop("content-type"),
    "second content type": lambda sent: sent.extra.append(("content-type", FORM)),
    "signed header": lambda sent: sent.headers.update({"x-amz-meta": "other"}),
    "second signed header": lambda sent: sent.extra.append(("x-amz-meta", "value")),
    "date": lambda sent: sent.headers.update({"x-amz-date": sent.headers["x-amz-date"][:-3] + "61Z"}),
    "second date": lambda sent: sent.extra.append(("x-amz-date", sent.headers["x-amz-date"])),
    "signature": lambda sent: _replace(sent, "Signature=", "Signature=0"),
    "no signature": lambda sent: _replace(sent, "Signature=", "Sig="),
    "signed headers": lambda sent: _replace(sent, ";x-amz-date", ""),
    "no host signed": lambda sent: _replace(sent, "host;", ""),
    "region": lambda sent: _replace(sent, "/us-east-1/", "/us-west-2/"),
    "service": lambda sent: _replace(sent, "/sts/", "/iam/"),
    "day": lambda sent: _replace(sent, "/20", "/19"),
    "terminator": lambda sent: _replace(sent, "aws4_request", "aws5_request"),
    "key": lambda sent: _replace(sent, "Credential=A", "Credential=B"),
    "algorithm": lambda sent: _replace(sent, "SHA256 ", "SHA1 "),
    "second authorization": lambda sent: sent.extra.append(("authorization", sent.headers["authorization"])),
    "made-up token": lambda sent: sent.headers.update({"x-amz-security-token": "token"}),
}


def _replace(sent: Sent, old: str, new: str) -> None:
    text = sent.headers["authorization"]
    assert old in text
    sent.headers["authorization"] = text.replace(old, new, 1)


@pytest.mark.parametrize("name", list(CHANGES))
def test_changed_it_is_refused(clary_aws: Server, keys: Any, name: str) -> None:
    sent = signed(clary_aws, keys, headers={"x-amz-meta": "value"})
    CHANGES[name](sent)
    status, text = sent.to(clary_aws)
    assert status in (400, 403), text
    assert "<Arn>" not in text
    assert "InternalFailure" not in text


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24, 60 * 24])
@pytest.mark.parametrize("service", ["sts", "s3"])
def test_another_time_is_refused(
    clary_aws: Server, keys: Any, at: Callable[[timedelta], None], minutes: int, service: str
) -> None:
    at(timedelta(minutes=minutes))
    answer = signed(clary_aws, keys, service, "POST" if service == "sts" else "GET").to(clary_aws)
    refused(answer, "SignatureDoesNotMatch" if service == "sts" else "RequestTimeTooSkewed")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_may_be_a_little_wrong(
    clary_aws: Server, keys: Any, at: Callable[[timedelta], None], minutes: int
) -> None:
    at(timedelta(minutes=minutes))
    assert signed(clary_aws, keys).to(clary_aws)[0] == 200


def test_presigned_urls_are_for_one_method_one_address_and_their_time(
    clary_aws: Server, keys: Any, at: Callable[[timedelta], None]
) -> None:
    s3 = clary_aws.client("s3")
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="key", Body=b"data")

    def presigned(expires: int = 60) -> Sent:
        sent = signed(clary_aws, keys, "s3", "GET", "/signed/key", b"", expires=expires)
        sent.headers.pop("content-type")
        return sent

    url = presigned()
    url.headers["content-type"] = FORM
    assert url.to(clary_aws) == (200, "data")
    for method in ("PUT", "DELETE", "HEAD", "POST"):
        url.method = method
        assert url.to(clary_aws)[0] == 403
    assert s3.get_object(Bucket="signed", Key="key")["Body"].read() == b"data"
    url.method, url.path = "GET", "/signed/other"
    refused(url.to(clary_aws), "SignatureDoesNotMatch")
    url.path, query = "/signed/key", url.query
    for old, new in (
        ("X-Amz-Expires=60", "X-Amz-Expires=61"),
        ("X-Amz-Expires=60", "X-Amz-Expires=604801"),
        ("X-Amz-Expires=60", "X-Amz-Expires=-1"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Signature=", "acl&X-Amz-Signature="),
        ("us-east-1", "us-west-1"),
    ):
        assert old in query
        url.query = query.replace(old, new)
        assert url.to(clary_aws)[0] in (400, 403)
    at(timedelta(seconds=-61))
    late = presigned()
    late.headers["content-type"] = FORM
    refused(late.to(clary_aws), "Request has expired")
    at(timedelta(minutes=16))
    early = presigned()
    early.headers["content-type"] = FORM
    assert early.to(clary_aws)[0] == 403


def test_a_signature_in_both_places_is_not_taken_twice(clary_aws: Server, keys: Any) -> None:
    s3 = clary_aws.client("s3")
    s3.create_bucket(Bucket="both")
    presigned = signed(clary_aws, keys, "s3", "GET", "/both", b"", expires=60)
    header = signed(clary_aws, keys, "s3", "GET", "/both", b"")
    presigned.headers |= header.headers
    assert presigned.to(clary_aws)[0] in (400, 403)


def test_temporary_credentials_need_their_own_token(clary_aws: Server) -> None:
    first = clary_aws.session(EXECUTION_ROLE).get_credentials()
    second = clary_aws.session(EXECUTION_ROLE).get_credentials()
    assert signed(clary_aws, first).to(clary_aws)[0] == 200
    for token in (second.token, "", first.token[:-1], first.token + "a", "a" * 3000):
        mixed = Credentials(first.access_key, first.secret_key, token)
        status, text = signed(clary_aws, mixed).to(clary_aws)
        assert status == 403, text
        assert "<Arn>" not in text
    none = Credentials(first.access_key, first.secret_key)
    assert signed(clary_aws, none).to(clary_aws)[0] == 403


@pytest.mark.parametrize("name", ["x-amz-acl", "x-amz-meta-a", "x-amz-copy-source", "x-amz-security-token"])
def test_headers_of_s3_that_are_not_signed_are_refused(clary_aws: Server, keys: Any, name: str) -> None:
    sent = signed(clary_aws, keys, "s3", "GET", "/", b"")
    sent.headers[name] = "value"
    assert sent.to(clary_aws)[0] in (400, 403)


def test_a_body_of_s3_that_was_changed_is_not_kept(clary_aws: Server, keys: Any) -> None:
    s3 = clary_aws.client("s3")
    s3.create_bucket(Bucket="changed")
    sent = signed(clary_aws, keys, "s3", "PUT", "/changed/key", b"data")
    sent.body = b"date"
    refused(sent.to(clary_aws), "XAmzContentSHA256Mismatch", 400)
    assert s3.list_objects_v2(Bucket="changed")["KeyCount"] == 0
