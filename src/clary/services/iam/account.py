"""What IAM tells of the account as a whole."""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam.entities import SERVICE
from clary.state.records import Query

_COUNTED = {
    "Users": "User",
    "Groups": "Group",
    "Roles": "Role",
    "Policies": "Policy",
    "InstanceProfiles": "InstanceProfile",
}
_QUOTAS = {
    "UsersQuota": 5000,
    "GroupsQuota": 300,
    "RolesQuota": 1000,
    "PoliciesQuota": 1500,
    "InstanceProfilesQuota": 1000,
    "AccessKeysPerUserQuota": 2,
    "AttachedPoliciesPerUserQuota": 10,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "GroupsPerUserQuota": 10,
    "UserPolicySizeQuota": 2048,
    "GroupPolicySizeQuota": 5120,
    "RolePolicySizeQuota": 10240,
    "PolicySizeQuota": 6144,
    "VersionsPerPolicyQuota": 5,
    "GlobalEndpointTokenVersion": 2,
}


def get_account_summary(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html"""
    with context.platform.database.read() as transaction:
        counts = {name: transaction.count(Query(context.account, "", SERVICE, kind)) for name, kind in _COUNTED.items()}
        root_keys = transaction.count(Query(context.account, "", SERVICE, "AccessKey").within(""))
    return {
        "SummaryMap": {
            **counts,
            **_QUOTAS,
            "AccountAccessKeysPresent": min(root_keys, 1),
            "AccountMFAEnabled": 0,
            "MFADevices": 0,
            "MFADevicesInUse": 0,
        }
    }


def list_account_aliases(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html"""
    return {"AccountAliases": [], "IsTruncated": False}


OPERATIONS: dict[str, Handler] = {
    "GetAccountSummary": get_account_summary,
    "ListAccountAliases": list_account_aliases,
}
