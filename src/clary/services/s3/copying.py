"""CopyObject: a copy shares the source's bytes and costs no time, whatever its size.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from clary.objects.errors import SourceReplaced
from clary.objects.intake import MAXIMUM
from clary.objects.model import Attributes, Object

from . import checksums, conditions
from .buckets import timestamp
from .call import Call, Handler, check_version, xml_response
from .encryption import COPY_SOURCE, encryption_headers
from .errors import InvalidArgument, InvalidRequest
from .http import S3Response
from .writing import attributes_of

_PREFIX = "x-amz-copy-source-"
_ATTEMPTS = 5
_CHANGES = (
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
)


@dataclass(frozen=True)
class Source:
    """Where a copy comes from."""

    bucket: str
    key: str
    version: str | None = None


async def source_of(call: Call) -> Source:
    """The source that the request names, once it may be read. Raises ``InvalidArgument``, ``NoSuchBucket``,
    ``AccessDenied``."""
    header = call.header("x-amz-copy-source")
    path, _, query = header.partition("?")
    try:
        # Some clients send UTF-8 as it is, which a header's Latin-1 text shows byte by byte.
        decoded = unquote_to_bytes(path.encode("latin-1")).decode("utf-8")
        bucket, _, key = decoded.removeprefix("/").partition("/")
    except UnicodeError:
        bucket = key = ""
    if not bucket or not key:
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=header,
        )
    version = unquote(query.removeprefix("versionId=")) if query.startswith("versionId=") else None
    if version is not None:
        check_version(version)
    await call.allow("s3:GetObject" if version is None else "s3:GetObjectVersion", bucket, key)
    call.check_owner(bucket, "x-amz-source-expected-bucket-owner")
    return Source(bucket, key, version)


async def copy_object(call: Call) -> S3Response:
    source = await source_of(call)
    replace_metadata = _directive(call, "x-amz-metadata-directive")
    replace_tags = _directive(call, "x-amz-tagging-directive")
    changed = replace_metadata or any(name in call.request.headers for name in _CHANGES)
    same = (source.bucket, source.key) == (call.bucket, call.key)
    # An older version may be copied over the current one as it is: so it is brought back.
    if same and source.version is None and not changed:
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes."
        )
    given = await attributes_of(call)
    precondition = conditions.write_condition(call.request.headers, call.key)
    named = call.header("x-amz-checksum-algorithm")
    algorithm = checksums.known(named) if named else ""

    def attributes(original: Object) -> Attributes:
        old = original.attributes
        own = {name: value for name, value in given.headers.items() if name.startswith("x-amz-")}
        kept = {name: value for name, value in old.headers.items() if not name.startswith("x-amz-")}
        return Attributes(
            headers=given.headers if replace_metadata else kept | own,
            metadata=given.metadata if replace_metadata else old.metadata,
            tags=given.tags if replace_tags else old.tags,
            storage_class=given.storage_class,
            owner=given.owner,
            checksums=old.checksums,
            checksum_type=old.checksum_type,
            retention=given.retention,
            retain_until=given.retain_until,
            legal_hold=given.legal_hold,
        )

    notices = call.own.notifications.of_object(call, "ObjectCreated:Copy")

    async def copied() -> Object:
        reader = await call.store.get(source.bucket, source.key, source.version)
        try:
            original = reader.object
            if original.size > MAXIMUM:
                raise InvalidRequest(
                    f"The specified copy source is larger than the maximum allowable size for a copy source: {MAXIMUM}"
                )
            conditions.check_read(call.request.headers, original, _PREFIX)
            call.own.encryption.unlock(call, reader, COPY_SOURCE)
            has_checksum = (
                algorithm in original.attributes.checksums and original.attributes.checksum_type == "FULL_OBJECT"
            )
            if call.own.encryption.may_share(call, given.headers, original) and (not algorithm or has_checksum):
                return await call.store.copy(
                    (source.bucket, original),
                    (call.bucket, call.key),
                    attributes,
                    precondition=precondition,
                    notices=notices,
                )
            # The bytes go through here: to be encrypted otherwise, or because their checksum is not known yet.
            algorithms = [algorithm] if algorithm else list(original.attributes.checksums)
            made = attributes(original)
            made.checksums, made.checksum_type = {}, ""
            return await call.store.put(
                call.bucket,
                call.key,
                reader.stream(),
                made,
                algorithms=algorithms,
                precondition=precondition,
                seal=await call.own.encryption.seal(call, given.headers),
                notices=notices,
            )
        finally:
            reader.close()

    item = await _again(copied)
    headers = [*call.new_version_headers(item), *source_headers(call, source)]
    headers += encryption_headers(item.attributes.headers)
    return xml_response("CopyObjectResult", copy_result(item), headers)


async def _again(attempt: Callable[[], Awaitable[Object]]) -> Object:
    """Tries anew where the source has been replaced meanwhile; the copy is then that of its successor."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(SourceReplaced):
            return await attempt()
    return await attempt()


def source_headers(call: Call, source: Source) -> list[tuple[str, str]]:
    """The header that says which version was copied."""
    return [] if source.version is None else [("x-amz-copy-source-version-id", source.version)]


def copy_result(item: Object) -> dict[str, str]:
    """What the answer to a copy says about the object it made."""
    found = {"ETag": f'"{item.etag}"', "LastModified": timestamp(item.modified)}
    found |= {f"Checksum{name}": value for name, value in item.attributes.checksums.items()}
    return found | ({"ChecksumType": item.attributes.checksum_type} if item.attributes.checksums else {})


def _directive(call: Call, name: str) -> bool:
    value = call.header(name, "COPY")
    if value not in ("COPY", "REPLACE"):
        raise InvalidArgument(f"Unknown {name[6:].replace('-', ' ')}.", ArgumentName=name, ArgumentValue=value)
    return value == "REPLACE"


HANDLERS: dict[str, Handler] = {"CopyObject": copy_object}
