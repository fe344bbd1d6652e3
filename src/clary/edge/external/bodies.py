"""Bodies on their way to the external store: nothing there is published before all promises about it were kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from clary.objects.digests import Digests
from clary.objects.intake import Received
from clary.services.s3 import checksums
from clary.services.s3.call import Call
from clary.services.s3.errors import IncompleteBody, MissingContentLength
from clary.services.s3.writing import check_length

SMALL = 256 << 10
"""Bytes of a body that is gathered before it is sent; a request with it can be sent once more."""


async def body_of(call: Call) -> tuple[bytes | AsyncGenerator[bytes, None], int]:
    """What a PutObject or UploadPart sends on, and how many bytes that is.

    A streamed body raises before its last piece if its signature, size, MD5 or checksum is not what the client said:
    the store has then fewer bytes than it was told, and keeps none. Raises the errors of claims that cannot be read.
    """
    check_length(call)
    claims = checksums.claims(call.request)
    if claims.size is None:
        raise MissingContentLength
    checked = _checked(call, claims, claims.size)
    if claims.size > SMALL:
        return checked, claims.size
    return b"".join([piece async for piece in checked]), claims.size


async def _checked(call: Call, claims: checksums.Claims, size: int) -> AsyncGenerator[bytes, None]:
    digests = Digests(claims.algorithms)
    # The store computes the MD5 for the ETag itself; here it is computed only where the client promised one.
    update = digests.update if claims.md5 is not None else lambda piece: digests.update_checksums([piece])
    received, held = 0, b""
    async for piece in call.request.body:
        received += len(piece)
        if received > size:
            raise IncompleteBody(NumberBytesExpected=str(size), NumberBytesProvided=str(received))
        update(piece)
        if held:
            yield held
        held = piece
    claims.verify(Received(received, digests.md5.hex(), digests.checksums, None, None))
    if held:
        yield held
