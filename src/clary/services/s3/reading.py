"""Reading objects: GetObject, HeadObject, GetObjectAttributes.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from clary.objects.errors import NoSuchKey
from clary.objects.model import Object, Segment

from . import checksums, conditions
from .call import Call, Handler, xml_response
from .encryption import check_customer_key
from .errors import InvalidArgument, InvalidPartNumber, InvalidRequest
from .http import S3Response
from .lifecycle import expiration_headers
from .object_lock import lock_headers

_OVERRIDES = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
_LOCAL_PATH = "x-clary-local-path"
"""An agent on this machine asks with it for the file itself, to clone it instead of streaming it; the answer has no
body then."""


async def get_object(call: Call) -> S3Response:
    try:
        reader = await call.store.get(call.bucket, call.key, call.version)
    except NoSuchKey:
        await _allow_to_know(call)
        raise
    try:
        conditions.check_read(call.request.headers, reader.object)
        status, start, stop, headers = _extent(call, reader.object, reader.segments)
        call.own.encryption.unlock(call, reader)
    except BaseException:
        reader.close()
        raise
    headers = [*_object_headers(call, reader.object, whole=status == 200), *headers]
    headers += _part_checksum(call, reader.object, reader.segments)
    if _LOCAL_PATH in call.request.headers and status == 200 and reader.file is not None:
        reader.close()
        headers = [(name, value) for name, value in headers if name != "Content-Length"]
        return S3Response(200, [*headers, ("Content-Length", "0"), (_LOCAL_PATH, str(reader.file))], b"")
    if reader.data is not None:
        reader.close()
        return S3Response(status, headers, reader.data[start:stop])
    return S3Response(status, headers, reader.stream(start, stop))


async def head_object(call: Call) -> S3Response:
    try:
        item = await call.store.head(call.bucket, call.key, call.version)
    except NoSuchKey:
        await _allow_to_know(call)
        raise
    check_customer_key(call, item)
    conditions.check_read(call.request.headers, item)
    segments = await call.store.segments(item) if "partNumber" in call.request.parameters else ()
    status, _, _, headers = _extent(call, item, segments)
    headers = [*_object_headers(call, item, whole=status == 200), *headers]
    return S3Response(status, [*headers, *_part_checksum(call, item, segments)])


async def _allow_to_know(call: Call) -> None:
    """Raises ``AccessDenied`` unless the caller may list the bucket: nobody else is told what is not in it."""
    listing = replace(call.request, query=urlencode({"prefix": call.key}))
    await replace(call, request=listing).allow("s3:ListBucket", call.bucket)


def _extent(call: Call, item: Object, segments: Sequence[Segment]) -> tuple[int, int, int, list[tuple[str, str]]]:
    """Status, first byte, the byte after the last, and the headers that say so, for the range or the part that is
    asked for."""
    headers: list[tuple[str, str]] = []
    wanted: tuple[int, int] | None
    if "partNumber" in call.request.parameters:
        if "range" in call.request.headers:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        number = call.number("partNumber", 1, 10_001, lowest=1)
        if number > max(item.parts, 1):
            raise InvalidPartNumber(ActualPartCount=str(max(item.parts, 1)), PartNumberRequested=str(number))
        sizes = [segment.size for segment in segments]
        wanted = (0, item.size)
        if item.parts:
            wanted = (sum(sizes[: number - 1]), sum(sizes[:number]))
            headers.append(("x-amz-mp-parts-count", str(item.parts)))
        if item.size == 0:
            wanted = None
    else:
        wanted = conditions.byte_range(call.request.headers.get("range"), item.size)
    if wanted is None:
        return 200, 0, item.size, [*headers, ("Content-Length", str(item.size))]
    start, stop = wanted
    headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{item.size}"))
    return 206, start, stop, [*headers, ("Content-Length", str(stop - start))]


def _object_headers(call: Call, item: Object, *, whole: bool) -> list[tuple[str, str]]:
    attributes = item.attributes
    kept = {"content-type": "binary/octet-stream"} | attributes.headers
    for name in _OVERRIDES:
        if value := call.parameter(f"response-{name}"):
            kept[name] = _header_value(f"response-{name}", value)
    headers = [(name.title() if not name.startswith("x-") else name, value) for name, value in kept.items()]
    headers += [
        ("Accept-Ranges", "bytes"),
        ("ETag", f'"{item.etag}"'),
        ("Last-Modified", conditions.http_date(item.modified)),
    ]
    headers += [*call.version_headers(item), *lock_headers(attributes), *expiration_headers(call, item)]
    headers += [(f"x-amz-meta-{name}", value) for name, value in attributes.metadata.items()]
    if attributes.tags:
        headers.append(("x-amz-tagging-count", str(len(attributes.tags))))
    if attributes.storage_class != "STANDARD":
        headers.append(("x-amz-storage-class", attributes.storage_class))
    if whole and call.header("x-amz-checksum-mode").upper() == "ENABLED":
        headers += checksum_headers(item)
    return headers


def _header_value(name: str, value: str) -> str:
    """A value that a header of the answer can have. Raises ``InvalidArgument`` for others."""
    if any(character > "\xff" for character in value):
        problem = "Header value cannot be represented using ISO-8859-1."
    elif any(character < " " or character == "\x7f" for character in value.replace("\t", " ")):
        problem = "Header value cannot have control characters."
    else:
        return value
    # Nor can XML say all of them.
    shown = "".join(character if " " <= character <= "~" else "?" for character in value)
    raise InvalidArgument(problem, ArgumentName=name, ArgumentValue=shown)


def _part_checksum(call: Call, item: Object, segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """The checksum of the part that is asked for, if it is known and wanted."""
    if "partNumber" not in call.request.parameters or call.header("x-amz-checksum-mode").upper() != "ENABLED":
        return []
    if not item.parts:
        return checksum_headers(item)
    number = call.number("partNumber", 1, 10_000, lowest=1)
    checksum = segments[number - 1].checksum if number <= len(segments) else ""
    algorithm = next(iter(item.attributes.checksums), "")
    if not (algorithm and checksum):
        return []
    return [(checksums.header(algorithm), checksum), ("x-amz-checksum-type", item.attributes.checksum_type)]


def checksum_headers(item: Object) -> list[tuple[str, str]]:
    """The headers with an object's checksum and its type."""
    attributes = item.attributes
    headers = [(checksums.header(algorithm), value) for algorithm, value in attributes.checksums.items()]
    return [*headers, ("x-amz-checksum-type", attributes.checksum_type)] if headers else []


