"""The errors of KMS.

Reference: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class NotFoundException(ServiceError):
    """A key, alias or policy that the request names does not exist."""

    code = "NotFoundException"
    status = 400


class AlreadyExistsException(ServiceError):
    """There is an alias of that name."""

    code = "AlreadyExistsException"
    status = 400


class DisabledException(ServiceError):
    """The key is disabled."""

    code = "DisabledException"
    status = 400


class KMSInvalidStateException(ServiceError):
    """The state of the key forbids the operation."""

    code = "KMSInvalidStateException"
    status = 400


class InvalidKeyUsageException(ServiceError):
    """The key is for something else, or has no such algorithm."""

    code = "InvalidKeyUsageException"
    status = 400


class InvalidCiphertextException(ServiceError):
    """The ciphertext was not made here, was changed since, or belongs to another encryption context."""

    code = "InvalidCiphertextException"
    status = 400


class IncorrectKeyException(ServiceError):
    """The ciphertext was made under another key than the one that the request names."""

    code = "IncorrectKeyException"
    status = 400


class InvalidAliasNameException(ServiceError):
    """A name that aliases cannot have."""

    code = "InvalidAliasNameException"
    status = 400


class InvalidArnException(ServiceError):
    """An ARN that cannot be read, or that leads to nobody."""

    code = "InvalidArnException"
    status = 400


class InvalidGrantIdException(ServiceError):
    """The key has no such grant."""

    code = "InvalidGrantIdException"
    status = 400


class InvalidGrantTokenException(ServiceError):
    """A text that is no grant token of this installation."""

    code = "InvalidGrantTokenException"
    status = 400


class InvalidMarkerException(ServiceError):
    """A marker that no list gave out."""

    code = "InvalidMarkerException"
    status = 400


class LimitExceededException(ServiceError):
    """A quota is used up, or a document is too long."""

    code = "LimitExceededException"
    status = 400


class MalformedPolicyDocumentException(ServiceError):
    """The text is no key policy, or one that would lock its author out."""

    code = "MalformedPolicyDocumentException"
    status = 400


class TagException(ServiceError):
    """Tags that keys cannot have."""

    code = "TagException"
    status = 400


class UnsupportedOperationException(ServiceError):
    """What this key, or Clary, cannot do."""

    code = "UnsupportedOperationException"
    status = 400


class KMSInvalidSignatureException(ServiceError):
    """The signature is not one of this message by this key."""

    code = "KMSInvalidSignatureException"
    status = 400


class KMSInvalidMacException(ServiceError):
    """The code is not one of this message by this key."""

    code = "KMSInvalidMacException"
    status = 400


class DryRunOperationException(ServiceError):
    """The request was only a trial, and would have succeeded."""

    code = "DryRunOperationException"
    status = 400
