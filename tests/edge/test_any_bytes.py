"""Whatever arrives at the edge is answered with a 4xx and never with a 5xx or silence."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.testing.server import Server

CREDENTIAL = (
    "AWS4-HMAC-SHA256 Credential={key}/20261120/us-east-1/{service}/aws4_request, SignedHeaders=host, "
    "Signature={signature}"
)

words = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
services = st.sampled_from(["s3", "sagemaker", "sts", "iam", "logs", "monitoring", "nope", ""])
targets = st.sampled_from(["SageMaker.CreateModel", "SageMaker.Nope", "Logs_20140328.GetLogEvents", "x", "", "..."])
paths = st.one_of(
    words.map(lambda word: "/" + word),
    st.sampled_from(
        ["/", "/endpoints/e/invocations", "/bucket/key?uploads", "/bucket?list-type=2", "/%ff%00", "/_clary/reset", "*"]
    ),
)
headers = st.lists(
    st.one_of(
        st.tuples(st.just("X-Amz-Target"), targets),
        st.tuples(
            st.just("Content-Type"),
            st.sampled_from(["application/x-amz-json-1.1", "text/csv", "application/x-www-form-urlencoded"]),
        ),
        st.builds(
            lambda key, service, signature: (
                "Authorization",
                CREDENTIAL.format(key=key, service=service, signature=signature),
            ),
            st.sampled_from(["AKIAIOSFODNN7EXAMPLE", "", "x/y"]),
            services,
            st.sampled_from(["0" * 64, "", "zz"]),
        ),
        st.tuples(st.just("Authorization"), words),
        st.tuples(st.just("X-Amz-Date"), st.sampled_from(["20261120T000000Z", "yesterday", ""])),
        st.tuples(
            st.just("X-Amz-Content-Sha256"),
            st.sampled_from(["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0"]),
        ),
    ),
    max_size=5,
)
requests = st.builds(
    lambda method, path, fields, body: (
        (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in fields)
            + "\r\n"
        ).encode("latin-1")
        + body
    ),
    st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH", "X"]),
    paths,
    headers,
    st.binary(max_size=200),
)


def exchange(server: Server, data: bytes, *, then_silence: bool = False) -> bytes:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        if then_silence:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=requests)
def test_requests_of_every_shape_get_a_4xx(clary_server: Any, data: bytes) -> None:
    answer = exchange(clary_server, data)
    # S3 documents 501 for what it knows and does not do, a browser's upload form for instance.
    refused = answer.startswith(b"HTTP/1.1 4") or b"<Code>NotImplemented</Code>" in answer
    # Without a body, HEAD can only show the status.
    refused = refused or (data.startswith(b"HEAD") and answer.startswith(b"HTTP/1.1 501"))
    assert refused, (data, answer[:300])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=300))
def test_bytes_that_are_not_http_get_a_4xx_or_a_closed_connection(clary_server: Any, data: bytes) -> None:
    answer = exchange(clary_server, data, then_silence=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), (data, answer[:300])


@pytest.mark.parametrize("path", ["/_clary/health", "/_clary/nothing", "/_clary/credentials"])
def test_clarys_own_pages_answer_in_json(clary_server: Server, path: str) -> None:
    answer = exchange(clary_server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert b"content-type: application/json" in answer