async def get_object_attributes(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html"""
    wanted = {name.strip() for name in call.header("x-amz-object-attributes").split(",") if name.strip()}
    if not wanted or wanted - {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}:
        raise InvalidArgument("Invalid attribute name specified.", ArgumentName="x-amz-object-attributes")
    item = await call.store.head(call.bucket, call.key, call.version)
    check_customer_key(call, item)
    conditions.check_read(call.request.headers, item)
    attributes = item.attributes
    content: dict[str, Any] = {}
    if "ETag" in wanted:
        content["ETag"] = item.etag
    if "Checksum" in wanted and attributes.checksums:
        found: dict[str, str] = {f"Checksum{name}": value for name, value in attributes.checksums.items()}
        content["Checksum"] = found | {"ChecksumType": attributes.checksum_type}
    if "ObjectParts" in wanted and item.parts:
        content["ObjectParts"] = await _object_parts(call, item)
    if "StorageClass" in wanted:
        content["StorageClass"] = attributes.storage_class
    if "ObjectSize" in wanted:
        content["ObjectSize"] = item.size
    headers = [("Last-Modified", conditions.http_date(item.modified)), *call.version_headers(item)]
    return xml_response("GetObjectAttributesResponse", content, headers)


async def _object_parts(call: Call, item: Object) -> dict[str, Any]:
    limit = _header_number(call, "x-amz-max-parts", 1000)
    marker = _header_number(call, "x-amz-part-number-marker", 0)
    # Part numbers are those of the finished object: in order and without gaps.
    numbered = list(enumerate(await call.store.segments(item), start=1))[marker:]
    page = numbered[: min(limit, 1000)]
    algorithm = next(iter(item.attributes.checksums), "")
    described = [
        {"PartNumber": number, "Size": segment.size}
        | ({f"Checksum{algorithm}": segment.checksum} if algorithm and segment.checksum else {})
        for number, segment in page
    ]
    return {
        "PartsCount": item.parts,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1][0] if page else marker,
        "MaxParts": limit,
        "IsTruncated": len(page) < len(numbered),
        # Without part checksums S3 does not list the parts.
        "Part": described if algorithm else None,
    }


def _header_number(call: Call, name: str, default: int) -> int:
    text = call.header(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgument(
            f"Provided {name} not an integer or within integer range", ArgumentName=name, ArgumentValue=text
        )
    return int(text)


HANDLERS: dict[str, Handler] = {
    "GetObject": get_object,
    "HeadObject": head_object,
    "GetObjectAttributes": get_object_attributes,
}
