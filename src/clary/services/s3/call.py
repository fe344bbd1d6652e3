"""One call of an operation, and what every operation needs of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from clary.objects.digests import Digests
from clary.objects.intake import Received
from clary.objects.model import Bucket, Deletion, Object
from clary.objects.store import ObjectStore
from clary.objects.versions import NULL, sequence_of

from . import checksums, routes, xml
from .errors import AccessDeniedByS3, InvalidArgument, InvalidRequest, MalformedXML
from .http import S3Request, S3Response

if TYPE_CHECKING:
    from .encryption import Encryption
    from .notifications import Notifications

_LONGEST_VERSION = 1024

Tags = Callable[[], Awaitable[dict[str, str]]]
"""Reads the tags of an object; raises as ``ObjectStore.head``."""

Authorize = Callable[[S3Request, str, str, "Bucket | None", Tags | None], Awaitable[None]]
"""Called with the request, an IAM action, the ARN it is on, the bucket if it exists (its ``documents["policy"]`` may
speak too), and how to read the tags of the object, if it is one of this store; raises ``AccessDenied`` to refuse."""

SignForm = Callable[[Mapping[str, str]], Any]
"""The principal who has signed the policy of a form, from the form's fields; raises where nobody has."""

_LARGEST_DOCUMENT = 8 << 20
"""Bytes of XML taken in one request; the longest there is, a thousand keys to delete, has fewer."""


@dataclass(frozen=True)
class Services:
    """What operations need beside the store."""

    encryption: Encryption
    notifications: Notifications
    sign_form: SignForm | None = None


@dataclass
class Call:
    """An operation on a bucket or a key, each empty where the request has none."""

    store: ObjectStore
    authorize: Authorize | None
    request: S3Request
    operation: str
    bucket: str
    key: str
    services: Services | None = None
    """What Clary's own store has beside it; operations that need it are run by nothing else."""

    @property
    def own(self) -> Services:
        assert self.services is not None
        return self.services

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

    @property
    def action(self) -> str:
        """The IAM action that the operation needs."""
        return routes.action(self.operation, of_version="versionId" in self.request.parameters)

    async def allow(self, action: str, bucket: str, key: str = "") -> None:
        """Raises ``AccessDenied`` unless ``action`` is allowed on the bucket or the object."""
        if self.authorize is not None:
            arn = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket or '*'}"
            # Whoever may make buckets is told that another has the name.
            there = None if action == "s3:CreateBucket" else self.store.writer.buckets.get(bucket)
            tags = partial(self._tags, bucket, key) if key and self.services is not None else None
            await self.authorize(self.request, action, arn, there, tags)

    async def _tags(self, bucket: str, key: str) -> dict[str, str]:
        asked = (bucket, key) == (self.bucket, self.key)
        item = await self.store.head(bucket, key, self.version if asked else None)
        return dict(item.attributes.tags)

    def check_owner(self, bucket: str, header: str = "x-amz-expected-bucket-owner") -> None:
        """Raises ``NoSuchBucket``, or ``AccessDenied`` if the bucket is not of the account that the header names."""
        owner = self.store.bucket(bucket).account
        if self.header(header, owner) != owner:
            raise AccessDeniedByS3

    @property
    def version(self) -> str | None:
        """The version that is asked for. Raises ``InvalidArgument`` for what cannot be one."""
        version = self.request.parameters.get("versionId")
        if version is not None:
            check_version(version)
        return version

    def version_headers(self, item: Object | Deletion) -> list[tuple[str, str]]:
        """The header that names a version, in a bucket that has, or had, versioning."""
        shown = item.version and (item.version != NULL or self.store.bucket(self.bucket).versioning)
        return [("x-amz-version-id", item.version)] if shown else []

    @staticmethod
    def new_version_headers(item: Object) -> list[tuple[str, str]]:
        """The header that names the version just made; there is none for what is written while versioning is off."""
        return [("x-amz-version-id", item.version)] if item.version != NULL else []

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


def check_version(version: str) -> None:
    """Raises ``InvalidArgument`` for a version id that cannot be one."""
    if not version:
        raise InvalidArgument("Version id cannot be the empty string", ArgumentName="versionId", ArgumentValue="")
    if version != NULL and sequence_of(version) is None:
        raise InvalidArgument(
            "Invalid version id specified", ArgumentName="versionId", ArgumentValue=version[:_LONGEST_VERSION]
        )


Handler = Callable[[Call], Awaitable[S3Response]]


def xml_response(root: str, content: Any, headers: list[tuple[str, str]] | None = None) -> S3Response:
    """An answer that is a document."""
    return S3Response(200, [("Content-Type", "application/xml"), *(headers or [])], xml.write(root, content))


async def as_stream(data: bytes) -> AsyncIterator[bytes]:
    """``data`` as a stream of one chunk."""
    yield data
