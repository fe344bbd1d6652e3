"""Requests as lines of JSON, and their answers."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator

from clary_runtimes.tuning.request import RequestError, read_request
from clary_runtimes.tuning.search import propose

_PIECE = 1 << 20


def answer(line: bytes) -> bytes:
    """The answer to one request, a line of JSON with ``points`` or ``error``; it raises nothing."""
    try:
        found: dict[str, object] = {"points": propose(read_request(line))}
    except RequestError as error:
        found = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - one request that fails must not fail the others
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        found = {"error": f"the search failed: {type(error).__name__}: {error}"}
    return json.dumps(found, allow_nan=False).encode() + b"\n"


def lines(descriptor: int, seconds: float) -> Iterator[bytes]:
    """The lines that are written to ``descriptor``, until it ends or nothing has come for so long. Empty ones are
    none."""
    rest: list[bytes] = []
    while select.select([descriptor], [], [], seconds)[0]:
        piece = os.read(descriptor, _PIECE)
        *whole, last = piece.split(b"\n")
        if whole:
            whole[0] = b"".join([*rest, whole[0]])
            rest = []
        rest.append(last)
        yield from filter(None, (line.strip() for line in whole))
        if not piece:
            break
    yield from filter(None, [b"".join(rest).strip()])
