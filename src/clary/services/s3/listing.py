"""Listing the objects of a bucket, in both versions of the operation.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from clary.objects.model import Listing, Object

from .buckets import owner, timestamp
from .call import Call, Handler, check_version, xml_response
from .errors import InvalidArgument
from .http import S3Response


def encoder(call: Call) -> Callable[[str], str]:
    """How keys and prefixes are to be written: as they are, or percent-encoded. Raises ``InvalidArgument``."""
    encoding = call.parameter("encoding-type")
    if encoding not in ("", "url"):
        raise InvalidArgument(
            "Invalid Encoding Method specified in Request", ArgumentName="encoding-type", ArgumentValue=encoding
        )
    return quote if encoding else str


def _entries(page: Listing, encode: Callable[[str], str], *, owners: bool) -> dict[str, Any]:
    return {
        "Contents": [_entry(item, encode, owners=owners) for item in page.objects],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }


def _entry(item: Object, encode: Callable[[str], str], *, owners: bool) -> dict[str, Any]:
    attributes = item.attributes
    entry: dict[str, Any] = {
        "Key": encode(item.key),
        "LastModified": timestamp(item.modified),
        "ETag": f'"{item.etag}"',
        "Size": item.size,
    }
    if attributes.checksums:
        entry |= {"ChecksumAlgorithm": list(attributes.checksums), "ChecksumType": attributes.checksum_type}
    if owners:
        entry["Owner"] = owner(attributes.owner)
    return entry | {"StorageClass": attributes.storage_class}


def _frame(call: Call, encode: Callable[[str], str], limit: int, truncated: bool) -> dict[str, Any]:
    delimiter = call.parameter("delimiter")
    return {
        "Name": call.bucket,
        "Prefix": encode(call.parameter("prefix")),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": limit,
        "EncodingType": call.parameter("encoding-type") or None,
        "IsTruncated": truncated,
    }


async def list_objects_v2(call: Call) -> S3Response:
    encode, limit = encoder(call), call.number("max-keys", 1000, 1000)
    token, start_after = call.request.parameters.get("continuation-token"), call.parameter("start-after")
    page = await call.store.list(
        call.bucket,
        prefix=call.parameter("prefix"),
        delimiter=call.parameter("delimiter"),
        after=_opened(token) if token else start_after,
        limit=limit,
    )
    content = _frame(call, encode, limit, page.truncated)
    content |= {
        "KeyCount": len(page.objects) + len(page.prefixes),
        "StartAfter": encode(start_after) if start_after else None,
        "ContinuationToken": token,
        "NextContinuationToken": base64.urlsafe_b64encode(page.last.encode()).decode() if page.truncated else None,
    }
    owners = call.parameter("fetch-owner").lower() == "true"
    return xml_response("ListBucketResult", content | _entries(page, encode, owners=owners))


def _opened(token: str) -> str:
    try:
        key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not key:
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token", ArgumentValue=token
        )
    return key


async def list_objects(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html"""
    encode, limit = encoder(call), call.number("max-keys", 1000, 1000)
    marker, delimiter = call.parameter("marker"), call.parameter("delimiter")
    page = await call.store.list(
        call.bucket, prefix=call.parameter("prefix"), delimiter=delimiter, after=marker, limit=limit
    )
    # Only here the prefix is never encoded; clients do not decode it either.
    content = _frame(call, encode, limit, page.truncated) | {
        "Prefix": call.parameter("prefix"),
        "Marker": encode(marker),
    }
    if page.truncated and delimiter:
        content["NextMarker"] = encode(page.last)
    return xml_response("ListBucketResult", content | _entries(page, encode, owners=True))


async def list_object_versions(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html"""
    encode, limit = encoder(call), call.number("max-keys", 1000, 1000)
    marker, version_marker = call.parameter("key-marker"), call.parameter("version-id-marker")
    if version_marker and not marker:
        raise InvalidArgument(
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=version_marker,
        )
    if version_marker:
        check_version(version_marker)
    page = await call.store.list_versions(
        call.bucket,
        prefix=call.parameter("prefix"),
        delimiter=call.parameter("delimiter"),
        after=(marker, version_marker),
        limit=limit,
    )

    def described(item: Object) -> dict[str, Any]:
        entry = {"VersionId": item.version, "IsLatest": item.sequence in page.latest}
        if not item.deleted:
            return _entry(item, encode, owners=True) | entry
        modified = {"Key": encode(item.key), "LastModified": timestamp(item.modified)}
        return modified | {"Owner": owner(item.attributes.owner)} | entry

    content = _frame(call, encode, limit, page.truncated) | {
        "KeyMarker": encode(marker),
        "VersionIdMarker": version_marker,
        "NextKeyMarker": encode(page.last_key) if page.truncated else None,
        "NextVersionIdMarker": page.last_version or None if page.truncated else None,
        "Version": [described(item) for item in page.versions if not item.deleted],
        "DeleteMarker": [described(item) for item in page.versions if item.deleted],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    return xml_response("ListVersionsResult", content)


HANDLERS: dict[str, Handler] = {
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
    "ListObjectVersions": list_object_versions,
}
