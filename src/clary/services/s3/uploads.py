"""Multipart uploads.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from clary.objects.digests import CRCS
from clary.objects.intake import MAXIMUM
from clary.objects.model import Object, Part, Upload

from . import checksums, conditions
from .buckets import owner, timestamp
from .call import Call, Handler, xml_response
from .copying import source_headers, source_of
from .encryption import COPY_SOURCE, encryption_headers
from .errors import BadDigest, InvalidArgument, InvalidPartOrder, InvalidRange, InvalidRequest, MalformedXML
from .http import S3Response
from .listing import encoder
from .writing import attributes_of, check_length

_MOST_PARTS = 10_000
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


async def create_multipart_upload(call: Call) -> S3Response:
    attributes = await attributes_of(call)
    await call.own.encryption.seal(call, attributes.headers)  # so that a key that is of no use is told now
    headers = []
    kind = call.header("x-amz-checksum-type").upper()
    if named := call.header("x-amz-checksum-algorithm"):
        algorithm = checksums.known(named)
        kind = kind or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
        if (kind == "FULL_OBJECT" and algorithm not in CRCS) or (kind == "COMPOSITE" and algorithm == "CRC64NVME"):
            raise InvalidRequest(
                f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
            )
        attributes.checksum_algorithm, attributes.checksum_type = algorithm, kind
        headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)]
    elif kind:
        raise InvalidRequest(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        )
    upload = await call.store.multipart.create(call.bucket, call.key, attributes)
    return xml_response(
        "InitiateMultipartUploadResult",
        {"Bucket": call.bucket, "Key": call.key, "UploadId": upload.id},
        [*headers, *encryption_headers(attributes.headers)],
    )


def _part_number(call: Call) -> int:
    text = call.parameter("partNumber")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_PARTS):
        raise InvalidArgument(
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=text,
        )
    return int(text)


async def _find(call: Call) -> Upload:
    return await call.store.multipart.find(call.bucket, call.key, call.parameter("uploadId"))


async def upload_part(call: Call) -> S3Response:
    number = _part_number(call)
    check_length(call)
    upload = await _find(call)
    expected = upload.attributes.checksum_algorithm
    claims = checksums.claims(call.request, default=expected)
    if expected and claims.algorithm != expected:
        raise InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower()}, "
            f"actual checksum Type: {claims.algorithm.lower()}"
        )
    part = await call.store.multipart.put_part(
        call.bucket,
        upload,
        number,
        call.request.body,
        algorithms=claims.algorithms,
        verify=claims.verify,
        seal=await call.own.encryption.seal(call, upload.attributes.headers),
    )
    headers = [("ETag", f'"{part.etag}"')]
    headers += [(checksums.header(algorithm), value) for algorithm, value in part.checksums.items()]
    return S3Response(200, [*headers, *encryption_headers(upload.attributes.headers), ("Content-Length", "0")])


async def upload_part_copy(call: Call) -> S3Response:
    """Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    number = _part_number(call)
    source = await source_of(call)
    upload = await _find(call)
    reader = await call.store.get(source.bucket, source.key, source.version)
    try:
        conditions.check_read(call.request.headers, reader.object, "x-amz-copy-source-")
        start, stop = _copy_range(call, reader.object.size)
        call.own.encryption.unlock(call, reader, COPY_SOURCE)
        seal = await call.own.encryption.seal(call, upload.attributes.headers)
    except BaseException:
        reader.close()
        raise
    algorithm = upload.attributes.checksum_algorithm
    part = await call.store.multipart.put_part(
        call.bucket,
        upload,
        number,
        reader.stream(start, stop),
        algorithms=[algorithm] if algorithm else (),
        seal=seal,
    )
    content = {"ETag": f'"{part.etag}"', "LastModified": timestamp(part.modified)}
    content |= {f"Checksum{name}": value for name, value in part.checksums.items()}
    headers = [*source_headers(call, source), *encryption_headers(upload.attributes.headers)]
    return xml_response("CopyPartResult", content, headers)


def _copy_range(call: Call, size: int) -> tuple[int, int]:
    text = call.request.headers.get("x-amz-copy-source-range")
    if text is None:
        if size > MAXIMUM:
            raise InvalidRequest(
                f"The specified copy source is larger than the maximum allowable size for a copy source: {MAXIMUM}"
            )
        return 0, size
    match = _COPY_RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=text,
        )
    if int(match[2]) >= size:
        raise InvalidRange(RangeRequested=text, ActualObjectSize=str(size))
    return int(match[1]), int(match[2]) + 1


