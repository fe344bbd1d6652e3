"""Bodies that a client has compressed, which the model allows for some operations.

Reference: https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
"""

from __future__ import annotations

import zlib

from clary.core.errors import RequestTooLarge, SerializationException
from clary.wire.http import Request

MOST_BYTES = 8 * 1024 * 1024
"""How large a body may become; a small one may hold one that fills the memory."""
_GZIP = 16 + zlib.MAX_WBITS


def is_compressed(request: Request) -> bool:
    """Whether the body is to be read with ``unpacked`` or ``beginning``."""
    return request.headers.get("content-encoding", "").lower() == "gzip"


def unpacked(body: bytes) -> bytes:
    """The body as it was before. Raises ``SerializationException`` and ``RequestTooLarge``."""
    reader = zlib.decompressobj(_GZIP)
    try:
        whole = reader.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise SerializationException(f"The body cannot be decompressed: {error}") from None
    if reader.unconsumed_tail:
        raise RequestTooLarge(f"The body has more than {MOST_BYTES} bytes when it is decompressed.")
    if not reader.eof:
        raise SerializationException("The compressed body ends too early.")
    return whole


def beginning(body: bytes, most: int = 65_536) -> bytes:
    """The first bytes of the body as it was before; nothing if it cannot be read."""
    try:
        return zlib.decompressobj(_GZIP).decompress(body, most)
    except zlib.error:
        return b""
