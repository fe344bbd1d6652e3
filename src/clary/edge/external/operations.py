"""What is done for each operation: most are asked of the store as they came, a few are changed or settled here."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from clary.core.errors import ServiceError
from clary.edge.external.bodies import body_of
from clary.edge.external.client import Answer
from clary.edge.external.forwarding import (
    Store,
    document,
    headers_of,
    parameters_of,
    response_of,
    whole,
    without_checksums,
)
from clary.objects.errors import NoSuchBucket, NoSuchKey
from clary.services.s3 import buckets, configurations, cors, documents, routes, xml
from clary.services.s3.acl import check_acl
from clary.services.s3.call import Call, Handler, xml_response
from clary.services.s3.errors import AccessDeniedByS3, InvalidArgument, MalformedXML
from clary.services.s3.http import S3Response

Operation = Callable[[Call, Store], Awaitable[S3Response]]

NOT_DONE = frozenset({"PostObject"})
_SETTLED_HERE: dict[str, Handler] = {
    **{name: documents.HANDLERS[name] for name in ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy")},
    **cors.HANDLERS,
    **{
        name: configurations.HANDLERS[name]
        for name in (
            "GetBucketOwnershipControls",
            "PutBucketOwnershipControls",
            "GetPublicAccessBlock",
            "PutPublicAccessBlock",
            "DeletePublicAccessBlock",
            "GetBucketPolicyStatus",
        )
    },
    # Access control lists are off here as in new buckets of S3; those of the store would give access past Clary.
    **{name: documents.HANDLERS[name] for name in ("GetBucketAcl", "PutBucketAcl")},
}
_FURTHER_ACTIONS = {
    "x-amz-bypass-governance-retention": "s3:BypassGovernanceRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
}
"""What some headers need besides the operation's own permission: the store would do it for the platform."""
_LARGEST_ANSWER = 16 << 20
"""Bytes of an answer that is read as a whole, the longest there is to a thousand keys that were deleted."""
_LOCATION = re.compile(rb"(<Location>)[^<]*(</Location>)")


async def run(call: Call, store: Store) -> S3Response:
    """Do what ``call`` asks, which is allowed. Raises S3's errors and ``StoreUnavailable``."""
    for header, action in _FURTHER_ACTIONS.items():
        if header in call.request.headers:
            await call.allow(action, call.bucket, call.key)
    if (settled := _SETTLED_HERE.get(call.operation)) is not None:
        await _must_exist(call, store, "")
        return await settled(call)
    return await _CHANGED.get(call.operation, _as_it_came)(call, store)


async def _as_it_came(call: Call, store: Store) -> S3Response:
    body = b""
    if call.request.method in ("PUT", "POST"):
        body = await call.content()
    return response_of(await _ask(call, store, headers_of(call.request), body))


async def _ask(call: Call, store: Store, headers: dict[str, str], body: bytes = b"") -> Answer:
    request = call.request
    return await store.ask(request.method, call.bucket, call.key, parameters_of(request), headers, body)


async def _put(call: Call, store: Store) -> S3Response:
    check_acl(call)
    headers = headers_of(call.request)
    if call.operation == "UploadPart":
        headers = without_checksums(headers)
    request = call.request
    payload = request.headers.get("x-amz-content-sha256", "")
    body, length = await body_of(call)
    try:
        answer = await store.ask(
            request.method, call.bucket, call.key, parameters_of(request), headers, body, length, payload
        )
    finally:
        if not isinstance(body, bytes):
            await body.aclose()
    return response_of(answer)


async def _create_upload(call: Call, store: Store) -> S3Response:
    check_acl(call)
    return response_of(await _ask(call, store, without_checksums(headers_of(call.request))))


async def _complete_upload(call: Call, store: Store) -> S3Response:
    given = xml.read(await call.content(own_checksum=False), "CompleteMultipartUpload")
    parts = [{"PartNumber": each.required("PartNumber"), "ETag": each.required("ETag")} for each in given.all("Part")]
    if not parts:
        raise MalformedXML
    headers = without_checksums(headers_of(call.request))
    headers.pop("content-md5", None)
    answer = await _ask(call, store, headers, xml.write("CompleteMultipartUpload", {"Part": parts}))
    host = call.header("host", "localhost")
    place = xml.escape(f"http://{host}/{call.bucket}/{quote(call.key)}").encode()
    response = response_of(answer)
    if answer.status != 200:
        return response
    response.headers = [(name, value) for name, value in response.headers if name != "content-length"]
    response.body = _relocated(answer.body, place)
    return response


async def _relocated(body: bytes | AsyncGenerator[bytes, None], place: bytes) -> AsyncGenerator[bytes, None]:
    """The answer to a CompleteMultipartUpload with another location: the store's own is not where clients find it.

    While the store works it may send blanks, so that nobody takes it for dead; they go on at once.
    """
    if isinstance(body, bytes):
        yield _LOCATION.sub(lambda found: found[1] + place + found[2], body)
        return
    text = b""
    try:
        async for piece in body:
            if text or piece.strip():
                text += piece
            else:
                yield piece
    finally:
        await body.aclose()
    yield _LOCATION.sub(lambda found: found[1] + place + found[2], text)


