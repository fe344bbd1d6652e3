"""CopyObject: a copy shares the source's bytes and costs no time, whatever its size.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from clary.objects.digests import Digests
from clary.objects.intake import MAXIMUM
from clary.objects.model import Attributes, Object

from . import checksums, conditions
from .buckets import timestamp
from .call import Call, Handler, xml_response
from .errors import InvalidArgument, InvalidRequest, NoSuchVersion
from .http import S3Response
from .writing import attributes_of, encryption_headers

_PREFIX = "x-amz-copy-source-"
_CHANGES = ("x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-server-side-encryption")


@dataclass(frozen=True)
class Source:
    """Where a copy comes from."""

    bucket: str
    key: str


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
    if query.startswith("versionId=") and query.removeprefix("versionId=") != "null":
        raise NoSuchVersion(Key=key, VersionId=query.removeprefix("versionId="))
    await call.allow("s3:GetObject", bucket, key)
    call.check_owner(bucket, "x-amz-source-expected-bucket-owner")
    return Source(bucket, key)


async def copy_object(call: Call) -> S3Response:
    source = await source_of(call)
    replace_metadata = _directive(call, "x-amz-metadata-directive")
    replace_tags = _directive(call, "x-amz-tagging-directive")
    changed = replace_metadata or any(name in call.request.headers for name in _CHANGES)
    if (source.bucket, source.key) == (call.bucket, call.key) and not changed:
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes."
        )
    given = attributes_of(call)
    precondition = conditions.write_condition(call.request.headers, call.key)
    named = call.header("x-amz-checksum-algorithm")
    computed = await _checksum(call, source, checksums.known(named)) if named else None

    def attributes(original: Object) -> Attributes:
        old = original.attributes
        own = {name: value for name, value in given.headers.items() if name.startswith("x-amz-")}
        kept = {name: value for name, value in old.headers.items() if not name.startswith("x-amz-")}
        made = Attributes(
            headers=given.headers if replace_metadata else kept | own,
            metadata=given.metadata if replace_metadata else old.metadata,
            tags=given.tags if replace_tags else old.tags,
            storage_class=given.storage_class,
            owner=given.owner,
            checksums=old.checksums,
            checksum_type=old.checksum_type,
        )
        if computed is not None and computed[0] == original.sequence:
            made.checksums, made.checksum_type = computed[1], "FULL_OBJECT"
        return made

    def source_condition(original: Object) -> None:
        if original.size > MAXIMUM:
            raise InvalidRequest(
                f"The specified copy source is larger than the maximum allowable size for a copy source: {MAXIMUM}"
            )
        conditions.check_read(call.request.headers, original, _PREFIX)

    item = await call.store.copy(
        (source.bucket, source.key),
        (call.bucket, call.key),
        attributes,
        source_condition=source_condition,
        precondition=precondition,
    )
    return xml_response("CopyObjectResult", copy_result(item), encryption_headers(item.attributes))


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


async def _checksum(call: Call, source: Source, algorithm: str) -> tuple[int, dict[str, str]] | None:
    """A checksum that the source does not have yet, with the source's sequence; ``None`` if it has it."""
    reader = await call.store.get(source.bucket, source.key)
    attributes = reader.object.attributes
    if algorithm in attributes.checksums and attributes.checksum_type == "FULL_OBJECT":
        reader.close()
        return None
    digests = Digests([algorithm])
    async for chunk in reader.stream():
        await call.store.compute(digests.update, chunk)
    return reader.object.sequence, digests.checksums


HANDLERS: dict[str, Handler] = {"CopyObject": copy_object}
