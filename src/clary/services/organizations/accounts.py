"""The accounts of an organization: shown, listed, tagged and closed.

Reference: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler
from clary.resources.paging import cut
from clary.resources.tagging import as_list
from clary.services.iam.accounts import Membership, close_account, membership
from clary.services.iam.api import identities_of
from clary.services.organizations.errors import (
    AccountAlreadyClosedException,
    AccountNotFoundException,
    ConstraintViolationException,
    InvalidInputException,
    TargetNotFoundException,
)
from clary.services.organizations.membership import MANAGEMENT_EMAIL, SERVICE, account_arn, managed_by
from clary.services.organizations.tags import checked
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

KIND = "Account"
_PAGE = 20


def account_key(management: str, email: str) -> Key:
    """Where an account is kept: by its address, which no other has, however it is written."""
    return Key(management, "", SERVICE, KIND, "", email.lower())


def _member(record: Record, joined: Membership) -> dict[str, Any]:
    state = "SUSPENDED" if joined.closed else "ACTIVE"
    return {
        "Id": record.document["Id"],
        "Arn": record.arn,
        "Email": record.document["Email"],
        "Name": record.document["Name"],
        "Status": state,
        "State": state,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": joined.joined,
    }


def _management(organization: Membership) -> dict[str, Any]:
    return {
        "Id": organization.management,
        "Arn": account_arn(organization, organization.management),
        "Email": MANAGEMENT_EMAIL,
        "Name": "Management account",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "INVITED",
        "JoinedTimestamp": organization.joined,
    }


def _find(transaction: Transaction, organization: Membership, account: str) -> dict[str, Any] | None:
    """What is shown of an account of the organization."""
    if account == organization.management:
        return _management(organization)
    record = transaction.by_arn(account_arn(organization, account))
    joined = membership(transaction, account)
    return _member(record, joined) if record is not None and joined is not None else None


def describe_account(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeAccount``."""
    with context.platform.database.read() as transaction:
        account = _find(transaction, managed_by(transaction, context), params["AccountId"])
    if account is None:
        raise AccountNotFoundException("You specified an account that doesn't exist.")
    return {"Account": account}


def list_accounts(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListAccounts``: the management account, and the others from the oldest on."""
    with context.platform.database.read() as transaction:
        organization = managed_by(transaction, context)
        records = transaction.find(Query(organization.management, "", SERVICE, KIND))
        members = [(record, membership(transaction, record.document["Id"])) for record in records]
    shown = [_member(record, joined) for record, joined in members if joined is not None]
    return page([_management(organization), *shown], params, "Accounts")


def page(rows: Sequence[Any], params: Mapping[str, Any], member: str) -> dict[str, Any]:
    """A page of a list. Raises ``InvalidInputException`` for a token that no page ended with."""
    try:
        shown, following = cut(rows, params, _PAGE)
    except ValidationException:
        raise InvalidInputException(
            "Get the value for the NextToken parameter from the response to a previous call of the operation.",
            Reason="INVALID_NEXT_TOKEN",
        ) from None
    return {member: shown} | ({"NextToken": following} if following else {})


def close(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CloseAccount``: nobody can act in it from now on. What is in it stays, and nobody can reach it."""
    with context.platform.database.write() as transaction:
        organization = managed_by(transaction, context)
        account = _find(transaction, organization, params["AccountId"])
        if account is None:
            raise AccountNotFoundException("You specified an account that doesn't exist.")
        if account["Id"] == organization.management:
            raise ConstraintViolationException(
                "You attempted to close the management account.", Reason="CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
            )
        if account["State"] != "ACTIVE":
            raise AccountAlreadyClosedException("You attempted to close an account that is already closed.")
        close_account(transaction, account["Id"], context.platform.clock())
    identities_of(context).refresh()
    return {}


def _tagged(transaction: Transaction, context: Context, params: Mapping[str, Any]) -> str:
    """The ARN of the account whose tags are meant."""
    account = _find(transaction, managed_by(transaction, context), params["ResourceId"])
    if account is None:
        raise TargetNotFoundException("You specified a target that doesn't exist.")
    return str(account["Arn"])


def tag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``TagResource``."""
    with context.platform.database.write() as transaction:
        account = _tagged(transaction, context, params)
        transaction.set_tags(account, checked(params["Tags"], transaction.tags(account)))
    return {}


def untag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UntagResource``: keys that are not there do not matter."""
    with context.platform.database.write() as transaction:
        transaction.remove_tags(_tagged(transaction, context, params), params["TagKeys"])
    return {}


def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTagsForResource``: all at once."""
    with context.platform.database.read() as transaction:
        return {"Tags": as_list(transaction.tags(_tagged(transaction, context, params)))}


OPERATIONS: dict[str, Handler] = {
    "CloseAccount": close,
    "DescribeAccount": describe_account,
    "ListAccounts": list_accounts,
    "ListTagsForResource": list_tags,
    "TagResource": tag,
    "UntagResource": untag,
}
