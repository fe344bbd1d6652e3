"""Who may do what with a key: its policy decides, IAM's policies where the key's policy lets them, and grants.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clary.core.errors import AccessDenied
from clary.services.iam.api import Identities, Principal
from clary.services.iam.policy import Consent, Decision, Effect, Permissions, Policies, Principals, Request
from clary.services.kms.keys import Grant, Key

CRYPTOGRAPHIC = frozenset(
    (
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    )
)
"""Operations with an encryption context, which the constraints of grants are about."""
_STEADY = frozenset(
    f"kms:{name}"
    for name in ("calleraccount", "keyorigin", "keyspec", "keyusage", "multiregion", "resourcealiases", "viaservice")
)
"""Condition keys that are the same for all requests of one caller, through one service, about one key."""
_DENIED = Effect.EXPLICIT_DENY


def conditions(
    key: Key, caller: Principal, context: Mapping[str, str] | None = None, via: str = "", **values: Any
) -> dict[str, Any]:
    """The condition keys of a request about ``key``; ``values`` are further ones of ``kms:``.

    ``via`` is the service through which the caller asks. Reference:
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    known: dict[str, Any] = {
        "kms:CallerAccount": caller.account,
        "kms:KeySpec": key.spec,
        "kms:KeyUsage": key.usage,
        "kms:KeyOrigin": "AWS_KMS",
        "kms:MultiRegion": "false",
        "kms:ResourceAliases": key.aliases or None,
        "kms:ViaService": f"{via}.{key.region}.amazonaws.com" if via else None,
    }
    for name, value in key.tags.items():
        known[f"aws:ResourceTag/{name}"] = value
    if context:
        known["kms:EncryptionContextKeys"] = tuple(context)
        for name, value in context.items():
            known[f"kms:EncryptionContext:{name}"] = value
    for name, value in values.items():
        known[f"kms:{name}"] = value
    return known


def authorize(
    identities: Identities,
    caller: Principal,
    key: Key,
    operation: str,
    known: Mapping[str, Any],
    context: Mapping[str, str] | None = None,
    also: Callable[[Grant], bool] | None = None,
) -> bool:
    """Raise ``AccessDenied``, in AWS's words, unless ``caller`` may do ``operation`` with ``key``.

    ``known`` are the condition keys, ``context`` the encryption context; a grant allows only what ``also`` takes. Gives
    whether the answer is the same for every request of this caller's, through the same service, for this operation.
    """
    action = f"kms:{operation}"
    decision = _decide(identities, caller, key, action, known, key.policy)
    if decision.allowed:
        permissions = identities.policies_of(caller)
        layers = (key.policy, permissions.identity, permissions.boundary, permissions.session)
        return all(_is_steady(layer, action) for layer in layers if layer is not None)
    if decision.effect is not _DENIED and key.grants:
        names = identities.principals(caller)
        for grant in key.grants:
            if (
                operation in grant.operations
                and _is_grantee(grant.grantee, identities, caller, names, action, key, known)
                and (operation not in CRYPTOGRAPHIC or grant.fits(context or {}))
                and (also is None or also(grant))
            ):
                return False
    raise AccessDenied(
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {key.arn} "
        f"{_reason(caller, key, action, decision)}"
    )


def _is_steady(layer: Policies, action: str) -> bool:
    return all(
        # A variable may stand for anything of the request, in the values of conditions too.
        "${" not in statement.document and all(condition.key in _STEADY for condition in statement.conditions)
        for statement in layer.about(action)
    )


def would_allow(
    identities: Identities, caller: Principal, key: Key, operation: str, policy: Policies, known: Mapping[str, Any]
) -> bool:
    """Whether ``caller`` could do ``operation`` if ``policy`` were the policy of ``key``."""
    return _decide(identities, caller, key, f"kms:{operation}", known, policy).allowed


def _decide(
    identities: Identities, caller: Principal, key: Key, action: str, known: Mapping[str, Any], policy: Policies
) -> Decision:
    # Other than elsewhere, what IAM's policies allow counts only where the key's policy consents.
    return identities.decide(caller, action, key.arn, known, policy, key.account, Consent.REQUIRED)


def _is_grantee(
    grantee: str,
    identities: Identities,
    caller: Principal,
    names: Principals,
    action: str,
    key: Key,
    known: Mapping[str, Any],
) -> bool:
    if grantee in names.own and caller.account == key.account:
        return True
    if grantee not in names.own and grantee != f"arn:aws:iam::{caller.account}:root":
        return False
    # A whole account lets its own policies speak, and so does every account of others' keys.
    permissions: Permissions = identities.policies_of(caller)
    request = Request(action, key.arn, identities.context(caller, known, key.arn), names)
    return permissions.decide(request).allowed


def _reason(caller: Principal, key: Key, action: str, decision: Decision) -> str:
    if caller.account != key.account:
        return (
            "because the resource does not exist in this Region, no resource-based policies allow access, or a "
            "resource-based policy explicitly denies access"
        )
    if decision.effect is _DENIED:
        article = "an" if decision.layer.value.startswith("i") else "a"
        return f"with an explicit deny in {article} {decision.layer.value}"
    return f"because no {decision.layer.value} allows the {action} action"
