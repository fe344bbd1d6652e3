"""Passwords of users: login profiles, as IAM calls them.

Reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from clary.core.errors import AccessDenied
from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.api import Principal
from clary.services.iam.errors import EntityAlreadyExists, InvalidUserType, NoSuchEntity, PasswordPolicyViolation
from clary.services.iam.users import user_name
from clary.services.iam.view import moment
from clary.state.records import Record

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LOGIN = "Login"
"""The member of a user's document with the password's hash."""
_SHORTEST = 8


@cache
def hasher() -> PasswordHasher:
    """Argon2id with the library's parameters, those of RFC 9106 for machines with little memory."""
    # Imported here because few processes ever see a password.
    from argon2 import PasswordHasher

    return PasswordHasher()


def is_right(hashed: str, password: str) -> bool:
    """Whether ``hashed`` was made of ``password``; takes tens of milliseconds and 64 MiB, on purpose."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return hasher().verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def create_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html"""
    login = _login(context, params.get("Password", ""), params)
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "User", user_name(context, params))
        if LOGIN in record.document:
            raise EntityAlreadyExists(f"Login Profile for user {record.name} already exists.")
        record.document[LOGIN] = login
        entities.save(transaction, record, context.platform.clock())
    return {"LoginProfile": _view(record)}


def get_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html"""
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, "User", user_name(context, params))
    _check(record)
    return {"LoginProfile": _view(record)}


def update_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html"""
    changed = _login(context, params["Password"], params) if "Password" in params else {}
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "User", params["UserName"])
        _check(record)
        if "PasswordResetRequired" in params:
            changed["ResetRequired"] = params["PasswordResetRequired"]
        changed.pop("Created", None)
        record.document[LOGIN] = {**record.document[LOGIN], **changed}
        entities.save(transaction, record, context.platform.clock())
    return {}


def delete_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteLoginProfile.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "User", user_name(context, params))
        _check(record)
        del record.document[LOGIN]
        entities.save(transaction, record, context.platform.clock())
    return {}


def change_password(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ChangePassword.html"""
    caller = context.caller
    if not isinstance(caller, Principal) or caller.kind != "user":
        raise InvalidUserType("Only IAM Users can change their own password")
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, "User", caller.name)
    _check(record)
    if not is_right(record.document[LOGIN]["Hash"], params["OldPassword"]):
        raise AccessDenied("The old password was incorrect.")
    changed = _login(context, params["NewPassword"], {})
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "User", caller.name)
        _check(record)
        record.document[LOGIN] = {**changed, "Created": record.document[LOGIN]["Created"]}
        entities.save(transaction, record, context.platform.clock())
    return {}


def _login(context: Context, password: str, params: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a password that satisfies AWS's default policy.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    """
    kinds = (str.isupper, str.islower, str.isdigit, lambda each: not each.isalnum())
    if len(password) < _SHORTEST or sum(any(map(kind, password)) for kind in kinds) < 3:
        raise PasswordPolicyViolation(
            f"Password should have a minimum length of {_SHORTEST} and contain at least three of: upper-case letters, "
            "lower-case letters, numbers, and non-alphanumeric characters."
        )
    now = context.platform.clock()
    return {
        "Hash": hasher().hash(password),
        "Created": now,
        "Changed": now,
        "ResetRequired": params.get("PasswordResetRequired", False),
    }


def _check(record: Record) -> None:
    if LOGIN not in record.document:
        raise NoSuchEntity(f"Login Profile for User {record.name} cannot be found.")


def _view(record: Record) -> dict[str, Any]:
    login = record.document[LOGIN]
    return {
        "UserName": record.name,
        "CreateDate": moment(login["Created"]),
        "PasswordResetRequired": login["ResetRequired"],
    }


OPERATIONS: dict[str, Handler] = {
    "CreateLoginProfile": create_login_profile,
    "GetLoginProfile": get_login_profile,
    "UpdateLoginProfile": update_login_profile,
    "DeleteLoginProfile": delete_login_profile,
    "ChangePassword": change_password,
}
