"""What an account may ask of its organization, and what the organization is.

Reference: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import AccessDeniedException
from clary.core.names import arn
from clary.resources.context import Context, Handler
from clary.services.iam.accounts import Membership, membership
from clary.services.organizations.errors import AWSOrganizationsNotInUseException
from clary.state.transaction import Transaction

SERVICE = "organizations"
MANAGEMENT_EMAIL = "administrator@clary.invalid"
"""The address of the management account, which has none: nothing under this domain is ever delivered (RFC 2606)."""


def organization_of(transaction: Transaction, account: str) -> Membership:
    """The place of an account in its organization. Raises ``AWSOrganizationsNotInUseException``."""
    found = membership(transaction, account)
    if found is None:
        raise AWSOrganizationsNotInUseException("Your account is not a member of an organization.")
    return found


def managed_by(transaction: Transaction, context: Context) -> Membership:
    """The organization that the caller's account manages.

    Raises ``AccessDeniedException`` for another one's account, ``AWSOrganizationsNotInUseException`` for nobody's.
    """
    found = organization_of(transaction, context.account)
    if found.management != context.account:
        raise AccessDeniedException("You don't have permissions to access this resource.")
    return found


def account_arn(organization: Membership, account: str) -> str:
    """The ARN of an account of the organization."""
    return arn(SERVICE, "", organization.management, f"account/{organization.organization}/{account}")


def describe_organization(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeOrganization``: for every account in it."""
    with context.platform.database.read() as transaction:
        found = organization_of(transaction, context.account)
    resource = f"organization/{found.organization}"
    return {
        "Organization": {
            "Id": found.organization,
            "Arn": arn(SERVICE, "", found.management, resource),
            "FeatureSet": "ALL",
            "MasterAccountArn": account_arn(found, found.management),
            "MasterAccountId": found.management,
            "MasterAccountEmail": MANAGEMENT_EMAIL,
            "AvailablePolicyTypes": [],
        }
    }


OPERATIONS: dict[str, Handler] = {"DescribeOrganization": describe_organization}
