"""Which operation a request is, and which permission it needs.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from .errors import InvalidURI, KeyTooLongError, MethodNotAllowed
from .http import S3Request

MAXIMUM_KEY = 1024
"""The longest key in bytes of UTF-8."""

SUBRESOURCES = frozenset((
    "abac", "accelerate", "acl", "analytics", "annotation", "attributes", "cors", "delete", "encryption",
    "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging",
    "metadataConfiguration", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls",
    "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore",
    "retention", "select", "session", "tagging", "torrent", "uploads", "versioning", "versions", "website",
))  # fmt: skip

_BUCKET: dict[tuple[str, str], str] = {
    ("PUT", ""): "CreateBucket",
    ("HEAD", ""): "HeadBucket",
    ("DELETE", ""): "DeleteBucket",
    ("GET", ""): "ListObjects",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versioning"): "GetBucketVersioning",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("GET", "object-lock"): "GetObjectLockConfiguration",
    ("PUT", "object-lock"): "PutObjectLockConfiguration",
    ("GET", "ownershipControls"): "GetBucketOwnershipControls",
    ("PUT", "ownershipControls"): "PutBucketOwnershipControls",
    ("GET", "publicAccessBlock"): "GetPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutPublicAccessBlock",
    ("DELETE", "publicAccessBlock"): "DeletePublicAccessBlock",
    ("GET", "policyStatus"): "GetBucketPolicyStatus",
    ("GET", "lifecycle"): "GetBucketLifecycleConfiguration",
    ("PUT", "lifecycle"): "PutBucketLifecycleConfiguration",
    ("DELETE", "lifecycle"): "DeleteBucketLifecycle",
    ("GET", "notification"): "GetBucketNotificationConfiguration",
    ("PUT", "notification"): "PutBucketNotificationConfiguration",
    ("GET", "logging"): "GetBucketLogging",
    ("GET", "requestPayment"): "GetBucketRequestPayment",
    ("GET", "accelerate"): "GetBucketAccelerateConfiguration",
    ("GET", "website"): "GetBucketWebsite",
    ("GET", "replication"): "GetBucketReplication",
    ("POST", ""): "PostObject",
    ("GET", "acl"): "GetBucketAcl",
    ("PUT", "acl"): "PutBucketAcl",
    ("GET", "policy"): "GetBucketPolicy",
    ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("GET", "cors"): "GetBucketCors",
    ("PUT", "cors"): "PutBucketCors",
    ("DELETE", "cors"): "DeleteBucketCors",
    ("GET", "encryption"): "GetBucketEncryption",
    ("PUT", "encryption"): "PutBucketEncryption",
    ("DELETE", "encryption"): "DeleteBucketEncryption",
    ("GET", "tagging"): "GetBucketTagging",
    ("PUT", "tagging"): "PutBucketTagging",
    ("DELETE", "tagging"): "DeleteBucketTagging",
    ("GET", "uploads"): "ListMultipartUploads",
    ("POST", "delete"): "DeleteObjects",
}

_OBJECT: dict[tuple[str, str], str] = {
    ("PUT", ""): "PutObject",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
    ("DELETE", ""): "DeleteObject",
    ("GET", "acl"): "GetObjectAcl",
    ("PUT", "acl"): "PutObjectAcl",
    ("GET", "retention"): "GetObjectRetention",
    ("PUT", "retention"): "PutObjectRetention",
    ("GET", "legal-hold"): "GetObjectLegalHold",
    ("PUT", "legal-hold"): "PutObjectLegalHold",
    ("GET", "attributes"): "GetObjectAttributes",
    ("GET", "tagging"): "GetObjectTagging",
    ("PUT", "tagging"): "PutObjectTagging",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", "uploadId"): "ListParts",
    ("PUT", "uploadId"): "UploadPart",
}

ACTIONS: dict[str, str] = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PostObject": "PutObject",
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
}
"""The action of an operation, without ``s3:``, where it is not the operation's own name."""


_OF_VERSION: dict[str, str] = {
    "GetObject": "GetObjectVersion",
    "DeleteObject": "DeleteObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "PutObjectAcl": "PutObjectVersionAcl",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObjectAttributes": "GetObjectVersionAttributes",
}


def split(request: S3Request) -> tuple[str, str]:
    """The bucket and the key of a request, each empty if it has none. Raises ``InvalidURI`` or ``KeyTooLongError``."""
    try:
        path = unquote_to_bytes(request.path.split("?", 1)[0]).decode("utf-8").removeprefix("/")
    except UnicodeDecodeError:
        raise InvalidURI(URI=request.path) from None
    bucket, key = (request.virtual_bucket, path) if request.virtual_bucket else path.partition("/")[::2]
    check_key(key)
    return bucket, key


def check_key(key: str) -> None:
    """Raises ``KeyTooLongError``."""
    if (size := len(key.encode("utf-8", "surrogateescape"))) > MAXIMUM_KEY:
        raise KeyTooLongError(Size=str(size), MaxSizeAllowed=str(MAXIMUM_KEY))


def operation(request: S3Request, bucket: str, key: str) -> str:
    """The name of the operation; the empty string for one that is not done here. Raises ``MethodNotAllowed``."""
    method, parameters = request.method, request.parameters
    if not bucket:
        if method != "GET":
            raise MethodNotAllowed(Method=method, ResourceType="SERVICE")
        return "ListBuckets"
    if method not in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        raise MethodNotAllowed(Method=method, ResourceType="OBJECT" if key else "BUCKET")
    subresource = next((name for name in parameters if name in SUBRESOURCES), "")
    if not key:
        if method == "GET" and not subresource and parameters.get("list-type") == "2":
            return "ListObjectsV2"
        return _BUCKET.get((method, subresource), "")
    if not subresource and "uploadId" in parameters and method != "HEAD":
        subresource = "uploadId"
    found = _OBJECT.get((method, subresource), "")
    if "x-amz-copy-source" in request.headers:
        return {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}.get(found, found)
    return found


def action(name: str, *, of_version: bool = False) -> str:
    """The IAM action that the operation ``name`` needs on its bucket or object, for example ``s3:GetObject``, or with
    ``of_version`` that for one version of it."""
    found = ACTIONS.get(name, name)
    return f"s3:{_OF_VERSION.get(found, found) if of_version else found}"
