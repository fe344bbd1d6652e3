"""Uploads and downloads one large object in pieces; prints by how many MiB the process grew."""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

_specification = importlib.util.spec_from_file_location("s3_asgi", Path(__file__).with_name("asgi.py"))
assert _specification is not None and _specification.loader is not None
asgi = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(asgi)

PIECE = bytes(range(256)) * 4096


def peak() -> int:
    """The most memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main(root: Path, mebibytes: int) -> int:
    def pieces(count: int, digest: hashlib._Hash) -> Iterator[bytes]:
        for _ in range(count):
            digest.update(PIECE)
            yield PIECE

    def pass_through(connection: http.client.HTTPConnection, count: int) -> None:
        sent, received = hashlib.sha1(), hashlib.sha1()
        connection.request("PUT", "/bucket/key", pieces(count, sent), {"Content-Length": str(count << 20)})
        assert connection.getresponse().read() == b""
        connection.request("GET", "/bucket/key")
        response = connection.getresponse()
        while piece := response.read(1 << 20):
            received.update(piece)
        assert sent.digest() == received.digest()

    with asgi.running(root) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("PUT", "/bucket")
        connection.getresponse().read()
        pass_through(connection, 8)
        before = peak()
        pass_through(connection, mebibytes)
        grown = peak() - before
        connection.close()
    return grown


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
