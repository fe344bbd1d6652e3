"""S3 as one callable: find the operation, check access, run it, and say what went wrong as S3 does.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from clary.objects.errors import NoSuchBucket
from clary.objects.store import ObjectStore

from . import (
    buckets,
    configurations,
    copying,
    cors,
    documents,
    lifecycle,
    listing,
    notifications,
    object_lock,
    post,
    reading,
    routes,
    uploads,
    versioning,
    writing,
)
from .answering import answer
from .call import Authorize, Call, Handler, Services
from .errors import NotImplementedByS3
from .http import S3Request, S3Response

_OWN_ACCESS = ("DeleteObjects", "PostObject")
"""Operations that say in their bodies what they are about, and check access when they have read it."""

HANDLERS: dict[str, Handler] = {
    **buckets.HANDLERS,
    **copying.HANDLERS,
    **cors.HANDLERS,
    **configurations.HANDLERS,
    **documents.HANDLERS,
    **lifecycle.HANDLERS,
    **listing.HANDLERS,
    **notifications.HANDLERS,
    **object_lock.HANDLERS,
    **post.HANDLERS,
    **reading.HANDLERS,
    **uploads.HANDLERS,
    **versioning.HANDLERS,
    **writing.HANDLERS,
}


class S3App:
    """S3 over ``store``. ``authorize`` is asked before every access; without it everything is allowed."""

    def __init__(self, store: ObjectStore, services: Services, authorize: Authorize | None = None) -> None:
        self.store = store
        self._services = services
        self._authorize = authorize

    async def handle(self, request: S3Request) -> S3Response:
        """Answers one request; errors become answers too, except those of a body that breaks off while it streams
        out."""
        return await answer(request, self._operation, self.store.bucket)

    async def _operation(self, request: S3Request, bucket: str, key: str) -> S3Response:
        name = routes.operation(request, bucket, key)
        call = Call(self.store, self._authorize, request, name, bucket, key, self._services)
        if name not in HANDLERS:
            raise NotImplementedByS3("A header or query you provided requested a function that is not implemented")
        if name != "CreateBucket" and bucket and bucket not in self.store.writer.buckets:
            await call.allow(call.action, bucket, key)
            raise NoSuchBucket(bucket)
        if name not in _OWN_ACCESS:
            await call.allow(call.action, bucket, key)
        if name not in ("CreateBucket", "ListBuckets"):
            call.check_owner(bucket)
        return await HANDLERS[name](call)
