"""One call of an operation, and what every operation needs of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from clary.objects.digests import Digests
from clary.objects.intake import Received
from clary.objects.model import Bucket
from clary.objects.store import ObjectStore

from . import checksums, xml
from .errors import AccessDeniedByS3, InvalidArgument, InvalidRequest, MalformedXML, NoSuchVersion
from .http import S3Request, S3Response

Authorize = Callable[[S3Request, str, str, "Bucket | None"], Awaitable[None]]
"""Called with the request, an IAM action, the ARN it is on, and the bucket if it exists (its
``documents["policy"]`` may speak too); raises ``AccessDenied`` to refuse."""

_LARGEST_DOCUMENT = 8 << 20
"""Bytes of XML taken in one request; the longest there is, a thousand keys to delete, has fewer."""


@dataclass
class Call:
    """An operation on a bucket or a key, each empty where the request has none."""

    store: ObjectStore
    authorize: Authorize | None
    request: S3Request
    operation: str
    bucket: str
    key: str

    def parameter(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.request.parameters.get(name, default)

    def header(self, name: str, default: str = "") -> str:
        return self.request.headers.get(name, default)

    def number(self, name: str, default: int, highest: int, *, lowest: int = 0) -> int:
        """A whole number among the parameters, at most ``highest``. Raises ``InvalidArgument``."""
        text = self.parameter(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= 2**31 - 1):
            raise InvalidArgument(
                f"Provided {name} not an integer or within integer range", ArgumentName=name, ArgumentValue=text
            )
        return min(int(text), highest)

    async def allow(self, action: str, bucket: str, key: str = "") -> None:
        """Raises ``AccessDenied`` unless ``action`` is allowed on the bucket or the object."""
        if self.authorize is not None:
            arn = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket or '*'}"
            await self.authorize(self.request, action, arn, self.store.writer.buckets.get(bucket))

    def check_owner(self, bucket: str, header: str = "x-amz-expected-bucket-owner") -> None:
        """Raises ``NoSuchBucket``, or ``AccessDenied`` if the bucket is not of the account that the header names."""
        owner = self.store.bucket(bucket).account
        if self.header(header, owner) != owner:
            raise AccessDeniedByS3

    def check_version(self) -> None:
        """Raises ``NoSuchVersion`` for a version that cannot be: without versioning every object's is ``null``."""
        version = self.request.parameters.get("versionId")
        if version == "":
            raise InvalidArgument("Version id cannot be the empty string", ArgumentName="versionId", ArgumentValue="")
        if version not in (None, "null"):
            raise NoSuchVersion(Key=self.key, VersionId=version)

    async def document(self, root: str, *, digest_required: bool = False, own_checksum: bool = True) -> xml.Node:
        """The XML that the request carries. Raises ``MalformedXML``, and errors of its digests.

        Without ``own_checksum`` the checksum in the headers is not this document's.
        """
        return xml.read(await self.content(digest_required=digest_required, own_checksum=own_checksum), root)

    async def content(self, *, digest_required: bool = False, own_checksum: bool = True) -> bytes:
        """The whole body of a request that carries a document; as ``document``."""
        claims = checksums.claims(self.request, own_checksum=own_checksum)
        if digest_required and claims.md5 is None and not claims.algorithm:
            raise InvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
        digests = Digests(claims.algorithms)
        data = bytearray()
        async for chunk in self.request.body:
            data += chunk
            if len(data) > _LARGEST_DOCUMENT:
                raise MalformedXML
        digests.update(bytes(data))
        claims.verify(Received(digests.size, digests.md5.hex(), digests.checksums, None, None))
        return bytes(data)


Handler = Callable[[Call], Awaitable[S3Response]]


def xml_response(root: str, content: Any, headers: list[tuple[str, str]] | None = None) -> S3Response:
    """An answer that is a document."""
    return S3Response(200, [("Content-Type", "application/xml"), *(headers or [])], xml.write(root, content))


async def as_stream(data: bytes) -> AsyncIterator[bytes]:
    """``data`` as a stream of one chunk."""
    yield data
