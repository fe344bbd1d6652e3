"""The errors of Lambda.

Reference: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html#API_CreateFunction_Errors
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class _UserError(ServiceError):
    """An error that says in ``Type`` whose fault it is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Type="User")


class ResourceNotFoundException(_UserError):
    """There is no such function, version, statement or mapping."""

    code = "ResourceNotFoundException"
    status = 404


class ResourceConflictException(_UserError):
    """The resource exists already, or another operation is at work on it."""

    code = "ResourceConflictException"
    status = 409


class InvalidParameterValueException(_UserError):
    """A parameter does not make sense, or asks for what there is not here."""

    code = "InvalidParameterValueException"
    status = 400


class InvalidRequestContentException(_UserError):
    """The payload of an invocation is not JSON."""

    code = "InvalidRequestContentException"
    status = 400


class RequestTooLargeException(_UserError):
    """The payload of an invocation is too large."""

    code = "RequestTooLargeException"
    status = 413


class PreconditionFailedException(_UserError):
    """The function is not of the revision that the request names."""

    code = "PreconditionFailedException"
    status = 412

    def __init__(self) -> None:
        super().__init__(
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id"
        )


class TooManyRequestsException(ServiceError):
    """All environments are busy, or the function may have none."""

    code = "TooManyRequestsException"
    status = 429

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.", Type="User", Reason=reason)


class ServiceException(ServiceError):
    """A fault of the platform."""

    code = "ServiceException"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message, Type="Service")
