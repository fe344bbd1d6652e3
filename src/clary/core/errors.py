"""Errors that a caller of an AWS API sees: one class per AWS code, with its HTTP status.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from typing import Any, ClassVar


class ServiceError(Exception):
    """An error answered to the caller as AWS would answer it.

    ``code`` is the AWS error code, ``status`` the HTTP status, ``message`` the text for the caller; ``members`` are
    further members of the error's shape (``OriginalStatusCode`` of ``ModelError``, for instance).
    """

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 500
    query_code: ClassVar[str] = ""
    """The code under which clients of the query protocol know it, where that is another one (SQS)."""

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members = members

    @property
    def is_sender_fault(self) -> bool:
        """Whether the caller, not the platform, is at fault (``Type`` in the query protocol)."""
        return self.status < 500


class ValidationException(ServiceError):
    """The request does not satisfy the operation's constraints."""

    code = "ValidationException"
    status = 400


class ValidationError(ServiceError):
    """The same as ``ValidationException`` under the code that the query protocol and the SageMaker runtime use."""

    code = "ValidationError"
    status = 400


class SerializationException(ServiceError):
    """The body cannot be read as the protocol demands."""

    code = "SerializationException"
    status = 400


class UnknownOperationException(ServiceError):
    """No operation of any service known here fits the request."""

    code = "UnknownOperationException"
    status = 404


class NotAvailableYet(ServiceError):
    """The operation is part of the service model, and Clary does not do it yet."""

    code = "UnknownOperationException"
    status = 400


class ResourceNotFound(ServiceError):
    """A resource that the request names does not exist."""

    code = "ResourceNotFound"
    status = 400


class ResourceNotFoundException(ServiceError):
    """``ResourceNotFound`` under the code that CloudWatch Logs and others use."""

    code = "ResourceNotFoundException"
    status = 400


class ResourceAlreadyExistsException(ServiceError):
    """A resource of that name exists (CloudWatch Logs)."""

    code = "ResourceAlreadyExistsException"
    status = 400


class ResourceInUse(ServiceError):
    """A resource of that name exists, or something else still uses it."""

    code = "ResourceInUse"
    status = 400


class ResourceLimitExceeded(ServiceError):
    """A quota of the account is used up."""

    code = "ResourceLimitExceeded"
    status = 400


class ConflictException(ServiceError):
    """The resource changed under the request, or is in a state that forbids it."""

    code = "ConflictException"
    status = 409


class AccessDeniedException(ServiceError):
    """The policies of the principal do not allow the action."""

    code = "AccessDeniedException"
    status = 403


class AccessDenied(ServiceError):
    """``AccessDeniedException`` under the code that IAM, STS and S3 use."""

    code = "AccessDenied"
    status = 403


class MissingAuthenticationToken(ServiceError):
    """The request carries no signature."""

    code = "MissingAuthenticationToken"
    status = 403


class IncompleteSignature(ServiceError):
    """The signature lacks a part, or a part cannot be read."""

    code = "IncompleteSignature"
    status = 400


class InvalidClientTokenId(ServiceError):
    """The access key is not known here."""

    code = "InvalidClientTokenId"
    status = 403


class UnrecognizedClientException(ServiceError):
    """``InvalidClientTokenId`` under the code that JSON services use."""

    code = "UnrecognizedClientException"
    status = 403


class SignatureDoesNotMatch(ServiceError):
    """The signature is not the one that the secret key gives."""

    code = "SignatureDoesNotMatch"
    status = 403


class InvalidSignatureException(ServiceError):
    """``SignatureDoesNotMatch`` under the code that JSON services use."""

    code = "InvalidSignatureException"
    status = 403


class ExpiredToken(ServiceError):
    """The temporary credentials have expired."""

    code = "ExpiredToken"
    status = 403


class ExpiredTokenException(ServiceError):
    """``ExpiredToken`` under the code that JSON services use."""

    code = "ExpiredTokenException"
    status = 403


class RequestTooLarge(ServiceError):
    """The body is larger than the operation takes."""

    code = "RequestEntityTooLarge"
    status = 413


class ThrottlingException(ServiceError):
    """Too many requests at once."""

    code = "ThrottlingException"
    status = 400


class InternalFailure(ServiceError):
    """A fault of the platform; details are in its log under the request id."""

    code = "InternalFailure"
    status = 500


class ServiceUnavailable(ServiceError):
    """The platform cannot answer now; the caller may try again."""

    code = "ServiceUnavailable"
    status = 503


def named(code: str, status: int, message: str) -> ServiceError:
    """An error under a code that is known only when it occurs: what another part of the platform has answered."""
    kind: type[ServiceError] = type(code, (ServiceError,), {"code": code, "status": status})
    return kind(message)
