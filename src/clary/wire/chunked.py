"""The aws-chunked content coding: a body in chunks that may carry signatures, and trailers behind it.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re

from clary.core.errors import SignatureDoesNotMatch
from clary.wire.errors import IncompleteBody, InvalidChunkSize, MalformedTrailer

MAX_HEADER = 1024
MAX_TRAILERS = 16 * 1024
MAX_CHUNK = 5 * 1024**3

_EMPTY = hashlib.sha256(b"").hexdigest()
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
_MALFORMED = "The request contained trailing data that was not well-formed or did not conform to our published schema."
_WRONG_LENGTH = "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header"


class ChunkSigner:
    """The chain of chunk signatures, which starts at the signature of the request's headers."""

    def __init__(self, key: bytes, timestamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._place = f"{timestamp}\n{scope}"
        self._previous = seed

    def check_chunk(self, digest: str, signature: bytes) -> None:
        """Raises ``SignatureDoesNotMatch`` unless ``signature`` belongs to the chunk with the SHA-256 ``digest``."""
        self._check(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._place}\n{self._previous}\n{_EMPTY}\n{digest}", signature)

    def check_trailer(self, trailer: bytes, signature: bytes) -> None:
        """Raises ``SignatureDoesNotMatch`` unless ``signature`` belongs to the canonical trailer lines."""
        digest = hashlib.sha256(trailer).hexdigest()
        self._check(f"AWS4-HMAC-SHA256-TRAILER\n{self._place}\n{self._previous}\n{digest}", signature)

    def _check(self, text: str, signature: bytes) -> None:
        expected = hmac.digest(self._key, text.encode("utf-8", "replace"), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature):
            raise SignatureDoesNotMatch(_MISMATCH)
        self._previous = expected


class ChunkedDecoder:
    """Takes an aws-chunked body piece by piece and gives back the data in it.

    Data is handed out before its chunk's signature is known to be right, so that memory stays constant: nothing may be
    kept unless ``finish()`` has returned. ``trailers`` (lower-case names) are there from then on.
    """

    def __init__(
        self,
        signer: ChunkSigner | None = None,
        *,
        trailer: bool = False,
        decoded_length: int | None = None,
        trailer_names: tuple[str, ...] | None = None,
    ) -> None:
        self._signer = signer
        self._trailer = trailer
        self._expected = decoded_length
        self._names = (
            None if trailer_names is None else frozenset(name.strip().lower() for name in trailer_names if name.strip())
        )
        self._received = 0
        self._buffer = bytearray()
        self._state = self._read_header
        self._left = 0
        self._signature = b""
        self._hash = hashlib.sha256()
        self.finished = False
        self.trailers: dict[str, str] = {}

    def feed(self, piece: bytes) -> list[bytes]:
        """The data in ``piece``, in order.

        Raises ``SignatureDoesNotMatch``, ``IncompleteBody``, ``InvalidChunkSize`` or ``MalformedTrailer``.
        """
        data: list[bytes] = []
        view = memoryview(piece)
        position, end = 0, len(view)
        while position < end:
            if self.finished:
                raise IncompleteBody("The request body goes on behind its last chunk")
            if self._left:
                taken = piece if not position and end <= self._left else bytes(view[position : position + self._left])
                position += len(taken)
                self._left -= len(taken)
                self._take(taken)
                data.append(taken)
                continue
            # Outside of the data everything comes in short lines.
            line_end = piece.find(b"\n", position)
            if line_end < 0:
                self._buffer += view[position:]
                position = end
            else:
                self._buffer += view[position : line_end + 1]
                position = line_end + 1
            if len(self._buffer) > (MAX_TRAILERS if self._state == self._read_trailer else MAX_HEADER):
                raise IncompleteBody("A line between the chunks of the request body is too long")
            if line_end >= 0 and self._buffer.endswith(b"\r\n"):
                line = bytes(self._buffer[:-2])
                self._buffer.clear()
                self._state(line)
        return data

    def finish(self) -> dict[str, str]:
        """The trailers, once the whole body has been fed.

        Raises ``IncompleteBody`` if the body is shorter or longer than announced.
        """
        if not self.finished:
            raise IncompleteBody("The request body terminated unexpectedly")
        return self.trailers

    def _take(self, data: bytes) -> None:
        self._received += len(data)
        if self._expected is not None and self._received > self._expected:
            raise IncompleteBody(_WRONG_LENGTH)
        if self._signer is not None:
            self._hash.update(data)
        if not self._left:
            self._state = self._read_end_of_data

    def _read_header(self, line: bytes) -> None:
        size_text, _, extension = line.partition(b";")
        if not _SIZE.match(size_text.strip()):
            raise InvalidChunkSize("The size of a chunk cannot be read")
        size = int(size_text, 16)
        if size > MAX_CHUNK:
            raise InvalidChunkSize("A chunk is too large")
        if self._signer is not None:
            key, _, signature = extension.partition(b"=")
            if key.strip() != b"chunk-signature":
                raise SignatureDoesNotMatch(_MISMATCH)
            self._signature = signature.strip()
        if size:
            self._left = size
            return
        self._check_chunk()
        if self._expected is not None and self._received != self._expected:
            raise IncompleteBody(_WRONG_LENGTH)
        self._lines: list[bytes] = []
        self._size_of_trailers = 0
        self._state = self._read_trailer

    def _read_end_of_data(self, line: bytes) -> None:
        if line:
            raise IncompleteBody("A chunk of the request body is longer than its size says")
        self._check_chunk()
        self._state = self._read_header

    def _check_chunk(self) -> None:
        if self._signer is not None:
            self._signer.check_chunk(self._hash.hexdigest(), self._signature)
            self._hash = hashlib.sha256()

    def _read_trailer(self, line: bytes) -> None:
        self._size_of_trailers += len(line)
        if self._size_of_trailers > MAX_TRAILERS:
            raise MalformedTrailer("The request contained trailing data that was too long")
        stripped = line.strip()
        if stripped:
            self._lines.append(stripped)
            return
        if not self._trailer:
            if self._lines:
                raise MalformedTrailer("The request contained trailing data that was not announced")
        else:
            self._close_trailers()
        self.finished = True

    def _close_trailers(self) -> None:
        signature = b""
        canonical = bytearray()
        for line in self._lines:
            name, colon, value = line.partition(b":")
            name, value = name.strip().lower(), value.strip()
            if not colon or not name:
                raise MalformedTrailer(_MALFORMED)
            if name == b"x-amz-trailer-signature":
                signature = value
                continue
            canonical += name + b":" + value + b"\n"
            self.trailers[name.decode("latin-1")] = value.decode("latin-1")
        if self._names is not None and self._names != self.trailers.keys():
            raise MalformedTrailer(_MALFORMED)
        if self._signer is not None:
            self._signer.check_trailer(bytes(canonical), signature)