async def complete_multipart_upload(call: Call) -> S3Response:
    document = await call.document("CompleteMultipartUpload", own_checksum=False)
    entries = document.all("Part")
    if not 1 <= len(entries) <= _MOST_PARTS:
        raise MalformedXML
    chosen: list[tuple[int, str]] = []
    claimed: list[dict[str, str]] = []
    for entry in entries:
        text = entry.required("PartNumber").strip()
        if not (text.isascii() and text.isdigit()):
            raise MalformedXML
        chosen.append((int(text), entry.required("ETag").strip().strip('"')))
        claimed.append({child.name.removeprefix("Checksum"): child.text for child in entry.children})
    if any(second <= first for (first, _), (second, _) in itertools.pairwise(chosen)):
        raise InvalidPartOrder(UploadId=call.parameter("uploadId"))
    size = call.header("x-amz-mp-object-size")
    whole = checksums.in_headers(call.request.headers)
    kind = call.header("x-amz-checksum-type").upper()

    def verify(item: Object, parts: list[Part]) -> None:
        if size and size != str(item.size):
            raise InvalidRequest(
                f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {item.size}"
            )
        if kind and item.attributes.checksums and kind != item.attributes.checksum_type:
            raise InvalidRequest(
                f"The upload was created using the {item.attributes.checksum_type} checksum mode. "
                f"The complete request must use the same checksum mode."
            )
        for part, claims in zip(parts, claimed, strict=True):
            if any(claims.get(algorithm, value) != value for algorithm, value in part.checksums.items()):
                raise BadDigest(f"The checksum of part {part.number} did not match the calculated checksum.")
        for algorithm, value in whole.items():
            if item.attributes.checksums.get(algorithm) not in (value, f"{value}-{len(parts)}"):
                raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")

    item = await call.store.multipart.complete(
        call.bucket,
        call.key,
        call.parameter("uploadId"),
        chosen,
        verify=verify,
        precondition=conditions.write_condition(call.request.headers, call.key),
        notices=call.own.notifications.of_object(call, "ObjectCreated:CompleteMultipartUpload"),
    )
    host = call.header("host", "localhost")
    content = {
        "Location": f"http://{host}/{call.bucket}/{call.key}",
        "Bucket": call.bucket,
        "Key": call.key,
        "ETag": f'"{item.etag}"',
        **{f"Checksum{name}": value for name, value in item.attributes.checksums.items()},
        "ChecksumType": item.attributes.checksum_type or None,
    }
    headers = [*call.new_version_headers(item), *encryption_headers(item.attributes.headers)]
    return xml_response("CompleteMultipartUploadResult", content, headers)


async def abort_multipart_upload(call: Call) -> S3Response:
    await call.store.multipart.abort(call.bucket, call.key, call.parameter("uploadId"))
    return S3Response(204)


async def list_parts(call: Call) -> S3Response:
    upload = await _find(call)
    limit = call.number("max-parts", 1000, 1000)
    marker = call.number("part-number-marker", 0, 2**31 - 1)
    parts, truncated = await call.store.multipart.parts(upload.id, marker, limit)
    attributes = upload.attributes
    content: dict[str, Any] = {
        "Bucket": call.bucket,
        "Key": call.key,
        "UploadId": upload.id,
        "Initiator": owner(attributes.owner),
        "Owner": owner(attributes.owner),
        "StorageClass": attributes.storage_class,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": parts[-1].number if parts else marker,
        "MaxParts": limit,
        "IsTruncated": truncated,
        "ChecksumAlgorithm": attributes.checksum_algorithm or None,
        "ChecksumType": attributes.checksum_type or None,
        "Part": [
            {
                "PartNumber": part.number,
                "LastModified": timestamp(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **{f"Checksum{name}": value for name, value in part.checksums.items()},
            }
            for part in parts
        ],
    }
    return xml_response("ListPartsResult", content)


async def list_multipart_uploads(call: Call) -> S3Response:
    encode, limit = encoder(call), call.number("max-uploads", 1000, 1000)
    key_marker, id_marker = call.parameter("key-marker"), call.parameter("upload-id-marker")
    delimiter, prefix = call.parameter("delimiter"), call.parameter("prefix")
    page = await call.store.multipart.list(
        call.bucket,
        prefix=prefix,
        delimiter=delimiter,
        after=(key_marker, id_marker if key_marker else ""),
        limit=limit,
    )
    content: dict[str, Any] = {
        "Bucket": call.bucket,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": encode(page.last_key) if page.truncated else None,
        "NextUploadIdMarker": page.last_id if page.truncated else None,
        "Prefix": encode(prefix) if prefix else None,
        "Delimiter": encode(delimiter) if delimiter else None,
        "EncodingType": call.parameter("encoding-type") or None,
        "MaxUploads": limit,
        "IsTruncated": page.truncated,
        "Upload": [
            {
                "Key": encode(upload.key),
                "UploadId": upload.id,
                "Initiator": owner(upload.attributes.owner),
                "Owner": owner(upload.attributes.owner),
                "StorageClass": upload.attributes.storage_class,
                "Initiated": timestamp(upload.created),
                "ChecksumAlgorithm": upload.attributes.checksum_algorithm or None,
                "ChecksumType": upload.attributes.checksum_type or None,
            }
            for upload in page.uploads
        ],
        "CommonPrefixes": [{"Prefix": encode(common)} for common in page.prefixes],
    }
    return xml_response("ListMultipartUploadsResult", content)


HANDLERS: dict[str, Handler] = {
    "CreateMultipartUpload": create_multipart_upload,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part_copy,
    "CompleteMultipartUpload": complete_multipart_upload,
    "AbortMultipartUpload": abort_multipart_upload,
    "ListParts": list_parts,
    "ListMultipartUploads": list_multipart_uploads,
}
