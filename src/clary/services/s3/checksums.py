"""What a client says about its body's digests, and whether it is true.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from clary.objects.digests import ALGORITHMS, digest_size
from clary.objects.intake import Received

from .errors import BadDigest, IncompleteBody, InvalidDigest, InvalidRequest
from .http import S3Request

_PREFIX = "x-amz-checksum-"
_OTHERS = ("algorithm", "mode", "type")


def header(algorithm: str) -> str:
    """The name of the header that carries a checksum."""
    return _PREFIX + algorithm.lower()


def in_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The checksums among ``headers`` by algorithm. Raises ``InvalidRequest`` if there are several or one is
    unknown."""
    found = {}
    for name, value in headers.items():
        if not name.startswith(_PREFIX) or name.removeprefix(_PREFIX) in _OTHERS:
            continue
        found[known(name.removeprefix(_PREFIX))] = value.strip()
    if len(found) > 1:
        raise InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    return found


def known(algorithm: str) -> str:
    """The name of an algorithm as the API spells it. Raises ``InvalidRequest`` if it is not done here."""
    if algorithm.upper() not in ALGORITHMS:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ALGORITHMS)}]"
        )
    return algorithm.upper()


@dataclass
class Claims:
    """What the request claims: its body's size, MD5 and checksum, the last perhaps in trailers that come after the
    body."""

    request: S3Request
    size: int | None
    md5: bytes | None
    algorithm: str
    """The algorithm to compute; empty for none."""
    own_checksum: bool = True
    """Whether the checksum in the headers is that of the body."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        return (self.algorithm,) if self.algorithm else ()

    def verify(self, received: Received) -> None:
        """Raises ``IncompleteBody``, ``BadDigest`` or ``InvalidRequest`` if the body is not what was claimed."""
        if self.size is not None and received.size != self.size:
            raise IncompleteBody(NumberBytesExpected=str(self.size), NumberBytesProvided=str(received.size))
        if self.md5 is not None and self.md5.hex() != received.md5:
            raise BadDigest(
                ExpectedDigest=self.request.headers["content-md5"],
                CalculatedDigest=base64.b64encode(bytes.fromhex(received.md5)).decode(),
            )
        if not self.own_checksum:
            return
        claimed = in_headers(self.request.headers) or in_headers(self.request.trailers())
        for algorithm, value in claimed.items():
            _check_form(algorithm, value)
            if received.checksums.get(algorithm) != value:
                raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")


def _check_form(algorithm: str, value: str) -> None:
    try:
        right = len(base64.b64decode(value, validate=True)) == digest_size(algorithm)
    except ValueError:  # Neither is what is not ASCII.
        right = False
    if not right:
        raise InvalidRequest(f"Value for {header(algorithm)} header is invalid.")


def claims(request: S3Request, default: str = "", *, own_checksum: bool = True) -> Claims:
    """The claims of ``request``; ``default`` is the algorithm to compute if the client names none.

    Without ``own_checksum`` the checksum in the headers is not the body's but, say, that of an object to be completed.

    Raises ``InvalidDigest`` or ``InvalidRequest`` for claims that cannot be read.
    """
    headers = request.headers
    md5 = None
    if "content-md5" in headers:
        try:
            md5 = base64.b64decode(headers["content-md5"], validate=True)
        except ValueError:
            md5 = b""
        if len(md5) != 16:
            raise InvalidDigest(**{"Content-MD5": headers["content-md5"]})
    declared = headers.get("x-amz-decoded-content-length") or headers.get("content-length")
    if declared is not None and not (declared.isascii() and declared.isdigit()):
        raise InvalidRequest("Content-Length is not a number.")
    claimed = in_headers(headers) if own_checksum else {}
    for algorithm, value in claimed.items():
        _check_form(algorithm, value)
    trailer = headers.get("x-amz-trailer", "").strip().lower()
    algorithm = next(iter(claimed), "")
    if not algorithm and trailer.startswith(_PREFIX):
        algorithm = known(trailer.removeprefix(_PREFIX))
    named = headers.get("x-amz-sdk-checksum-algorithm") or headers.get("x-amz-checksum-algorithm")
    if not algorithm and named:
        algorithm = known(named)
    return Claims(request, None if declared is None else int(declared), md5, algorithm or default, own_checksum)