async def _copy(call: Call, store: Store) -> S3Response:
    check_acl(call)
    bucket, key, version = _source(call)
    await call.allow("s3:GetObject" if version is None else "s3:GetObjectVersion", bucket, key)
    call.check_owner(bucket, "x-amz-source-expected-bucket-owner")
    headers = headers_of(call.request)
    if call.operation == "UploadPartCopy":
        headers = without_checksums(headers)
    headers["x-amz-copy-source"] = quote(f"/{bucket}/{key}", safe="/-_.~") + (
        f"?versionId={quote(version, safe='')}" if version is not None else ""
    )
    return response_of(await _ask(call, store, headers))


def _source(call: Call) -> tuple[str, str, str | None]:
    """Bucket, key and version of what is copied. Raises ``InvalidArgument``."""
    header = call.header("x-amz-copy-source")
    path, _, query = header.partition("?")
    try:
        # Some clients send UTF-8 as it is, which a header's Latin-1 text shows byte by byte.
        decoded = unquote_to_bytes(path.encode("latin-1")).decode("utf-8")
        bucket, _, key = decoded.removeprefix("/").partition("/")
    except UnicodeError:
        bucket = key = ""
    if not bucket or not key or (query and not query.startswith("versionId=")):
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=header,
        )
    return bucket, key, unquote_to_bytes(query[10:]).decode("utf-8", "replace") if query else None


async def _create_bucket(call: Call, store: Store) -> S3Response:
    """In the region that the store has: those of Clary's clients mean nothing to it."""
    buckets.check_name(call.bucket)
    check_acl(call, bucket=True)
    await call.content()
    place = {"LocationConstraint": store.region}
    body = xml.write("CreateBucketConfiguration", place) if store.region != "us-east-1" else b""
    answer = await _ask(call, store, _of_document(headers_of(call.request)), body)
    response = document(answer, await whole(answer, _LARGEST_ANSWER))
    if response.status == 200:
        response.headers = [(name, value) for name, value in response.headers if name != "location"]
        response.add("location", f"/{call.bucket}")
    return response


def _of_document(headers: dict[str, str]) -> dict[str, str]:
    """Headers for a document that is not the client's own."""
    return {name: value for name, value in without_checksums(headers).items() if name != "content-md5"}


async def _list_buckets(call: Call, store: Store) -> S3Response:
    if call.authorize is not None and call.request.account != call.store.bucket("").account:
        # Its buckets would be listed, and it has none.
        owner = buckets.owner(call.request.account)
        return xml_response("ListAllMyBucketsResult", {"Owner": owner, "Buckets": {}})
    return await _as_it_came(call, store)


async def _delete_objects(call: Call, store: Store) -> S3Response:
    """Of the keys in one request some may be refused; the store is asked for the others alone."""
    given = await call.document("Delete", digest_required=True)
    entries = given.all("Object")
    if not 1 <= len(entries) <= 1000:
        raise MalformedXML
    wanted: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for entry in entries:
        key, version = entry.required("Key"), entry.value("VersionId")
        try:
            if not key:
                raise MalformedXML
            routes.check_key(key)
            await call.allow("s3:DeleteObjectVersion" if version else "s3:DeleteObject", call.bucket, key)
        except ServiceError as error:
            refused.append({"Key": key, "Code": error.code, "Message": error.message})
        else:
            wanted.append({child.name: child.text for child in entry.children})
    if not wanted:
        return xml_response("DeleteResult", {"Error": refused})
    content: dict[str, Any] = {"Object": wanted, "Quiet": given.value("Quiet")}
    body = xml.write("Delete", content)
    headers = _of_document(headers_of(call.request))
    headers["content-md5"] = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    answer = await _ask(call, store, headers, body)
    if answer.status != 200 or not refused:
        return response_of(answer)
    found = xml.read(await whole(answer, _LARGEST_ANSWER), "DeleteResult")
    told: dict[str, list[dict[str, str]]] = {"Deleted": [], "Error": []}
    for node in found.children:
        told.setdefault(node.name, []).append({child.name: child.text for child in node.children})
    return document(answer, xml.write("DeleteResult", {**told, "Error": [*told["Error"], *refused]}))


async def _get_object_acl(call: Call, store: Store) -> S3Response:
    """That of every object: its owner's alone. The store is asked whether there is such an object."""
    await _must_exist(call, store, call.key)
    return await documents.HANDLERS["GetBucketAcl"](call)


async def _put_object_acl(call: Call, store: Store) -> S3Response:
    await _must_exist(call, store, call.key)
    return await documents.HANDLERS["PutBucketAcl"](call)


async def _must_exist(call: Call, store: Store, key: str) -> None:
    """Raises ``NoSuchBucket``, ``NoSuchKey``, or ``AccessDenied`` if the store does not let the platform know."""
    version = {name: value for name, value in call.request.parameters.items() if name == "versionId" and key}
    answer = await store.ask("HEAD", call.bucket, key, version, {})
    if answer.status == 404:
        raise NoSuchKey(key) if key else NoSuchBucket(call.bucket)
    if answer.status >= 300:
        raise AccessDeniedByS3


_CHANGED: dict[str, Operation] = {
    "CompleteMultipartUpload": _complete_upload,
    "CopyObject": _copy,
    "CreateBucket": _create_bucket,
    "CreateMultipartUpload": _create_upload,
    "DeleteObjects": _delete_objects,
    "GetObjectAcl": _get_object_acl,
    "ListBuckets": _list_buckets,
    "PutObject": _put,
    "PutObjectAcl": _put_object_acl,
    "UploadPart": _put,
    "UploadPartCopy": _copy,
}
