"""Writing and deleting objects: PutObject, DeleteObject, DeleteObjects.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from clary.core.errors import ServiceError
from clary.objects import locks
from clary.objects.errors import EntityTooLarge
from clary.objects.intake import MAXIMUM
from clary.objects.model import Attributes, Deletion, Object
from clary.objects.removal import Removal

from . import checksums, conditions, routes, xml
from .acl import check_acl
from .call import Call, Handler, check_version, xml_response
from .encryption import encryption_headers
from .errors import (
    InvalidArgument,
    InvalidStorageClass,
    MalformedXML,
    MetadataTooLarge,
    MissingContentLength,
    NotImplementedByS3,
)
from .http import S3Response
from .lifecycle import expiration_headers
from .object_lock import apply_to_new
from .tags import check_tags

_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
_REDIRECT = "x-amz-website-redirect-location"
_METADATA = "x-amz-meta-"
_LARGEST_METADATA = 2048
"""Bytes of user metadata, names and values together."""
STORAGE_CLASSES = (
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE",
    "GLACIER_IR",
)  # fmt: skip
_LARGEST_DELETE = 1000


async def put_object(call: Call) -> S3Response:
    check_length(call)
    if "x-amz-write-offset-bytes" in call.request.headers:
        raise NotImplementedByS3(Header="x-amz-write-offset-bytes")
    precondition = conditions.write_condition(call.request.headers, call.key)
    claims = checksums.claims(call.request)
    attributes = await attributes_of(call)
    item = await call.store.put(
        call.bucket,
        call.key,
        call.request.body,
        attributes,
        algorithms=claims.algorithms,
        verify=claims.verify,
        precondition=precondition,
        seal=await call.own.encryption.seal(call, attributes.headers),
        notices=call.own.notifications.of_object(call, "ObjectCreated:Put"),
    )
    return S3Response(
        200, [*written_headers(call, item), ("x-amz-object-size", str(item.size)), ("Content-Length", "0")]
    )


def written_headers(call: Call, item: Object) -> list[tuple[str, str]]:
    """What the answer to a write says about the object: ETag, version, checksum, encryption."""
    attributes = item.attributes
    headers = [("ETag", f'"{item.etag}"'), *call.new_version_headers(item)]
    headers += [(checksums.header(algorithm), value) for algorithm, value in attributes.checksums.items()]
    if attributes.checksums:
        headers.append(("x-amz-checksum-type", attributes.checksum_type))
    return headers + encryption_headers(attributes.headers) + expiration_headers(call, item)


def check_length(call: Call) -> None:
    """Raises ``MissingContentLength`` or ``EntityTooLarge`` before any of the body is read."""
    headers = call.request.headers
    declared = headers.get("x-amz-decoded-content-length") or headers.get("content-length")
    if declared is None and "transfer-encoding" not in headers:
        raise MissingContentLength
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared) > MAXIMUM:
        raise EntityTooLarge(int(declared), MAXIMUM)


async def attributes_of(call: Call) -> Attributes:
    """What the headers of a write say about the object it makes. Raises S3's errors for what they may not say."""
    check_acl(call)
    headers = call.request.headers
    kept = {name: headers[name] for name in _KEPT if name in headers}
    if "aws-chunked" in kept.get("content-encoding", ""):
        # It describes how the body was sent, not the object.
        codings = [coding.strip() for coding in kept.pop("content-encoding").split(",")]
        if codings := [coding for coding in codings if coding and coding != "aws-chunked"]:
            kept["content-encoding"] = ", ".join(codings)
    if _REDIRECT in headers:
        if not headers[_REDIRECT].startswith(("/", "http://", "https://")):
            raise InvalidArgument(
                "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
                ArgumentName=_REDIRECT,
                ArgumentValue=headers[_REDIRECT],
            )
        kept[_REDIRECT] = headers[_REDIRECT]
    kept |= await call.own.encryption.asked(call)
    metadata = {name.removeprefix(_METADATA): value for name, value in headers.items() if name.startswith(_METADATA)}
    size = sum(len(name) + len(value.encode("latin-1", "replace")) for name, value in metadata.items())
    if size > _LARGEST_METADATA:
        raise MetadataTooLarge(Size=str(size), MaxSizeAllowed=str(_LARGEST_METADATA))
    storage_class = headers.get("x-amz-storage-class", "STANDARD")
    if storage_class not in STORAGE_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=storage_class)
    tags = sorted(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
    check_tags(tags, maximum=10)
    attributes = Attributes(
        headers=kept,
        metadata=metadata,
        tags=tags,
        storage_class=storage_class,
        owner=call.store.bucket(call.bucket).account,
    )
    apply_to_new(call, attributes)
    return attributes


async def delete_object(call: Call) -> S3Response:
    condition = None
    if (match := call.request.headers.get("if-match")) is not None:
        condition = conditions.write_condition({"if-match": match}, call.key)
    done = await call.store.delete(
        call.bucket,
        call.key,
        call.version,
        precondition=condition,
        allowed=await removable(call, call.key),
        notices=call.own.notifications.of_deletion(call),
    )
    headers = call.version_headers(done)
    return S3Response(204, [("x-amz-delete-marker", "true"), *headers] if done.marker else headers)


async def delete_objects(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    document = await call.document("Delete", digest_required=True)
    entries = document.all("Object")
    if not 1 <= len(entries) <= _LARGEST_DELETE:
        raise MalformedXML
    outcomes: dict[int, Deletion | ServiceError] = {}
    removals: dict[int, Removal] = {}
    for number, entry in enumerate(entries):
        try:
            removals[number] = await _removal(call, entry)
        except ServiceError as error:
            outcomes[number] = error
    done = await call.store.delete_many(call.bucket, list(removals.values()), call.own.notifications.of_deletion(call))
    outcomes |= dict(zip(removals, done, strict=True))
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for number, entry in enumerate(entries):
        outcome = outcomes[number]
        named = {"Key": entry.required("Key"), "VersionId": entry.value("VersionId") or None}
        if isinstance(outcome, ServiceError):
            errors.append({**named, "Code": outcome.code, "Message": outcome.message})
        elif outcome.marker:
            deleted.append({**named, "DeleteMarker": True, "DeleteMarkerVersionId": outcome.version})
        else:
            deleted.append(named)
    quiet = (document.value("Quiet") or "").lower() == "true"
    return xml_response("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": errors})


async def _removal(call: Call, entry: xml.Node) -> Removal:
    key, version = entry.required("Key"), entry.value("VersionId") or None
    await call.allow("s3:DeleteObject" if version is None else "s3:DeleteObjectVersion", call.bucket, key)
    routes.check_key(key)
    if not key:
        raise MalformedXML
    if version is not None:
        check_version(version)
    etag = entry.value("ETag")
    condition = None if etag is None else conditions.write_condition({"if-match": etag}, key)
    return Removal(key, version, condition, await removable(call, key))


async def removable(call: Call, key: str) -> Callable[[Object], None]:
    """What keeps a version from being removed: its lock, unless the caller may bypass governance and says so."""
    bypass = call.header("x-amz-bypass-governance-retention").lower() == "true"
    if bypass:
        await call.allow("s3:BypassGovernanceRetention", call.bucket, key)
    return lambda item: locks.check_removable(item, bypass=bypass)


HANDLERS: dict[str, Handler] = {
    "PutObject": put_object,
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
}
