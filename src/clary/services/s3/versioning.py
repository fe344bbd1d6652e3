"""Whether a bucket keeps the versions of its objects.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
"""

from __future__ import annotations

from clary.objects.versions import ENABLED, SUSPENDED

from .call import Call, Handler, xml_response
from .errors import IllegalVersioningConfiguration, InvalidBucketState, NotImplementedByS3
from .http import S3Response
from .object_lock import DOCUMENT as LOCK


async def get_bucket_versioning(call: Call) -> S3Response:
    status = call.store.bucket(call.bucket).versioning
    return xml_response("VersioningConfiguration", {"Status": status or None})


async def put_bucket_versioning(call: Call) -> S3Response:
    document = await call.document("VersioningConfiguration")
    if document.value("MfaDelete") == "Enabled":
        raise NotImplementedByS3("Deleting with a second factor is not implemented.")
    status = document.value("Status")
    if status not in (ENABLED, SUSPENDED):
        raise IllegalVersioningConfiguration
    if status == SUSPENDED and LOCK in call.store.bucket(call.bucket).documents:
        raise InvalidBucketState(
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        )
    await call.store.set_versioning(call.bucket, status)
    return S3Response(200, [("Content-Length", "0")])


HANDLERS: dict[str, Handler] = {
    "GetBucketVersioning": get_bucket_versioning,
    "PutBucketVersioning": put_bucket_versioning,
}
