"""What the operations share: who asks, which key is meant, grant tokens, trials, and pages of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from clary.core.errors import AccessDenied, ValidationException
from clary.resources.context import Context
from clary.services.iam.api import Principal, identities_of
from clary.services.iam.principals import principal_of
from clary.services.iam.vault import SealBroken
from clary.services.kms import keys
from clary.services.kms.access import authorize, conditions
from clary.services.kms.api import Keys, keys_of
from clary.services.kms.errors import (
    DryRunOperationException,
    InvalidGrantTokenException,
    InvalidKeyUsageException,
    InvalidMarkerException,
    NotFoundException,
    UnsupportedOperationException,
)
from clary.services.kms.keys import Grant, Key
from clary.services.kms.specs import SPECS
from clary.state.records import Record
from clary.state.transaction import Transaction

Item = TypeVar("Item")
GRANT_TOKEN = "kms-grant-token"
LONGEST_CONTEXT = 8192
"""How many bytes the pairs of an encryption context may have together."""


def caller_of(context: Context) -> Principal:
    """Who asks."""
    return principal_of(context.caller)


def denied(context: Context, name: str, operation: str) -> AccessDenied:
    """The refusal of what another account has, or has not: that shall not be told."""
    return AccessDenied(
        f"User: {context.caller.arn} is not authorized to perform: kms:{operation} on resource: {name} because the "
        "resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
        "explicitly denies access"
    )


def is_foreign(context: Context, name: str) -> bool:
    """Whether ``name`` is the ARN of what another account has."""
    parts = name.split(":", 5)
    return len(parts) == 6 and parts[4] != context.account


def managed_record(
    context: Context,
    transaction: Transaction,
    name: str,
    operation: str,
    also: Callable[[Grant], bool] | None = None,
    *,
    foreign: bool = False,
    given: Mapping[str, Any] | None = None,
) -> tuple[Record, Key]:
    """The record and the key that an operation of management names by id or ARN; the caller may do it.

    ``foreign`` says whether other accounts can do it too, ``given`` are further condition keys. Raises
    ``NotFoundException``, ``InvalidArnException`` or ``AccessDenied``.
    """
    if is_foreign(context, name) and not foreign:
        raise denied(context, name, operation)
    try:
        record = keys.find(transaction, context.account, context.region, name, context.platform.clock(), aliases=False)
    except NotFoundException:
        if is_foreign(context, name):
            raise denied(context, name, operation) from None
        raise
    key = keys.load(transaction, record)
    caller = caller_of(context)
    known = {**context.told, **conditions(key, caller), **(given or {})}
    authorize(identities_of(context), caller, key, operation, known, None, also)
    return record, key


def used_key(
    context: Context,
    params: Mapping[str, Any],
    operation: str,
    member: str = "KeyId",
    encryption_context: Mapping[str, str] | None = None,
    **values: Any,
) -> tuple[Keys, Key]:
    """The key that an operation uses, by id, ARN or alias; the caller may use it so, and it is enabled.

    Raises ``NotFoundException``, ``InvalidArnException``, ``AccessDenied``, ``DisabledException``,
    ``KMSInvalidStateException`` or ``InvalidGrantTokenException``.
    """
    all_keys = keys_of(context)
    name = params[member]
    try:
        key = all_keys.resolve(context.account, context.region, name)
    except NotFoundException:
        if is_foreign(context, name):
            raise denied(context, name, operation) from None
        raise
    check_use(context, all_keys, key, params, operation, name, encryption_context, **values)
    return all_keys, key


def check_use(
    context: Context,
    all_keys: Keys,
    key: Key,
    params: Mapping[str, Any],
    operation: str,
    name: str = "",
    encryption_context: Mapping[str, str] | None = None,
    **values: Any,
) -> None:
    """Raise unless the caller may use ``key``, which the request calls ``name``, for ``operation``; it is enabled."""
    check_tokens(context, params)
    check_context(encryption_context)
    if "alias/" in name:
        values["RequestAlias"] = name.rsplit(":", 1)[-1]
    all_keys.authorize(caller_of(context), key, operation, encryption_context, told=context.told, **values)
    key.check_enabled()


def check_context(encryption_context: Mapping[str, str] | None) -> None:
    """Raise ``ValidationException`` for an encryption context that is too long."""
    if encryption_context and sum(len(text.encode()) for pair in encryption_context.items() for text in pair) > (
        LONGEST_CONTEXT
    ):
        raise ValidationException(f"The encryption context must not be longer than {LONGEST_CONTEXT} bytes.")


def check_usage(key: Key, usage: str, operation: str) -> None:
    """Raise ``InvalidKeyUsageException`` unless ``key`` is for this."""
    if key.usage != usage:
        raise InvalidKeyUsageException(f"{key.arn} key usage is {key.usage} which is not valid for {operation}.")


def check_algorithm(key: Key, algorithm: str) -> None:
    """Raise ``InvalidKeyUsageException`` unless ``key`` has this algorithm."""
    if algorithm not in SPECS[key.spec].algorithms[key.usage]:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")


def check_tokens(context: Context, params: Mapping[str, Any]) -> None:
    """Raise ``InvalidGrantTokenException`` for a token that is none; grants are at work as soon as they are made."""
    for token in params.get("GrantTokens", ()):
        read_token(context, token)


def read_token(context: Context, token: str) -> tuple[str, str]:
    """The ARN of the key and the id of the grant in a grant token. Raises ``InvalidGrantTokenException``."""
    try:
        arn, _, grant_id = identities_of(context).vault.open(GRANT_TOKEN, token).decode().partition(" ")
    except SealBroken as error:
        raise InvalidGrantTokenException("The grant token is not valid.") from error
    return arn, grant_id


def check_trial(params: Mapping[str, Any]) -> None:
    """End a request that is only a trial, with ``DryRunOperationException``: it would have succeeded."""
    if params.get("DryRun"):
        raise DryRunOperationException("The request would have succeeded, but the DryRun option is set.")


def refuse_recipient(params: Mapping[str, Any]) -> None:
    """Raise ``UnsupportedOperationException`` for answers that only an enclave can read."""
    if params.get("Recipient"):
        raise UnsupportedOperationException("Recipient: attested enclaves are not available in Clary.")


def page(
    items: Iterable[Item], params: Mapping[str, Any], size: int, place: Callable[[Item], str]
) -> tuple[list[Item], dict[str, Any]]:
    """One page of a list in the order of ``place``, and the members that say whether there are more.

    Raises ``InvalidMarkerException``.
    """
    ordered = sorted(items, key=place)
    if "Marker" in params:
        try:
            after = base64.b64decode(params["Marker"], validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise InvalidMarkerException("The marker is not valid.") from error
        ordered = [item for item in ordered if place(item) > after]
    rows = ordered[: params.get("Limit", size)]
    if len(rows) == len(ordered):
        return rows, {"Truncated": False}
    return rows, {"Truncated": True, "NextMarker": base64.b64encode(place(rows[-1]).encode()).decode()}
