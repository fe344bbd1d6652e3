"""The operations of STS."""

from __future__ import annotations

from typing import Any

from clary.core.errors import AccessDenied, NotAvailableYet, ValidationError
from clary.resources.context import Context, Handler
from clary.services.iam.api import Identities, identities_of, session_principal
from clary.services.iam.documents import check_document
from clary.services.iam.entities import find_access_key
from clary.services.iam.errors import NoSuchEntity, PackedPolicyTooLarge
from clary.services.iam.policy import Consent
from clary.services.iam.principals import Principal, principal_of_arn
from clary.services.iam.sessions import account_of
from clary.services.iam.subjects import Subject, managed_document
from clary.services.iam.view import read_tags

_DEFAULT_SECONDS = 3600
_CHAINED_SECONDS = 3600
_DEFAULT_USER_SECONDS = 43200
_POLICY_CHARACTERS = 2048


def _caller(context: Context) -> Principal:
    return context.caller if isinstance(context.caller, Principal) else principal_of_arn(context.caller.arn)


def get_caller_identity(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    caller = _caller(context)
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def assume_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    identities = identities_of(context)
    identities.refresh()
    caller = _caller(context)
    if caller.is_root:
        raise AccessDenied("Roles may not be assumed by root accounts.")
    arn, session = params["RoleArn"], params["RoleSessionName"]
    tags = read_tags(params.get("Tags", ()))
    role = identities.role(arn)
    if role is None or not _may_assume(identities, caller, role, params, tags):
        # One answer for both, so that nobody learns which roles there are.
        raise AccessDenied(f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}")
    duration = params.get("DurationSeconds", _DEFAULT_SECONDS)
    if duration > role.max_session:
        raise ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if caller.kind == "role" and duration > _CHAINED_SECONDS:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    texts, packed = _session_policies(context, params)
    credentials = identities.mint_session(
        arn, session, duration, source=caller.arn, session_policies=texts, session_tags=tags
    )
    principal = session_principal(role, session)
    answer: dict[str, Any] = {
        "Credentials": credentials,
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
    }
    if packed:
        answer["PackedPolicySize"] = packed
    if "SourceIdentity" in params:
        answer["SourceIdentity"] = params["SourceIdentity"]
    return answer


def _may_assume(
    identities: Identities, caller: Principal, role: Subject, params: dict[str, Any], tags: dict[str, str]
) -> bool:
    """Whether the role trusts the caller and, unless the role names it itself, its own policies allow it too.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    assert role.trust is not None
    values: dict[str, Any] = {
        "sts:ExternalId": params.get("ExternalId"),
        "sts:RoleSessionName": params["RoleSessionName"],
        "sts:SourceIdentity": params.get("SourceIdentity"),
        "sts:TransitiveTagKeys": params.get("TransitiveTagKeys"),
        "aws:TagKeys": list(tags) or None,
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        **{f"iam:ResourceTag/{key}": value for key, value in role.tags.items()},
        **{f"aws:ResourceTag/{key}": value for key, value in role.tags.items()},
    }
    actions = ["sts:AssumeRole"]
    if tags:
        actions.append("sts:TagSession")
    if "SourceIdentity" in params:
        actions.append("sts:SetSourceIdentity")
    return all(
        identities.decide(caller, action, role.arn, values, role.trust, role.account, Consent.REQUIRED).allowed
        for action in actions
    )


def _session_policies(context: Context, params: dict[str, Any]) -> tuple[list[str], int]:
    """The texts that narrow the session, and the share of the room for them that they take, in per cent."""
    texts = []
    if "Policy" in params:
        check_document(params["Policy"], "identity")
        texts.append(params["Policy"])
    size = sum(len("".join(text.split())) for text in texts)
    if size > _POLICY_CHARACTERS:
        raise PackedPolicyTooLarge(
            f"Packed policy consumes {100 * size // _POLICY_CHARACTERS}% of allotted space, please use smaller policy."
        )
    with context.platform.database.read() as transaction:
        for entry in params.get("PolicyArns", ()):
            document = managed_document(transaction, entry.get("arn", ""))
            if document is None:
                raise NoSuchEntity(f"Policy {entry.get('arn', '')} does not exist or is not attachable.")
            texts.append(document)
    return texts, -(-100 * size // _POLICY_CHARACTERS)


def get_session_token(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""
    caller = _caller(context)
    if caller.kind == "role":
        raise AccessDenied("Cannot call GetSessionToken with session credentials")
    duration = params.get("DurationSeconds", _DEFAULT_USER_SECONDS)
    if caller.is_root:
        duration = min(duration, _DEFAULT_SECONDS)
    return {"Credentials": identities_of(context).mint_caller_session(caller, duration)}


def get_access_key_info(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html"""
    access_key = params["AccessKeyId"]
    with context.platform.database.read() as transaction:
        record = find_access_key(transaction, access_key)
    if record is not None:
        return {"Account": record.key.account}
    # Temporary keys are not recorded anywhere, and tell it themselves.
    if (account := account_of(access_key)) is not None:
        return {"Account": account}
    raise ValidationError("Invalid AccessKeyId")


def assume_role_with_web_identity(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"""
    raise NotAvailableYet("Clary has no identity providers yet, so that roles are assumed with AssumeRole only.")


OPERATIONS: dict[str, Handler] = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
    "GetSessionToken": get_session_token,
    "GetAccessKeyInfo": get_access_key_info,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
}
