"""Errors that only the wire layer itself raises: signatures, chunked bodies and S3's spelling of both.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class AuthorizationHeaderMalformed(ServiceError):
    """S3's name for a credential that cannot be read or has the wrong scope."""

    code = "AuthorizationHeaderMalformed"
    status = 400


class AuthorizationQueryParametersError(ServiceError):
    """S3's name for presigned parameters that cannot be read or lie outside their limits."""

    code = "AuthorizationQueryParametersError"
    status = 400


class RequestTimeTooSkewed(ServiceError):
    """The request's time is more than 15 minutes away from the platform's (S3)."""

    code = "RequestTimeTooSkewed"
    status = 403


class ContentHashMismatch(ServiceError):
    """The body is not the one whose SHA-256 the request promised (S3)."""

    code = "XAmzContentSHA256Mismatch"
    status = 400


class InvalidRequest(ServiceError):
    """The request cannot be served as it stands (S3)."""

    code = "InvalidRequest"
    status = 400


class IncompleteBody(ServiceError):
    """The body is shorter or longer than announced, or its chunks are malformed (S3)."""

    code = "IncompleteBody"
    status = 400


class InvalidChunkSize(ServiceError):
    """A chunk's size cannot be read or is larger than the limit (S3)."""

    code = "InvalidChunkSizeError"
    status = 400


class MalformedTrailer(ServiceError):
    """The trailer of a chunked body is not the one that was announced (S3)."""

    code = "MalformedTrailerError"
    status = 400


class MalformedXML(ServiceError):
    """The XML in the body is not well-formed or not what the operation takes (S3)."""

    code = "MalformedXML"
    status = 400


class MalformedQueryString(ServiceError):
    """The query string or the form in the body cannot be read."""

    code = "MalformedQueryString"
    status = 400


class InvalidAction(ServiceError):
    """The query protocol's name for an operation that does not exist."""

    code = "InvalidAction"
    status = 400


class MissingAction(ServiceError):
    """A request of the query protocol that names no operation."""

    code = "MissingAction"
    status = 400


class NotImplementedByS3(ServiceError):
    """S3's name for an operation that it does not do."""

    code = "NotImplemented"
    status = 501
