"""What the trail says of a call of S3: its operation, its bucket and key, and whether it is one for an object.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from clary.core.errors import ServiceError
from clary.edge.trail import LONGEST_VALUE, Call, Trail
from clary.services.s3 import routes
from clary.services.s3.http import S3Request

_SHOWN = ("delimiter", "list-type", "max-keys", "partNumber", "prefix", "start-after", "uploadId", "versionId")
"""The parameters of a query that say what is asked; of the others a presigned URL's may sign in whoever has them."""
_FOR_OBJECTS = frozenset(
    ("DeleteObjects", "HeadBucket", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2",
     "PostObject")
)  # fmt: skip
"""Operations on buckets that AWS counts among those for objects."""
_RECORDED_AS = {"ListObjectsV2": "ListObjects", "PostObject": "PutObject"}


def keep(trail: Trail, call: Call, request: S3Request, failure: tuple[str, str] | None) -> None:
    """Record a call of S3 that is about to be answered, with ``failure``'s code and message where it was refused."""
    try:
        bucket, key = routes.split(request)
        operation = routes.operation(request, bucket, key) if request.method != "OPTIONS" else "PreflightRequest"
    except ServiceError:
        bucket, key, operation = unquote(request.virtual_bucket), "", ""
    parameters: dict[str, Any] = {}
    resources: list[dict[str, str]] = []
    if bucket:
        parameters["bucketName"] = bucket[:LONGEST_VALUE]
        arn = f"arn:aws:s3:::{bucket[:LONGEST_VALUE]}"
        if key:
            parameters["key"] = shown = key.encode("utf-8", "replace").decode()
            resources.append({"type": "AWS::S3::Object", "ARN": f"{arn}/{shown}"})
        resources.append({"type": "AWS::S3::Bucket", "ARN": arn})
    if request.query:
        asked = request.parameters
        parameters.update({name: asked[name][:LONGEST_VALUE] for name in _SHOWN if name in asked})
    call.of("s3", _RECORDED_AS.get(operation, operation), request.region)
    call.error = failure
    if call.principal is None and request.principal is not None:
        # A form is signed in its body.
        call.by(request.principal)
    call.more["requestParameters"] = parameters or None
    if resources:
        call.more["resources"] = resources
    data = bool(key) or operation in _FOR_OBJECTS
    trail.keep_object_call(call, data, request.method in ("GET", "HEAD", "OPTIONS"))
