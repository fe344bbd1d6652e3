"""The errors of IAM and STS.

Reference: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from clary.core.errors import ServiceError


class NoSuchEntity(ServiceError):
    """A user, role, group, policy or key that the request names does not exist."""

    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExists(ServiceError):
    """There is an entity of that name."""

    code = "EntityAlreadyExists"
    status = 409


class DeleteConflict(ServiceError):
    """Something else still belongs to the entity."""

    code = "DeleteConflict"
    status = 409


class LimitExceeded(ServiceError):
    """A quota of IAM is used up."""

    code = "LimitExceeded"
    status = 409


class InvalidInput(ServiceError):
    """A value that no constraint of the model excludes, and that IAM does not take."""

    code = "InvalidInput"
    status = 400


class MalformedPolicyDocument(ServiceError):
    """The text is not a policy."""

    code = "MalformedPolicyDocument"
    status = 400


class PasswordPolicyViolation(ServiceError):
    """The password is too simple."""

    code = "PasswordPolicyViolation"
    status = 400


class InvalidUserType(ServiceError):
    """The caller is no IAM user."""

    code = "InvalidUserType"
    status = 400


class PackedPolicyTooLarge(ServiceError):
    """Session policies and tags together are too large."""

    code = "PackedPolicyTooLarge"
    status = 400
