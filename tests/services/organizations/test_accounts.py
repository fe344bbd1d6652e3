"""Accounts that Organizations makes, by handlers behind a boto3 client."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.core.errors import InvalidClientTokenId
from clary.services.iam.accounts import membership
from clary.services.iam.api import Identities
from clary.services.iam.principals import root_principal
from clary.services.organizations.service import SERVICE

MANAGEMENT = "123456789012"
STRANGER = "111122223333"


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """The code and the reason of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"]), str(caught.value.response.get("Reason", ""))


@pytest.fixture
def organizations(installation: Any) -> Any:
    return installation.client("organizations")


@pytest.fixture
def create(organizations: Any) -> Callable[..., Any]:
    """Asks for an account; gives the request's status."""

    def create(email: str = "lab@example.com", **more: Any) -> Any:
        return organizations.create_account(AccountName="Lab", Email=email, **more)["CreateAccountStatus"]

    return create


def test_an_installation_is_an_organization_with_one_account(organizations: Any) -> None:
    organization = organizations.describe_organization()["Organization"]
    assert organization["MasterAccountId"] == MANAGEMENT
    assert organization["Arn"] == f"arn:aws:organizations::{MANAGEMENT}:organization/{organization['Id']}"
    [account] = organizations.list_accounts()["Accounts"]
    assert account == organizations.describe_account(AccountId=MANAGEMENT)["Account"]
    assert account["Arn"] == organization["MasterAccountArn"]
    assert (account["State"], account["JoinedMethod"]) == ("ACTIVE", "INVITED")


def test_an_account_is_there_when_the_request_is_answered(
    organizations: Any, create: Callable[..., Any], installation: Any
) -> None:
    status = create(RoleName="Entrance", IamUserAccessToBilling="DENY", Tags=[{"Key": "team", "Value": "search"}])
    assert status["State"] == "SUCCEEDED"
    assert (
        status
        == organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    )
    id_ = status["AccountId"]
    assert len(id_) == 12
    assert id_.isdigit()
    account = organizations.describe_account(AccountId=id_)["Account"]
    assert (account["Name"], account["Email"], account["JoinedMethod"]) == ("Lab", "lab@example.com", "CREATED")
    assert [each["Id"] for each in organizations.list_accounts()["Accounts"]] == [MANAGEMENT, id_]
    assert organizations.list_tags_for_resource(ResourceId=id_)["Tags"] == [{"Key": "team", "Value": "search"}]
    entrance = installation.identities.role(f"arn:aws:iam::{id_}:role/Entrance")
    assert entrance is not None
    root = installation.client("iam", root_principal(id_))
    [policy] = root.list_attached_role_policies(RoleName="Entrance")["AttachedPolicies"]
    assert policy["PolicyName"] == "AdministratorAccess"
    assert root.get_role(RoleName="ClaryExecutionRole")["Role"]["Arn"].split(":")[4] == id_


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        pytest.param("LAB@Example.com", "EMAIL_ALREADY_EXISTS", id="another-case"),
        pytest.param("administrator@clary.invalid", "EMAIL_ALREADY_EXISTS", id="the-management-account"),
        pytest.param(".lab@example.com", "INVALID_EMAIL", id="begins-with-a-dot"),
        pytest.param("l(a)b@example.com", "INVALID_EMAIL", id="parentheses"),
        pytest.param("lab@example.com-", "INVALID_EMAIL", id="ends-with-a-hyphen"),
        pytest.param("lab@exa_mple.com", "INVALID_EMAIL", id="underscore-in-the-domain"),
        pytest.param("l\u00e4b@example.com", "INVALID_EMAIL", id="not-ascii"),
    ],
)
def test_a_request_that_ends_badly(organizations: Any, create: Callable[..., Any], email: str, reason: str) -> None:
    create()
    status = create(email)
    assert (status["State"], status["FailureReason"]) == ("FAILED", reason)
    assert "AccountId" not in status
    assert len(organizations.list_accounts()["Accounts"]) == 2
    listed = organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert [each["Id"] for each in listed] == [status["Id"]]
    assert len(organizations.list_create_account_status()["CreateAccountStatuses"]) == 2


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        pytest.param({"email": "a@b.c"}, "InvalidInputException", "", id="email-too-short"),
        pytest.param({"email": "nobody.example.com"}, "InvalidInputException", "", id="no-email"),
        pytest.param({"RoleName": "a b"}, "InvalidInputException", "", id="role-with-a-blank"),
        pytest.param(
            {"RoleName": "AWSServiceRoleForX"}, "InvalidInputException", "INVALID_ROLE_NAME", id="reserved-role"
        ),
        pytest.param(
            {"RoleName": "claryexecutionrole"}, "InvalidInputException", "INVALID_ROLE_NAME", id="role-of-every-account"
        ),
        pytest.param({"IamUserAccessToBilling": "MAYBE"}, "InvalidInputException", "", id="no-such-choice"),
        pytest.param(
            {"Tags": [{"Key": "aws:a", "Value": ""}]},
            "InvalidInputException",
            "INVALID_SYSTEM_TAGS_PARAMETER",
            id="system-tag",
        ),
        pytest.param(
            {"Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": "b"}]},
            "InvalidInputException",
            "DUPLICATE_TAG_KEY",
            id="a-tag-twice",
        ),
        pytest.param(
            {"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
            "ConstraintViolationException",
            "MAX_TAG_LIMIT_EXCEEDED",
            id="too-many-tags",
        ),
    ],
)
def test_a_request_that_is_refused(
    organizations: Any, create: Callable[..., Any], change: dict[str, Any], code: str, reason: str
) -> None:
    assert refused(create, **change) == (code, reason)
    assert len(organizations.list_accounts()["Accounts"]) == 1
    assert organizations.list_create_account_status()["CreateAccountStatuses"] == []


