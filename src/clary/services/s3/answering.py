"""What every request to S3 has around its operation, wherever the objects lie: errors, CORS, and the rest of its body.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable

from clary.core.errors import ServiceError
from clary.objects.errors import IsDeleteMarker, NoSuchBucket, NoSuchKey
from clary.objects.model import Bucket

from . import cors, routes, xml
from .conditions import http_date
from .errors import IncompleteBody, InternalError, NotModified
from .http import CountedBody, S3Request, S3Response

_MOST_SKIPPED = 1 << 20
"""Bytes of the largest refused body that is read, so that the client gets the answer and keeps its connection."""

log = logging.getLogger(__name__)


async def answer(
    request: S3Request,
    operation: Callable[[S3Request, str, str], Awaitable[S3Response]],
    bucket_of: Callable[[str], Bucket],
) -> S3Response:
    """Runs ``operation`` with the request, its bucket and its key; errors become answers too.

    ``bucket_of`` gives a bucket by its name, for its CORS rules, and raises ``NoSuchBucket``.
    """
    bucket = ""
    body = request.body = CountedBody(request.body)
    try:
        bucket, key = routes.split(request)
        if request.method == "OPTIONS":
            response = cors.preflight(request, bucket_of(bucket))
        else:
            response = await operation(request, bucket, key)
    except ServiceError as error:
        response = error_response(request, error)
    except ConnectionError:
        # The client went away within its body; nothing was stored, and nobody reads the answer.
        response = error_response(request, IncompleteBody())
    except Exception:
        log.exception("request %s failed", request.request_id)
        response = error_response(request, InternalError())
    if "origin" in request.headers and request.method != "OPTIONS" and bucket:
        with contextlib.suppress(NoSuchBucket):
            response.headers += cors.answer(request, bucket_of(bucket))
    if not body.ended and not await _rest_read(request, body):
        response.add("Connection", "close")
    response.add("x-amz-request-id", request.request_id)
    response.add("x-amz-id-2", host_id(request.request_id))
    return response


async def _rest_read(request: S3Request, body: CountedBody) -> bool:
    """Whether the connection can be used again: nothing of the body that an operation did not want is in the way."""
    headers = request.headers
    length = headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in headers:
        return True
    if "expect" in headers or not length.isdigit() or int(length) > _MOST_SKIPPED:
        # Such a client sends its body only when told to; asking for it just to throw it away would be a waste.
        return False
    try:
        return await body.skip(_MOST_SKIPPED)
    except (ServiceError, OSError):
        return False


def error_response(request: S3Request, error: ServiceError) -> S3Response:
    """The answer that says ``error``; without a document where HTTP allows none."""
    response = _error_response(request, error)
    response.failure = (error.code, error.message)
    return response


def _error_response(request: S3Request, error: ServiceError) -> S3Response:
    if isinstance(error, NotModified):
        etag, modified = error.members["ETag"], error.members["LastModified"]
        return S3Response(304, [("ETag", f'"{etag}"'), ("Last-Modified", modified)])
    headers = []
    if isinstance(error, (NoSuchKey, IsDeleteMarker)) and error.marker is not None:
        headers += [("x-amz-delete-marker", "true"), ("x-amz-version-id", error.marker.version)]
    if isinstance(error, IsDeleteMarker):
        headers += [("Last-Modified", http_date(error.marker.modified)), ("Allow", "DELETE")]
    if error.status == 416 and "ActualObjectSize" in error.members:
        headers.append(("Content-Range", f"bytes */{error.members['ActualObjectSize']}"))
    if request.method == "HEAD":
        return S3Response(error.status, [*headers, ("Content-Type", "application/xml")])
    content = {"Code": error.code, "Message": error.message, **error.members}
    content |= {"RequestId": request.request_id, "HostId": host_id(request.request_id)}
    body = xml.write("Error", content, namespace=False)
    return S3Response(
        error.status, [*headers, ("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body
    )


def host_id(request_id: str) -> str:
    """The second id that S3 gives a request; here only a digest of the first."""
    return base64.b64encode(hashlib.sha256(request_id.encode()).digest()).decode()
