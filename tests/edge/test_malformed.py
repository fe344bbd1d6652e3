"""What is not HTTP is refused once and the connection closed: never a hang, never two answers to one request."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from clary.edge.bounded import LARGEST_HEAD, LARGEST_TARGET, MOST_HEADERS
from clary.testing.server import Server

HOST = b"host: localhost\r\n"


def said(server: Server, *pieces: bytes, closes: bool = True) -> bytes:
    """All that the server answers to these bytes, until it closes the connection."""
    parts = urlsplit(server.url)
    answer = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if not closes:
                connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65_536):
                answer += data
        except (ConnectionResetError, BrokenPipeError):
            # It was closed while there was more to read.
            pass
    return answer


def check_refused(answer: bytes, code: bytes = b"MalformedHttpRequestException") -> None:
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"\r\nconnection: close\r\n" in answer
    assert code in answer


MALFORMED = {
    "length and chunks": b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    "the same length twice": b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
    "a list of lengths": b"content-length: 3, 3\r\n\r\nabc",
    "a negative length": b"content-length: -1\r\n\r\n",
    "a signed length": b"content-length: +3\r\n\r\nabc",
    "a length in hexadecimal": b"content-length: 0x3\r\n\r\nabc",
    "an endless length": b"content-length: 99999999999999999999999\r\n\r\n",
    "chunked twice": b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "not chunked last": b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "space before the colon": b"content-length : 3\r\n\r\nabc",
    "a folded header": b"x-a: 1\r\n folded\r\n\r\n",
    "a bare line feed": b"x-a: 1\nx-b: 2\r\n\r\n",
    "a bare return": b"x-a: 1\rx-b: 2\r\n\r\n",
    "a zero byte": b"x-a: 1\x002\r\n\r\n",
    "a zero byte in a name": b"x-\x00a: 1\r\n\r\n",
    "a name with a space": b"x a: 1\r\n\r\n",
    "no colon": b"nothing\r\n\r\n",
    "no name": b": value\r\n\r\n",
    "two hosts": b"host: evil.example\r\n\r\n",
    "a chunk size that is none": b"transfer-encoding: chunked\r\n\r\nxyz\r\n\r\n",
    "a chunk size with a sign": b"transfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a huge chunk size": b"transfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
    "a chunk longer than it says": b"transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "a chunk with a bare line feed": b"transfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", list(MALFORMED))
def test_a_malformed_head_or_body_is_refused(clary_server: Server, name: str) -> None:
    # S3's path, whose handler reads the body while it comes.
    answer = said(clary_server, b"PUT /bucket/key HTTP/1.1\r\n" + HOST + MALFORMED[name])
    if name.startswith(("a chunk", "a huge")):
        # The request itself was refused before its body was looked at.
        assert answer.count(b"HTTP/1.1 ") == 1
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403 ")), answer
    else:
        check_refused(answer)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET\r\n",
        b"GET /\r\n",
        b"GET / HTTP/2.0\r\n",
        b"GET / HTTP/1.1 \r\n",
        b"GET / HTTP/0.9\r\n",
        b"get / HTTP/1.1\r\n",
        b"NOTHING / HTTP/1.1\r\n",
        b"GET nothing HTTP/1.1\r\n",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET /\x00 HTTP/1.1\r\n",
        b"GET * HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
    ],
    ids=range(16),
)
def test_a_malformed_request_line_is_refused(clary_server: Server, line: bytes) -> None:
    check_refused(said(clary_server, line + HOST + b"\r\n"))


def test_heads_have_limits(clary_server: Server) -> None:
    code = b"RequestHeaderSectionTooLarge"
    begin = b"GET / HTTP/1.1\r\n" + HOST
    check_refused(said(clary_server, b"GET /" + b"a" * LARGEST_TARGET + b" HTTP/1.1\r\n" + HOST + b"\r\n"), code)
    check_refused(said(clary_server, begin + b"x-a: " + b"a" * LARGEST_HEAD + b"\r\n\r\n"), code)
    check_refused(said(clary_server, begin + b"x-a: 1\r\n" * MOST_HEADERS + b"\r\n"), code)
    # Without an end: nothing of it is whole, and it is refused all the same.
    assert code in said(clary_server, *[b"GET /" + b"a" * 32_768] * 20)
    assert code in said(clary_server, begin + b"x-a: ", *[b"a" * 32_768] * 20)
    assert code in said(clary_server, begin + b"x-", *[b"a" * 32_768] * 20)
    fitting = begin + b"x-a: 1\r\n" * (MOST_HEADERS - 2) + b"connection: close\r\n\r\n"
    assert said(clary_server, fitting).startswith(b"HTTP/1.1 403 ")


def test_what_stands_between_chunks_has_a_limit(clary_server: Server) -> None:
    head = (
        b"POST /_clary/studio/sign-in HTTP/1.1\r\n" + HOST + b"x-clary-studio: 1\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    for beginning in (b"1;a=", b"0\r\nx-trailer: "):
        answer = said(clary_server, head + beginning, *[b"a" * 32_768] * 20)
        assert b"RequestHeaderSectionTooLarge" in answer
        assert answer.count(b"HTTP/1.1 ") == 1


def test_trailers_are_no_headers(clary_server: Server) -> None:
    head = (
        b"POST /_clary/studio/sign-in HTTP/1.1\r\n" + HOST + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    answer = said(clary_server, head + b"2\r\n{}\r\n0\r\nx-clary-studio: 1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 "), answer


def test_a_smuggled_request_is_not_answered(clary_server: Server) -> None:
    inner = b"GET /_clary/health HTTP/1.1\r\n" + HOST + b"\r\n"
    both = b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + inner
    check_refused(said(clary_server, both))


def test_the_answers_that_are_due_come_before_the_end(clary_server: Server) -> None:
    good = b"GET /_clary/health HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = said(clary_server, good + good + b"garbage\r\n\r\n" + good)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.count(b"HTTP/1.1 ") == 2
    check_refused(said(clary_server, b"garbage\r\n\r\n" + good))


@pytest.mark.parametrize("offer", [b"websocket", b"h2c"])
def test_another_protocol_is_not_spoken(clary_server: Server, offer: bytes) -> None:
    good = b"GET /_clary/health HTTP/1.1\r\n" + HOST
    answer = said(clary_server, good + b"connection: upgrade\r\nupgrade: " + offer + b"\r\n\r\n", good + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "target",
    [b"//evil.example/", b"http://evil.example/", b"http://localhost@evil.example/", b"/..%2f..%2fetc/passwd", b"/%00"],
    ids=range(5),
)
def test_odd_targets_are_answered_as_what_they_are(clary_server: Server, target: bytes) -> None:
    answer = said(clary_server, b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403 ", b"HTTP/1.1 404 ")), answer


@pytest.mark.parametrize(
    "host", [b"", b"evil.example", b"localhost, evil.example", b"a@localhost", b"localhost:x", b"."]
)
def test_other_hosts_are_refused(clary_server: Server, host: bytes) -> None:
    answer = said(clary_server, b"GET /_clary/health HTTP/1.1\r\nhost: " + host + b"\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 "), answer
    none = said(clary_server, b"GET /_clary/health HTTP/1.1\r\nconnection: close\r\n\r\n")
    assert none.startswith(b"HTTP/1.1 403 "), none
