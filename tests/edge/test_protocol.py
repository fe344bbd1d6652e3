"""The head of an answer goes out with its body, and alone if there is none yet."""

from __future__ import annotations

import asyncio
from typing import Any

from clary.edge.protocol import _Gathered

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Transport:
    """Remembers what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def written(*steps: bytes | None) -> list[bytes]:
    """What goes out when these pieces are written; ``None`` lets a moment pass."""
    inner: Any = Transport()

    async def write() -> None:
        transport = _Gathered(inner, asyncio.get_running_loop())
        for step in steps:
            if step is None:
                await asyncio.sleep(0)
            else:
                transport.write(step)
        assert not transport.is_closing()
        transport.close()
        assert inner.closed

    asyncio.run(write())
    return list(inner.written)


def test_head_and_body_are_one_piece() -> None:
    assert written(HEAD, b"body") == [HEAD + b"body"]
    assert written(HEAD, b"body", None, HEAD, b"next") == [HEAD + b"body", HEAD + b"next"]


def test_a_head_whose_body_comes_later_does_not_wait_for_it() -> None:
    assert written(HEAD, None, None, b"one", b"two") == [HEAD, b"one", b"two"]


def test_a_head_without_a_body_goes_out_before_the_end() -> None:
    assert written(HEAD) == [HEAD]


def test_large_pieces_are_not_copied() -> None:
    large = b"x" * 100_000
    assert written(HEAD, large) == [HEAD, large]


def test_an_empty_body_sends_the_head() -> None:
    assert written(HEAD, b"") == [HEAD]
