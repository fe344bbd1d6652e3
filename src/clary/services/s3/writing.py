"""Writing and deleting objects: PutObject, DeleteObject, DeleteObjects.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from clary.core.errors import ServiceError
from clary.objects.errors import EntityTooLarge
from clary.objects.intake import MAXIMUM
from clary.objects.model import Attributes, Object

from . import checksums, conditions, routes, xml
from .acl import check_acl
from .call import Call, Handler, xml_response
from .errors import (
    InvalidArgument,
    InvalidEncryptionAlgorithmError,
    InvalidStorageClass,
    MalformedXML,
    MetadataTooLarge,
    MissingContentLength,
    NotImplementedByS3,
)
from .http import S3Response
from .tags import check_tags

_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
_REDIRECT = "x-amz-website-redirect-location"
_ENCRYPTION = (
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-bucket-key-enabled",
)
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
    item = await call.store.put(
        call.bucket,
        call.key,
        call.request.body,
        attributes_of(call),
        algorithms=claims.algorithms,
        verify=claims.verify,
        precondition=precondition,
    )
    return S3Response(200, [*written_headers(item), ("x-amz-object-size", str(item.size)), ("Content-Length", "0")])


def written_headers(item: Object) -> list[tuple[str, str]]:
    """What the answer to a write says about the object: ETag, checksum, encryption."""
    attributes = item.attributes
    headers = [("ETag", f'"{item.etag}"')]
    headers += [(checksums.header(algorithm), value) for algorithm, value in attributes.checksums.items()]
    if attributes.checksums:
        headers.append(("x-amz-checksum-type", attributes.checksum_type))
    return headers + encryption_headers(attributes)


def encryption_headers(attributes: Attributes) -> list[tuple[str, str]]:
    """The encryption that was asked for, given back as it came."""
    return [(name, attributes.headers[name]) for name in _ENCRYPTION if name in attributes.headers]


def check_length(call: Call) -> None:
    """Raises ``MissingContentLength`` or ``EntityTooLarge`` before any of the body is read."""
    headers = call.request.headers
    declared = headers.get("x-amz-decoded-content-length") or headers.get("content-length")
    if declared is None and "transfer-encoding" not in headers:
        raise MissingContentLength
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared) > MAXIMUM:
        raise EntityTooLarge(int(declared), MAXIMUM)


def attributes_of(call: Call) -> Attributes:
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
    kept |= _encryption_of(call)
    metadata = {name.removeprefix(_METADATA): value for name, value in headers.items() if name.startswith(_METADATA)}
    size = sum(len(name) + len(value.encode("latin-1", "replace")) for name, value in metadata.items())
    if size > _LARGEST_METADATA:
        raise MetadataTooLarge(Size=str(size), MaxSizeAllowed=str(_LARGEST_METADATA))
    storage_class = headers.get("x-amz-storage-class", "STANDARD")
    if storage_class not in STORAGE_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=storage_class)
    tags = parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True)
    check_tags(tags, maximum=10)
    return Attributes(
        headers=kept,
        metadata=metadata,
        tags=tags,
        storage_class=storage_class,
        owner=call.store.bucket(call.bucket).account,
    )


def _encryption_of(call: Call) -> dict[str, str]:
    headers = call.request.headers
    if any(name.startswith("x-amz-server-side-encryption-customer-") for name in headers):
        raise NotImplementedByS3(Header="x-amz-server-side-encryption-customer-algorithm")
    found = {name: headers[name] for name in _ENCRYPTION if name in headers}
    method = found.get(_ENCRYPTION[0])
    if method not in (None, "AES256", "aws:kms", "aws:kms:dsse"):
        raise InvalidEncryptionAlgorithmError(ArgumentName=_ENCRYPTION[0], ArgumentValue=method)
    if _ENCRYPTION[1] in found and method in (None, "AES256"):
        raise InvalidArgument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
            "aws:kms",
            ArgumentName=_ENCRYPTION[0],
            ArgumentValue=method or "null",
        )
    return found


async def delete_object(call: Call) -> S3Response:
    version = call.request.parameters.get("versionId")
    condition = None
    if (match := call.request.headers.get("if-match")) is not None:
        condition = conditions.write_condition({"if-match": match}, call.key)
    if version in (None, "null"):
        await call.store.delete(call.bucket, call.key, condition)
    else:
        call.check_version()
    return S3Response(204)


async def delete_objects(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    document = await call.document("Delete", digest_required=True)
    entries = document.all("Object")
    if not 1 <= len(entries) <= _LARGEST_DELETE:
        raise MalformedXML
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    plain: list[str] = []
    for entry in entries:
        key = entry.required("Key")
        try:
            await _delete_entry(call, key, entry, plain)
        except ServiceError as error:
            errors.append({"Key": key, "Code": error.code, "Message": error.message})
        else:
            version = entry.value("VersionId")
            deleted.append({"Key": key} | ({"VersionId": version} if version else {}))
    await call.store.delete_many(call.bucket, plain)
    quiet = (document.value("Quiet") or "").lower() == "true"
    return xml_response("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": errors})


async def _delete_entry(call: Call, key: str, entry: xml.Node, plain: list[str]) -> None:
    """Deletes one key, or puts it with the ``plain`` ones, which go in one transaction."""
    await call.allow("s3:DeleteObject", call.bucket, key)
    routes.check_key(key)
    if not key:
        raise MalformedXML
    if entry.value("VersionId") not in (None, "", "null"):
        # Without versioning no other version exists, and deleting what is not there succeeds.
        return
    etag = entry.value("ETag")
    if etag is None:
        plain.append(key)
    else:
        await call.store.delete(call.bucket, key, conditions.write_condition({"if-match": etag}, key))


HANDLERS: dict[str, Handler] = {
    "PutObject": put_object,
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
}
