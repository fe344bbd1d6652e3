"""The errors of Organizations.

Reference: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html#API_CreateAccount_Errors
"""

from __future__ import annotations

from clary.core.errors import ServiceError
from clary.wire.validate import InvalidInputException

__all__ = [
    "AWSOrganizationsNotInUseException",
    "AccountAlreadyClosedException",
    "AccountNotFoundException",
    "ConstraintViolationException",
    "CreateAccountStatusNotFoundException",
    "InvalidInputException",
    "TargetNotFoundException",
]


class AWSOrganizationsNotInUseException(ServiceError):
    """The caller's account is in no organization."""

    code = "AWSOrganizationsNotInUseException"
    status = 400


class AccountNotFoundException(ServiceError):
    """The organization has no account of that id."""

    code = "AccountNotFoundException"
    status = 400


class AccountAlreadyClosedException(ServiceError):
    """The account is closed."""

    code = "AccountAlreadyClosedException"
    status = 400


class CreateAccountStatusNotFoundException(ServiceError):
    """Nobody asked for an account under that id."""

    code = "CreateAccountStatusNotFoundException"
    status = 400


class TargetNotFoundException(ServiceError):
    """The organization has nothing of that id that has tags."""

    code = "TargetNotFoundException"
    status = 400


class ConstraintViolationException(ServiceError):
    """The organization would be as it must not be; ``Reason`` says which limit is meant."""

    code = "ConstraintViolationException"
    status = 400
