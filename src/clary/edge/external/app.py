"""S3 for clients, kept by an external store: who may do what is decided here, and what is done is done there.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from typing import cast

from clary.core.settings import Settings
from clary.edge.external import operations
from clary.edge.external.documents import Buckets
from clary.edge.external.forwarding import Store, take_headers
from clary.objects.store import ObjectStore
from clary.services.s3 import routes
from clary.services.s3.answering import answer
from clary.services.s3.call import Authorize, Call
from clary.services.s3.errors import AccessDeniedByS3, NotImplementedByS3
from clary.services.s3.http import S3Request, S3Response


class ExternalS3:
    """S3 over ``store``; all its buckets are of the installation's account. ``authorize`` is asked before every
    access."""

    def __init__(self, settings: Settings, store: Store, authorize: Authorize | None = None) -> None:
        self.store = store
        self._account = settings.account
        self._authorize = authorize
        self._buckets = Buckets(settings.objects / "external", settings.account, store.region)

    async def handle(self, request: S3Request) -> S3Response:
        """Answers one request; errors become answers too, except those of a body that breaks off while it streams
        out."""
        return await answer(request, self._operation, self._buckets.bucket)

    async def _operation(self, request: S3Request, bucket: str, key: str) -> S3Response:
        take_headers(request)
        name = routes.operation(request, bucket, key)
        if not name or name in operations.NOT_DONE:
            raise NotImplementedByS3("A header or query you provided requested a function that is not implemented")
        # The handlers for policies, CORS rules and access control lists ask of a store no more than this one has.
        call = Call(cast(ObjectStore, self._buckets), self._authorize, request, name, bucket, key)
        if name == "CreateBucket" and self._authorize is not None and request.account != self._account:
            raise AccessDeniedByS3("All buckets of the external store belong to this platform's own account")
        if name != "DeleteObjects":
            await call.allow(call.action, bucket, key)
        if name not in ("CreateBucket", "ListBuckets"):
            call.check_owner(bucket)
        response = await operations.run(call, self.store)
        if name == "DeleteBucket" and response.status < 300:
            await self._buckets.forget(bucket)
        return response

    async def close(self) -> None:
        """Close the connections to the store."""
        self.store.client.close()