def test_a_request_that_is_sent_again_makes_one_account(installation: Any) -> None:
    context = replace(installation.context(), token="one call")
    handler, params = SERVICE.operations["CreateAccount"], {"AccountName": "Lab", "Email": "lab@example.com"}
    first = handler(context, params)
    assert handler(context, params) == first
    again = handler(replace(context, token="another call"), params)["CreateAccountStatus"]
    assert again["FailureReason"] == "EMAIL_ALREADY_EXISTS"


def test_pages(organizations: Any, create: Callable[..., Any]) -> None:
    for number in range(3):
        create(f"lab{number}@example.com")
    pages = organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["Accounts"]) for page in pages] == [2, 2]
    for token in ("nonsense", "-1"):
        assert refused(organizations.list_accounts, NextToken=token) == ("InvalidInputException", "INVALID_NEXT_TOKEN")
    assert refused(organizations.list_accounts, MaxResults=21)[0] == "InvalidInputException"


def test_tags(organizations: Any, create: Callable[..., Any]) -> None:
    account = create()["AccountId"]
    for id_ in (account, MANAGEMENT):
        organizations.tag_resource(ResourceId=id_, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
        organizations.untag_resource(ResourceId=id_, TagKeys=["a", "c"])
        assert organizations.list_tags_for_resource(ResourceId=id_)["Tags"] == [{"Key": "b", "Value": ""}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(organizations.tag_resource, ResourceId=account, Tags=many) == (
        "ConstraintViolationException",
        "MAX_TAG_LIMIT_EXCEEDED",
    )
    for id_ in ("999999999999", "r-abcd"):
        assert refused(organizations.list_tags_for_resource, ResourceId=id_)[0] == "TargetNotFoundException"
    assert refused(organizations.list_tags_for_resource, ResourceId="lab")[0] == "InvalidInputException"


def test_what_is_not_there(organizations: Any) -> None:
    for operation in (organizations.describe_account, organizations.close_account):
        assert refused(operation, AccountId="999999999999")[0] == "AccountNotFoundException"
        assert refused(operation, AccountId="12")[0] == "InvalidInputException"
        assert refused(operation)[0] == "InvalidInputException"
    status = organizations.describe_create_account_status
    assert refused(status, CreateAccountRequestId="car-01234567")[0] == "CreateAccountStatusNotFoundException"


def test_members_see_the_organization_and_nothing_more(installation: Any, create: Callable[..., Any]) -> None:
    account = create()["AccountId"]
    member = installation.client("organizations", root_principal(account))
    assert member.describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT
    for call, arguments in (
        (member.list_accounts, {}),
        (member.create_account, {"AccountName": "a", "Email": "a@example.com"}),
        (member.list_create_account_status, {}),
        (member.describe_create_account_status, {"CreateAccountRequestId": "car-01234567"}),
        (member.describe_account, {"AccountId": account}),
        (member.close_account, {"AccountId": account}),
        (member.tag_resource, {"ResourceId": account, "Tags": []}),
        (member.untag_resource, {"ResourceId": account, "TagKeys": []}),
        (member.list_tags_for_resource, {"ResourceId": account}),
    ):
        assert refused(call, **arguments)[0] == "AccessDeniedException"
    stranger = installation.client("organizations", root_principal(STRANGER))
    assert refused(stranger.describe_organization)[0] == "AWSOrganizationsNotInUseException"
    assert refused(stranger.list_accounts)[0] == "AWSOrganizationsNotInUseException"


def test_policies_name_accounts(installation: Any, create: Callable[..., Any], iam: Any) -> None:
    account = create()["AccountId"]
    organization = installation.client("organizations").describe_organization()["Organization"]["Id"]
    own = f"arn:aws:organizations::{MANAGEMENT}:account/{organization}/{account}"
    statements = [
        {"Effect": "Allow", "Action": "organizations:DescribeAccount", "Resource": own},
        {"Effect": "Allow", "Action": "organizations:CreateAccount", "Resource": "*"},
    ]
    iam.create_user(UserName="ann")
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    installation.identities.refresh()
    ann = installation.client("organizations", installation.identities.resolve(key).principal)
    assert ann.describe_account(AccountId=account)["Account"]["Arn"] == own
    assert refused(ann.describe_account, AccountId=MANAGEMENT)[0] == "AccessDeniedException"
    assert refused(ann.close_account, AccountId=account)[0] == "AccessDeniedException"
    # Who gives an account tags needs permission to tag.
    given = {"AccountName": "Ann's", "Email": "ann@example.com"}
    assert refused(ann.create_account, **given, Tags=[{"Key": "a", "Value": ""}])[0] == "AccessDeniedException"
    assert ann.create_account(**given)["CreateAccountStatus"]["State"] == "SUCCEEDED"


def test_in_a_closed_account_nobody_is_known(organizations: Any, create: Callable[..., Any], installation: Any) -> None:
    account = create()["AccountId"]
    entrance = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    identities = installation.identities
    root = installation.client("iam", root_principal(account))
    root.create_user(UserName="ann")
    permanent = root.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    temporary = [
        identities.mint_session(entrance, "session", 3600),
        identities.mint_caller_session(root_principal(account), 3600),
    ]
    ticket = identities.ticket(f"arn:aws:iam::{account}:role/ClaryExecutionRole", "job", 3600)
    identities.redeem(ticket)
    for keys in temporary:
        identities.resolve(keys["AccessKeyId"], keys["SessionToken"])
    organizations.close_account(AccountId=account)
    assert identities.role(entrance) is None
    for arguments in ((permanent,), *((keys["AccessKeyId"], keys["SessionToken"]) for keys in temporary)):
        with pytest.raises(InvalidClientTokenId):
            identities.resolve(*arguments)
    with pytest.raises(InvalidClientTokenId):
        identities.redeem(ticket)
    shown = organizations.describe_account(AccountId=account)["Account"]
    assert (shown["State"], shown["Status"]) == ("SUSPENDED", "SUSPENDED")
    assert refused(organizations.close_account, AccountId=account)[0] == "AccountAlreadyClosedException"
    assert create()["FailureReason"] == "EMAIL_ALREADY_EXISTS"
    assert refused(organizations.close_account, AccountId=MANAGEMENT) == (
        "ConstraintViolationException",
        "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
    )


def test_an_organization_outlives_a_restart(create: Callable[..., Any], installation: Any) -> None:
    with installation.database.read() as transaction:
        before = membership(transaction, MANAGEMENT)
    account = create()["AccountId"]
    installation.identities.bootstrap()
    # Nor is it another one's when the installation is started as one of its accounts.
    settings = replace(installation.settings, account=account)
    Identities(installation.database, settings, installation.clock).bootstrap()
    with installation.database.read() as transaction:
        assert membership(transaction, MANAGEMENT) == before
        joined = membership(transaction, account)
    assert joined is not None
    assert joined.management == MANAGEMENT
