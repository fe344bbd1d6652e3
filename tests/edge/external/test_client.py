"""The client that streams both ways, against servers that behave well and badly."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from clary.edge.answer import NotConnected, UpstreamError
from clary.edge.external.client import MOST_WAITING, Answer, Client

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def client(behave: Behaviour) -> AsyncIterator[Client]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        made = Client(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        try:
            yield made
        finally:
            made.close()


async def head_of(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return head, int(length[1]) if length else 0


async def whole(answer: Answer) -> bytes:
    if isinstance(answer.body, bytes):
        return answer.body
    return b"".join([piece async for piece in answer.body])


async def parts(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def run(behave: Behaviour, use: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), client(behave) as made:
            await use(made)

    asyncio.run(main())


def test_bodies_go_and_come_over_one_connection() -> None:
    connections = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            head, length = await head_of(reader)
            body = await reader.readexactly(length)
            if head.startswith(b"HEAD"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Kind: echo\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % length + body)

    async def use(made: Client) -> None:
        large = b"x" * (3 * MOST_WAITING)
        for body in (b"", b"small", large):
            answer = await made.request("PUT", "/", [(b"host", b"here")], body, len(body))
            assert (answer.status, answer.header("x-kind"), await whole(answer)) == (200, "echo", body)
            assert [name for name, _ in answer.headers].count("content-length") == 1
        answer = await made.request("PUT", "/", [], parts(b"one", b"two"), 6)
        assert await whole(answer) == b"onetwo"
        answer = await made.request("HEAD", "/", [], b"", 0)
        assert (answer.header("content-length"), answer.body) == ("1000", b"")
        assert await whole(await made.request("GET", "/", [], b"", 0)) == b""

    run(echo, use)
    assert len(connections) == 1


def test_a_connection_is_read_again_after_an_answer_that_waited_to_be_taken() -> None:
    """The end of a large answer comes while nothing more is read; the next answer has to be seen all the same."""
    connections = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            _, length = await head_of(reader)
            await reader.readexactly(length)
            size = MOST_WAITING + 1 - length
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    async def use(made: Client) -> None:
        answer = await made.request("GET", "/", [], b"", 0)
        for _ in range(10_000):  # all of it comes before any of it is taken
            await asyncio.sleep(0)
        assert len(await whole(answer)) == MOST_WAITING + 1
        answer = await made.request("PUT", "/", [], b"again", 5)
        assert len(await whole(answer)) == MOST_WAITING - 4

    run(behave, use)
    assert len(connections) == 1


def test_a_body_that_raises_leaves_the_server_with_too_little() -> None:
    received: asyncio.Queue[object] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, length = await head_of(reader)
        try:
            await received.put(await reader.readexactly(length))
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            await received.put(error)

    async def wrong() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError("the signature is wrong")

    async def use(made: Client) -> None:
        with pytest.raises(ValueError, match="signature"):
            await made.request("PUT", "/", [], wrong(), 8)
        assert isinstance(await received.get(), Exception)

    run(listen, use)


def test_an_answer_that_comes_early_ends_the_sending() -> None:
    taken = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        await reader.read()

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 65_536
            await asyncio.sleep(0)

    async def use(made: Client) -> None:
        answer = await made.request("PUT", "/", [], endless(), 1 << 40)
        assert (answer.status, await whole(answer)) == (404, b"no")

    run(refuse, use)
    assert taken < 100_000


def test_a_server_that_closed_meanwhile_is_asked_again() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def use(made: Client) -> None:
        for _ in range(3):
            assert await whole(await made.request("GET", "/", [], b"", 0)) == b"ok"

    run(once, use)


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")

    async def use(made: Client) -> None:
        assert await whole(await made.request("GET", "/", [], b"", 0)) == b"until the end"

    run(old, use)


def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "certificate").write_bytes(certificate.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(plain)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as listener:
            url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            with pytest.raises(NotConnected, match="certificate"):
                await Client(url).request("GET", "/", [], b"", 0)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
            assert await whole(await Client(url).request("GET", "/", [], b"", 0)) == b"ok"

    asyncio.run(main())


@pytest.mark.parametrize(
    "text", [b"", b"no HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"HTTP/1.1 200 OK\r\nX-"]
)
def test_what_breaks_off_is_an_error(text: bytes) -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(text)

    async def use(made: Client) -> None:
        with pytest.raises(UpstreamError):
            await whole(await made.request("GET", "/", [], b"", 0))

    run(broken, use)


def test_nobody_listens() -> None:
    async def use() -> None:
        with pytest.raises(NotConnected):
            await Client("http://127.0.0.1:9").request("GET", "/", [], b"", 0)

    asyncio.run(use())


def test_a_server_that_gives_more_than_is_taken_has_to_wait() -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        while written < 1 << 30:
            writer.write(b"x" * (1 << 20))
            await writer.drain()
            written += 1 << 20

    async def use(made: Client) -> None:
        answer = await made.request("GET", "/", [], b"", 0)
        assert not isinstance(answer.body, bytes)
        before = -1
        # As long as the server gets on with writing, the buffers between are not full yet.
        while written > before:
            before = written
            for _ in range(200):
                await asyncio.sleep(0)
        assert written < 200 << 20
        await answer.body.aclose()

    run(flood, use)
