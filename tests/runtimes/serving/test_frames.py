"""Frames: what one side writes the other reads, however the bytes are cut."""

from __future__ import annotations

import random
import struct

import pytest

from clary_runtimes.serving import frames

REQUESTS = [
    (1, b"text/csv", b"application/json", b"1,2,3"),
    (2, None, None, b""),
    (2**32 - 1, b"", b"", b"\0" * 100_000),
    (7, None, b"*/*", bytes(range(256))),
]


def split(stream: bytes, sizes: list[int]) -> list[bytes]:
    splitter, begin, whole = frames.Splitter(), 0, []
    for size in [*sizes, len(stream)]:
        whole += splitter.feed(stream[begin : begin + size])
        begin += size
    return whole


@pytest.mark.parametrize("seed", range(20))
def test_requests_come_back_however_they_are_cut(seed: int) -> None:
    chosen = random.Random(seed)
    stream = b"".join(frames.request(*each) for each in REQUESTS)
    sizes = [chosen.choice((1, 2, 3, 5, 17, 1000, 70_000)) for _ in range(400)]
    assert [frames.read_request(frame) for frame in split(stream, sizes)] == REQUESTS


def test_one_byte_at_a_time() -> None:
    stream = b"".join(frames.reply(number, 200, b"text/csv", b"x" * number) for number in range(30))
    answers = [frames.read_reply(frame) for frame in split(stream, [1] * len(stream))]
    assert answers == [(number, 200, b"text/csv", b"x" * number) for number in range(30)]


@pytest.mark.parametrize("length", [0, 7, 1001, 2**32 - 1])
def test_a_length_that_cannot_be_is_refused_before_it_is_read(length: int) -> None:
    splitter = frames.Splitter(largest=1000)
    with pytest.raises(frames.FrameError):
        list(splitter.feed(struct.pack("!I", length) + b"x" * 8))
