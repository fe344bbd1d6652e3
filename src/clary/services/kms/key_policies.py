"""The operations on key policies.

Reference: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam.api import identities_of
from clary.services.kms import keys
from clary.services.kms.asked import managed_record
from clary.services.kms.errors import NotFoundException
from clary.services.kms.keys import DISABLED, ENABLED
from clary.services.kms.lifecycle import check_lockout
from clary.services.kms.policies import NAME, check_policy


def _check_name(params: dict[str, Any]) -> None:
    if params.get("PolicyName", NAME) != NAME:
        raise NotFoundException("No such policy exists")


def put(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutKeyPolicy``."""
    _check_name(params)
    bypass = bool(params.get("BypassPolicyLockoutSafetyCheck"))
    with context.platform.database.write() as transaction:
        given = {"kms:BypassPolicyLockoutSafetyCheck": bypass}
        record, key = managed_record(context, transaction, params["KeyId"], "PutKeyPolicy", given=given)
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        check_policy(identities_of(context), params["Policy"])
        if not bypass:
            check_lockout(context, key, params["Policy"])
        record.document["Policy"] = params["Policy"]
        keys.save(transaction, record, context.platform.clock())
    return {}


def get(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetKeyPolicy``."""
    with context.platform.database.read() as transaction:
        record, _ = managed_record(context, transaction, params["KeyId"], "GetKeyPolicy")
    _check_name(params)
    return {"Policy": record.document["Policy"], "PolicyName": NAME}


def list_policies(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListKeyPolicies``: there is one."""
    with context.platform.database.read() as transaction:
        managed_record(context, transaction, params["KeyId"], "ListKeyPolicies")
    return {"PolicyNames": [NAME], "Truncated": False}


OPERATIONS: dict[str, Handler] = {"PutKeyPolicy": put, "GetKeyPolicy": get, "ListKeyPolicies": list_policies}
