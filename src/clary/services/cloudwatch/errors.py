"""The errors of CloudWatch.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError, ValidationError

__all__ = [
    "InvalidFormat",
    "InvalidNextToken",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ValidationError",
]


class InvalidParameterValue(ServiceError):
    """A parameter is out of range or not of the form that it must have."""

    code = "InvalidParameterValue"
    status = 400


class InvalidParameterCombination(ServiceError):
    """Parameters are given together that exclude each other."""

    code = "InvalidParameterCombination"
    status = 400


class MissingParameter(ServiceError):
    """A parameter is not given that the others ask for."""

    code = "MissingParameter"
    status = 400


class InvalidNextToken(ServiceError):
    """No page ended with this token."""

    code = "InvalidNextToken"
    status = 400


class InvalidFormat(ServiceError):
    """A text is not in the format that it must have, such as JSON."""

    code = "InvalidFormat"
    status = 400


class ResourceNotFound(ServiceError):
    """An alarm that the request names does not exist."""

    code = "ResourceNotFound"
    status = 404


class ResourceNotFoundException(ServiceError):
    """``ResourceNotFound`` under the code that the operations for tags use."""

    code = "ResourceNotFoundException"
    status = 404
