"""Errors of the S3 protocol that the store itself does not know.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ServiceError


class _Worded(ServiceError):
    """An error with a text of its own, unless the caller has a better one."""

    text = ""

    def __init__(self, message: str = "", **members: Any) -> None:
        super().__init__(message or self.text, **members)


class InvalidRequest(_Worded):
    code = "InvalidRequest"
    status = 400


class InvalidArgument(_Worded):
    code = "InvalidArgument"
    status = 400
    text = "Invalid Argument"


class InvalidBucketName(_Worded):
    code = "InvalidBucketName"
    status = 400
    text = "The specified bucket is not valid."


class InvalidURI(_Worded):
    code = "InvalidURI"
    status = 400
    text = "Couldn't parse the specified URI."


class KeyTooLongError(_Worded):
    code = "KeyTooLongError"
    status = 400
    text = "Your key is too long"


class MetadataTooLarge(_Worded):
    code = "MetadataTooLarge"
    status = 400
    text = "Your metadata headers exceed the maximum allowed metadata size"


class MalformedXML(_Worded):
    code = "MalformedXML"
    status = 400
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MalformedPolicy(_Worded):
    code = "MalformedPolicy"
    status = 400
    text = "Policies must be valid JSON and the first byte must be '{'"


class InvalidTag(_Worded):
    code = "InvalidTag"
    status = 400


class BadDigest(_Worded):
    code = "BadDigest"
    status = 400
    text = "The Content-MD5 you specified did not match what we received."


class InvalidDigest(_Worded):
    code = "InvalidDigest"
    status = 400
    text = "The Content-MD5 you specified was invalid."


class IncompleteBody(_Worded):
    code = "IncompleteBody"
    status = 400
    text = "The request body terminated unexpectedly"


class InvalidPartOrder(_Worded):
    code = "InvalidPartOrder"
    status = 400
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."


class InvalidStorageClass(_Worded):
    code = "InvalidStorageClass"
    status = 400
    text = "The storage class you specified is not valid"


class InvalidLocationConstraint(_Worded):
    code = "InvalidLocationConstraint"
    status = 400
    text = "The specified location-constraint is not valid"


class IllegalLocationConstraintException(_Worded):
    code = "IllegalLocationConstraintException"
    status = 400


class InvalidEncryptionAlgorithmError(_Worded):
    code = "InvalidEncryptionAlgorithmError"
    status = 400
    text = "The encryption request you specified is not valid. The valid value is AES256."


class AccessControlListNotSupported(_Worded):
    code = "AccessControlListNotSupported"
    status = 400
    text = "The bucket does not allow ACLs"


class InvalidRange(_Worded):
    code = "InvalidRange"
    status = 416
    text = "The requested range is not satisfiable"


class InvalidPartNumber(_Worded):
    code = "InvalidPartNumber"
    status = 416
    text = "The requested partnumber is not satisfiable"


class MissingContentLength(_Worded):
    code = "MissingContentLength"
    status = 411
    text = "You must provide the Content-Length HTTP header."


class PreconditionFailed(_Worded):
    code = "PreconditionFailed"
    status = 412
    text = "At least one of the pre-conditions you specified did not hold"


class NotModified(_Worded):
    """Answered without a body."""

    code = "NotModified"
    status = 304
    text = "Not Modified"


class MethodNotAllowed(_Worded):
    code = "MethodNotAllowed"
    status = 405
    text = "The specified method is not allowed against this resource."


class NotImplementedByS3(_Worded):
    code = "NotImplemented"
    status = 501
    text = "A header you provided implies functionality that is not implemented"


class NoSuchBucketPolicy(_Worded):
    code = "NoSuchBucketPolicy"
    status = 404
    text = "The bucket policy does not exist"


class NoSuchCORSConfiguration(_Worded):
    code = "NoSuchCORSConfiguration"
    status = 404
    text = "The CORS configuration does not exist"


class NoSuchTagSet(_Worded):
    code = "NoSuchTagSet"
    status = 404
    text = "The TagSet does not exist"


class NoSuchLifecycleConfiguration(_Worded):
    code = "NoSuchLifecycleConfiguration"
    status = 404
    text = "The lifecycle configuration does not exist"


class NoSuchWebsiteConfiguration(_Worded):
    code = "NoSuchWebsiteConfiguration"
    status = 404
    text = "The specified bucket does not have a website configuration"


class ReplicationConfigurationNotFoundError(_Worded):
    code = "ReplicationConfigurationNotFoundError"
    status = 404
    text = "The replication configuration was not found"


class ServerSideEncryptionConfigurationNotFoundError(_Worded):
    code = "ServerSideEncryptionConfigurationNotFoundError"
    status = 404
    text = "The server side encryption configuration was not found"


class NoSuchPublicAccessBlockConfiguration(_Worded):
    code = "NoSuchPublicAccessBlockConfiguration"
    status = 404
    text = "The public access block configuration was not found"


class ObjectLockConfigurationNotFoundError(_Worded):
    code = "ObjectLockConfigurationNotFoundError"
    status = 404
    text = "Object Lock configuration does not exist for this bucket"


class NoSuchObjectLockConfiguration(_Worded):
    code = "NoSuchObjectLockConfiguration"
    status = 404
    text = "The specified object does not have a ObjectLock configuration"


class InvalidRetentionPeriod(_Worded):
    code = "InvalidRetentionPeriod"
    status = 400


class InvalidBucketState(_Worded):
    code = "InvalidBucketState"
    status = 409


class IllegalVersioningConfiguration(_Worded):
    code = "IllegalVersioningConfigurationException"
    status = 400
    text = "The Versioning element must be specified"


class MalformedPOSTRequest(_Worded):
    code = "MalformedPOSTRequest"
    status = 400
    text = "The body of your POST request is not well-formed multipart/form-data."


class MaxPostPreDataLengthExceededError(_Worded):
    code = "MaxPostPreDataLengthExceeded"
    status = 400
    text = "Your POST request fields preceding the upload file were too large."


class InvalidPolicyDocument(_Worded):
    code = "InvalidPolicyDocument"
    status = 400


class EntityTooSmallError(_Worded):
    code = "EntityTooSmall"
    status = 400
    text = "Your proposed upload is smaller than the minimum allowed size"


class CORSForbidden(_Worded):
    code = "AccessForbidden"
    status = 403
    text = "CORSResponse: This CORS request is not allowed."


class AccessDeniedByS3(_Worded):
    code = "AccessDenied"
    status = 403
    text = "Access Denied"


class InternalError(_Worded):
    code = "InternalError"
    status = 500
    text = "We encountered an internal error. Please try again."
