"""S3 as one callable: find the operation, check access, run it, and say what went wrong as S3 does.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import base64
import hashlib
import logging

from clary.core.errors import ServiceError
from clary.objects.errors import NoSuchBucket
from clary.objects.store import ObjectStore

from . import buckets, copying, cors, documents, listing, reading, routes, uploads, writing, xml
from .call import Authorize, Call, Handler
from .errors import IncompleteBody, InternalError, NotImplementedByS3, NotModified
from .http import CountedBody, S3Request, S3Response

_MOST_SKIPPED = 1 << 20
"""Bytes of the largest refused body that is read, so that the client gets the answer and keeps its connection."""

log = logging.getLogger(__name__)

HANDLERS: dict[str, Handler] = {
    **buckets.HANDLERS,
    **copying.HANDLERS,
    **cors.HANDLERS,
    **documents.HANDLERS,
    **listing.HANDLERS,
    **reading.HANDLERS,
    **uploads.HANDLERS,
    **writing.HANDLERS,
}


class S3App:
    """S3 over ``store``. ``authorize`` is asked before every access; without it everything is allowed."""

    def __init__(self, store: ObjectStore, authorize: Authorize | None = None) -> None:
        self.store = store
        self._authorize = authorize

    async def handle(self, request: S3Request) -> S3Response:
        """Answers one request; errors become answers too, except those of a body that breaks off while it streams
        out."""
        bucket = ""
        body = request.body = CountedBody(request.body)
        try:
            bucket, key = routes.split(request)
            if request.method == "OPTIONS":
                response = cors.preflight(request, self.store.bucket(bucket))
            else:
                response = await self._operation(request, bucket, key)
        except ServiceError as error:
            response = error_response(request, error)
        except ConnectionError:
            # The client went away within its body; nothing was stored, and nobody reads the answer.
            response = error_response(request, IncompleteBody())
        except Exception:
            log.exception("request %s failed", request.request_id)
            response = error_response(request, InternalError())
        if "origin" in request.headers and request.method != "OPTIONS" and bucket in self.store.writer.buckets:
            response.headers += cors.answer(request, self.store.bucket(bucket))
        if not body.ended and not await _rest_read(request, body):
            response.add("Connection", "close")
        response.add("x-amz-request-id", request.request_id)
        response.add("x-amz-id-2", host_id(request.request_id))
        return response

    async def _operation(self, request: S3Request, bucket: str, key: str) -> S3Response:
        name = routes.operation(request, bucket, key)
        call = Call(self.store, self._authorize, request, name, bucket, key)
        if name not in HANDLERS:
            raise NotImplementedByS3("A header or query you provided requested a function that is not implemented")
        if name != "CreateBucket" and bucket and bucket not in self.store.writer.buckets:
            await call.allow(routes.action(name), bucket, key)
            raise NoSuchBucket(bucket)
        if name != "DeleteObjects":
            await call.allow(routes.action(name), bucket, key)
        if name not in ("CreateBucket", "ListBuckets"):
            call.check_owner(bucket)
        return await HANDLERS[name](call)


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
    if isinstance(error, NotModified):
        etag, modified = error.members["ETag"], error.members["LastModified"]
        return S3Response(304, [("ETag", f'"{etag}"'), ("Last-Modified", modified)])
    headers = []
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
