"""The errors of Glue.

Reference: https://docs.aws.amazon.com/glue/latest/webapi/API_GetTable.html#API_GetTable_Errors
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class EntityNotFoundException(ServiceError):
    """A database, table or partition that the request names does not exist."""

    code = "EntityNotFoundException"
    status = 400


class AlreadyExistsException(ServiceError):
    """There is one of that name."""

    code = "AlreadyExistsException"
    status = 400


class InvalidInputException(ServiceError):
    """The input does not make sense."""

    code = "InvalidInputException"
    status = 400
