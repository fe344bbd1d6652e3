"""Organizations as the platform runs it: its operations, and what each of them acts on.

Reference: https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, ServiceApp
from clary.services.iam.accounts import membership
from clary.services.organizations import accounts, creation
from clary.services.organizations import membership as organization
from clary.services.organizations.membership import account_arn


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN of the account that an operation acts on, for the policies; ``*`` where there is none.

    Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    """
    named = params.get("AccountId") or params.get("ResourceId")
    with context.platform.database.read() as transaction:
        found = membership(transaction, context.account)
    # Who does not manage the organization is told so by the handler, whatever account is meant.
    if named is None or found is None or found.management != context.account:
        return "*"
    return account_arn(found, str(named))


SERVICE = ServiceApp(
    organization.SERVICE,
    {**organization.OPERATIONS, **accounts.OPERATIONS, **creation.OPERATIONS},
    resource_of=resource_of,
    tagging="TagResource",
)
