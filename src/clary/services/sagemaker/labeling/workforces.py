"""The workforce of a region and its teams, as resources.

The worker portal, whose address both show, comes with the labelling jobs; an OpenID Connect client's secret is kept
sealed until then and never shown.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateWorkforce.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clary.core.errors import ConflictException, ResourceInUse, ResourceLimitExceeded, ValidationException
from clary.core.ids import token
from clary.resources import changes
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

MOST_CIDRS = 10
MOST_TEAMS = 25
SECRET = "_client_secret"
"""In a workforce's document: the secret of its OpenID Connect client, sealed."""
SECRET_PURPOSE = "workforce-client"
_DEFAULT = "default"
_WORKFORCE = "_workforce"


def _prepare_workforce(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if ("CognitoConfig" in params) == ("OidcConfig" in params):
        raise ValidationException("A workforce needs exactly one of CognitoConfig and OidcConfig.")
    if transaction.find(workforces.query(context)):
        raise ValidationException(
            f"Cannot create more than one workforce for account {context.account}. "
            "If you are trying to update existing workforce, please use UpdateWorkforce API"
        )
    params["SourceIpConfig"] = _checked_addresses(params.get("SourceIpConfig", {"Cidrs": []}))
    _hide_secret(context, params["WorkforceName"], params)
    # Names below localhost are this machine's, so that the link leads nowhere else.
    params["SubDomain"] = f"{token(10)}.labeling.{context.region}.localhost"


def _amend_workforce(context: Context, transaction: Transaction, record: Record, given: dict[str, Any]) -> None:
    if "SourceIpConfig" in given:
        _checked_addresses(given["SourceIpConfig"])
    if "OidcConfig" not in given:
        return
    if "OidcConfig" not in record.document:
        raise ValidationException(f"The workforce {record.name} was not created with OidcConfig.")
    if _teams_of(context, transaction, record):
        raise ConflictException(
            "OidcConfig can only be updated when there are no work teams associated with the workforce."
        )
    _hide_secret(context, record.name, given)


def _remove_workforce(context: Context, transaction: Transaction, record: Record) -> bool:
    if _teams_of(context, transaction, record):
        raise ResourceInUse(f"The workforce {record.name} contains work teams. Delete them first.")
    return True


def _hide_secret(context: Context, name: str, params: dict[str, Any]) -> None:
    if "OidcConfig" in params:
        secret = params["OidcConfig"].pop("ClientSecret")
        params[SECRET] = context.platform.identity.seal(SECRET_PURPOSE, secret, f"{context.account}/{name}")


def _checked_addresses(config: dict[str, Any]) -> dict[str, Any]:
    if len(config["Cidrs"]) > MOST_CIDRS:
        raise ValidationException(f"SourceIpConfig can have at most {MOST_CIDRS} CIDR values.")
    return config


def _prepare_team(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if transaction.count(workteams.query(context)) >= MOST_TEAMS:
        raise ResourceLimitExceeded(f"You cannot create more than {MOST_TEAMS} work teams in an account and region.")
    workforce = _workforce_for(context, transaction, params)
    _check_members(workforce, params["MemberDefinitions"])
    params[_WORKFORCE] = workforce.name
    params["WorkforceArn"] = workforce.arn
    params["SubDomain"] = workforce.document["SubDomain"]


def _amend_team(context: Context, transaction: Transaction, record: Record, given: dict[str, Any]) -> None:
    if "MemberDefinitions" in given:
        workforce = workforces.find(context, transaction, record.document[_WORKFORCE])
        _check_members(workforce, given["MemberDefinitions"])


def _workforce_for(context: Context, transaction: Transaction, params: dict[str, Any]) -> Record:
    """The workforce that a new team belongs to: the region's, which comes into being with the first Cognito team."""
    if name := params.get("WorkforceName"):
        return workforces.find(context, transaction, name)
    if present := transaction.find(workforces.query(context)):
        return present[0]
    first = params["MemberDefinitions"][0].get("CognitoMemberDefinition")
    if first is None:
        raise ValidationException("No workforce exists in this region. Create one with CreateWorkforce first.")
    config = {"UserPool": first["UserPool"], "ClientId": first["ClientId"]}
    return changes.add(workforces, context, transaction, {"WorkforceName": _DEFAULT, "CognitoConfig": config})


def _check_members(workforce: Record, members: Iterable[dict[str, Any]]) -> None:
    """Raises ``ValidationException`` for members that are not of the workforce's identity provider."""
    kind = "Cognito" if "CognitoConfig" in workforce.document else "Oidc"
    wanted = workforce.document.get("CognitoConfig", {})
    for member in members:
        if set(member) != {f"{kind}MemberDefinition"}:
            raise ValidationException(
                f"The workforce {workforce.name} takes members with {kind}MemberDefinition and no others."
            )
        given = member[f"{kind}MemberDefinition"]
        if any(given[name] != wanted[name] for name in wanted):
            raise ValidationException(
                f"UserPool and ClientId of the members must be those of the workforce {workforce.name}."
            )


def _teams_of(context: Context, transaction: Transaction, workforce: Record) -> list[Record]:
    return transaction.find(workteams.query(context).where(_WORKFORCE, workforce.name))


workforces = Resource(
    SAGEMAKER,
    "Workforce",
    status="Status",
    initial="Active",
    missing=lambda name, arn: ValidationException(f"No workforce found with name {name}."),
    present=lambda name, arn: ValidationException(f"A workforce with name {name} already exists ({arn})."),
    prepare=_prepare_workforce,
    amend=_amend_workforce,
    remove=_remove_workforce,
)
workteams = Resource(
    SAGEMAKER,
    "Workteam",
    arn="workteam/private-crowd/{name}",
    missing=lambda name, arn: ValidationException(f'The work team "{arn}" does not exist.'),
    prepare=_prepare_team,
    amend=_amend_team,
    computed={"Success": lambda *_: True},
)
subscribed_workteams = Resource(
    SAGEMAKER,
    "SubscribedWorkteam",
    arn="workteam/vendor-crowd/{name}",
    names=("WorkteamArn",),
    arn_member="WorkteamArn",
    missing=lambda name, arn: ValidationException(f'The work team "{arn}" does not exist.'),
)
RESOURCES = (workforces, workteams, subscribed_workteams)
