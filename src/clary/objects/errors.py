"""Errors of the object store, under the codes, statuses and words that S3 uses.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError

from .model import Object


class StoreInUse(RuntimeError):
    """Another process has the store open."""


class SourceReplaced(ServiceError):
    """What was to be copied has been replaced or removed meanwhile."""

    code = "OperationAborted"
    status = 409

    def __init__(self) -> None:
        super().__init__("A conflicting conditional operation is currently in progress against this resource.")


class NoSuchBucket(ServiceError):
    code = "NoSuchBucket"
    status = 404

    def __init__(self, bucket: str) -> None:
        super().__init__("The specified bucket does not exist", BucketName=bucket)


class NoSuchKey(ServiceError):
    code = "NoSuchKey"
    status = 404

    def __init__(self, key: str, marker: Object | None = None) -> None:
        """``marker`` is the delete marker that hides the object."""
        super().__init__("The specified key does not exist.", Key=key)
        self.marker = marker


class NoSuchVersion(ServiceError):
    code = "NoSuchVersion"
    status = 404

    def __init__(self, key: str, version: str) -> None:
        super().__init__("The specified version does not exist.", Key=key, VersionId=version)


class IsDeleteMarker(ServiceError):
    """A delete marker was asked for by its version; it has no content."""

    code = "MethodNotAllowed"
    status = 405

    def __init__(self, marker: Object) -> None:
        super().__init__(
            "The specified method is not allowed against this resource.", Method="GET", ResourceType="DeleteMarker"
        )
        self.marker = marker


class ObjectLocked(ServiceError):
    code = "AccessDenied"
    status = 403

    def __init__(self) -> None:
        super().__init__("Access Denied because object protected by object lock.")


class NoSuchUpload(ServiceError):
    code = "NoSuchUpload"
    status = 404

    def __init__(self, upload: str) -> None:
        super().__init__(
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed.",
            UploadId=upload,
        )


class BucketAlreadyExists(ServiceError):
    code = "BucketAlreadyExists"
    status = 409

    def __init__(self, bucket: str) -> None:
        super().__init__(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again.",
            BucketName=bucket,
        )


class BucketAlreadyOwnedByYou(ServiceError):
    code = "BucketAlreadyOwnedByYou"
    status = 409

    def __init__(self, bucket: str) -> None:
        super().__init__(
            "Your previous request to create the named bucket succeeded and you already own it.", BucketName=bucket
        )


class BucketNotEmpty(ServiceError):
    code = "BucketNotEmpty"
    status = 409

    def __init__(self, bucket: str) -> None:
        super().__init__("The bucket you tried to delete is not empty", BucketName=bucket)


class InvalidPart(ServiceError):
    code = "InvalidPart"
    status = 400

    def __init__(self, upload: str, number: int, etag: str) -> None:
        super().__init__(
            "One or more of the specified parts could not be found.  The part may not have been uploaded, "
            "or the specified entity tag may not match the part's entity tag.",
            UploadId=upload,
            PartNumber=str(number),
            ETag=etag,
        )


class EntityTooSmall(ServiceError):
    code = "EntityTooSmall"
    status = 400

    def __init__(self, proposed: int, minimum: int, number: int, etag: str) -> None:
        super().__init__(
            "Your proposed upload is smaller than the minimum allowed size",
            ProposedSize=str(proposed),
            MinSizeAllowed=str(minimum),
            PartNumber=str(number),
            ETag=etag,
        )


class EntityTooLarge(ServiceError):
    code = "EntityTooLarge"
    status = 400

    def __init__(self, proposed: int, maximum: int) -> None:
        super().__init__(
            "Your proposed upload exceeds the maximum allowed size",
            ProposedSize=str(proposed),
            MaxSizeAllowed=str(maximum),
        )


class InsufficientStorageCapacity(ServiceError):
    """The disk is full; nothing was written."""

    code = "InsufficientStorageCapacity"
    status = 507

    def __init__(self) -> None:
        super().__init__("There is not enough space left on the device that holds the object store.")
