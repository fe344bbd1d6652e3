"""Requests for further accounts, which are done when they are answered.

Reference: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

from clary.core import suites
from clary.core.names import arn
from clary.resources.context import Context, Handler
from clary.services.iam.accounts import EXECUTION_ROLE, Membership, membership, open_account
from clary.services.iam.api import identities_of
from clary.services.organizations.accounts import account_key, page
from clary.services.organizations.errors import CreateAccountStatusNotFoundException, InvalidInputException
from clary.services.organizations.membership import MANAGEMENT_EMAIL, SERVICE, account_arn, managed_by
from clary.services.organizations.tags import checked
from clary.state.records import AlreadyExists, Key, Query, Record
from clary.state.transaction import Transaction

KIND = "CreateAccountStatus"
ACCESS_ROLE = "OrganizationAccountAccessRole"
_EMAIL = re.compile(r"(?!\.)[!-~]+@(?![.-])[A-Za-z0-9.-]*\.[A-Za-z0-9.-]*(?<![.-])")
_NOT_IN_LOCAL_NAME = re.compile(r"""["'()<>\[\]:;,\\|%&@]""")
_RESERVED_ROLES = "awsservicerolefor"


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None and not _NOT_IN_LOCAL_NAME.search(text.rpartition("@")[0])


def _request_key(management: str, request: str) -> Key:
    return Key(management, "", SERVICE, KIND, "", request)


def create_account(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateAccount``: done or failed at once, and the same request once more is the same account.

    Nothing is billed here, so that ``IamUserAccessToBilling`` changes nothing.
    """
    now, email = context.platform.clock(), params["Email"]
    role, tags = _checked_role(params.get("RoleName", ACCESS_ROLE)), checked(params.get("Tags", ()))
    # The name of the request follows from the client's call, whose answer may be lost, so that it is sent again.
    call = f"{context.token or context.request_id} {email}"
    name = f"car-{hashlib.sha256(call.encode()).hexdigest()[:32]}"
    with context.platform.database.write() as transaction:
        organization = managed_by(transaction, context)
        key = _request_key(organization.management, name)
        record = transaction.get(key)
        if record is None:
            document = {"AccountName": params["AccountName"]}
            # Not an ARN of AWS's: nothing but its id names a request there.
            address = arn(SERVICE, "", organization.management, f"create-account/{name}")
            record = Record(key, address, now, now, document, "SUCCEEDED")
            account = _new_account(transaction)
            if reason := _make(transaction, organization, account, params, now):
                record.status, document["FailureReason"] = "FAILED", reason
            else:
                document["AccountId"] = account
                open_account(transaction, account, organization, role, now)
                transaction.set_tags(account_arn(organization, account), tags)
            transaction.insert(record)
    identities_of(context).refresh()
    return {"CreateAccountStatus": _view(record)}


def _checked_role(name: str) -> str:
    if name.lower().startswith(_RESERVED_ROLES) or name.lower() == EXECUTION_ROLE.lower():
        raise InvalidInputException(
            "You provided a role name that isn't valid. A role name can't begin with the reserved prefix "
            f"AWSServiceRoleFor, and {EXECUTION_ROLE} is another role of every account.",
            Reason="INVALID_ROLE_NAME",
        )
    return name


def _new_account(transaction: Transaction) -> str:
    """The number of an account that is not there."""
    others = {account for account, _, _ in suites.S3_ACCOUNTS.values()}
    while True:
        account = str(10**11 + secrets.randbelow(9 * 10**11))
        if account not in others and membership(transaction, account) is None:
            return account


def _make(
    transaction: Transaction, organization: Membership, account: str, params: Mapping[str, Any], now: float
) -> str:
    """Keep a new account; gives the reason where that cannot be."""
    email = params["Email"]
    if not _is_email(email):
        return "INVALID_EMAIL"
    if email.lower() == MANAGEMENT_EMAIL:
        return "EMAIL_ALREADY_EXISTS"
    document = {"Id": account, "Email": email, "Name": params["AccountName"]}
    key = account_key(organization.management, email)
    try:
        transaction.insert(Record(key, account_arn(organization, account), now, now, document))
    except AlreadyExists:
        return "EMAIL_ALREADY_EXISTS"
    return ""


def _view(record: Record) -> dict[str, Any]:
    return {
        "Id": record.name,
        "State": record.status,
        "RequestedTimestamp": record.created,
        "CompletedTimestamp": record.modified,
        **record.document,
    }


def describe_status(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeCreateAccountStatus``."""
    with context.platform.database.read() as transaction:
        organization = managed_by(transaction, context)
        record = transaction.get(_request_key(organization.management, params["CreateAccountRequestId"]))
    if record is None:
        raise CreateAccountStatusNotFoundException(
            "We can't find a create account request with the CreateAccountRequestId that you specified."
        )
    return {"CreateAccountStatus": _view(record)}


def list_statuses(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListCreateAccountStatus``: the oldest first, those in any of the states that are wanted."""
    with context.platform.database.read() as transaction:
        organization = managed_by(transaction, context)
        records = transaction.find(Query(organization.management, "", SERVICE, KIND))
    states = params.get("States")
    found = [_view(record) for record in records if not states or record.status in states]
    return page(found, params, "CreateAccountStatuses")


OPERATIONS: dict[str, Handler] = {
    "CreateAccount": create_account,
    "DescribeCreateAccountStatus": describe_status,
    "ListCreateAccountStatus": list_statuses,
}
