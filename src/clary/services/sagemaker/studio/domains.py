"""Domains, their user profiles and spaces, as resources: what Studio is for whom. Apps in spaces come later.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ResourceInUse, ResourceNotFound, ValidationException
from clary.core.ids import token
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction


def _url(context: Context, _: Transaction, __: Record) -> str:
    settings = context.platform.settings
    return f"{settings.public_url.rstrip('/') or settings.url}/studio/"


def _prepare_domain(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    if (role := params["DefaultUserSettings"].get("ExecutionRole")) is not None:
        context.platform.identity.check_pass_role(context.caller, role, SAGEMAKER.principal, told=context.told)
    params.setdefault("AppNetworkAccessType", "PublicInternetOnly")
    params.setdefault("TagPropagation", "DISABLED")
    if "KmsKeyId" in params:
        params.setdefault("HomeEfsFileSystemKmsKeyId", params["KmsKeyId"])


def _amend_domain(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if (settings := changes.pop("DomainSettingsForUpdate", None)) is not None:
        changes["DomainSettings"] = {**record.document.get("DomainSettings", {}), **settings}
    for member in ("DefaultUserSettings", "DefaultSpaceSettings"):
        if member in changes:
            changes[member] = {**record.document.get(member, {}), **changes[member]}


def _remove_domain(context: Context, transaction: Transaction, record: Record) -> bool:
    for child, what in ((user_profiles, "UserProfile"), (spaces, "Space")):
        if transaction.count(child.query(context).within(record.name)):
            raise ResourceInUse(
                f"Unable to delete Domain [{record.name}] because {what}(s) are associated with it. "
                "Ensure that they are deleted before deleting the Domain."
            )
    return True


def _prepare_profile(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    if ("SingleSignOnUserIdentifier" in params) != ("SingleSignOnUserValue" in params):
        raise ValidationException("SingleSignOnUserIdentifier and SingleSignOnUserValue must be given together.")
    role = params.get("UserSettings", {}).get("ExecutionRole")
    if role is not None:
        context.platform.identity.check_pass_role(context.caller, role, SAGEMAKER.principal, told=context.told)


def _amend_settings(member: str) -> Any:
    def amend(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
        if member in changes:
            changes[member] = {**record.document.get(member, {}), **changes[member]}

    return amend


def _remove_profile(context: Context, transaction: Transaction, record: Record) -> bool:
    owned = spaces.query(context).within(record.key.parent).where("OwnershipSettings.OwnerUserProfileName", record.name)
    if transaction.count(owned):
        raise ResourceInUse(f"Unable to delete UserProfile [{record.name}] because it owns spaces. Delete them first.")
    return True


def _prepare_space(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if ("OwnershipSettings" in params) != ("SpaceSharingSettings" in params):
        raise ValidationException("OwnershipSettings and SpaceSharingSettings must be given together.")
    if "OwnershipSettings" in params:
        owner = params["OwnershipSettings"]["OwnerUserProfileName"]
        user_profiles.find(context, transaction, owner, params["DomainId"])


def _summary(source: str, *members: str) -> Any:
    def summarise(_: Context, __: Transaction, record: Record) -> dict[str, Any] | None:
        settings = record.document.get(source)
        return None if settings is None else {member: settings[member] for member in members if member in settings}

    return summarise


domains = Resource(
    SAGEMAKER,
    "Domain",
    names=("DomainId",),
    generated=lambda *_: f"d-{token(12)}",
    status="Status",
    initial="InService",
    computed={"Url": _url},
    missing=lambda name, arn: ResourceNotFound(f"Domain [{name}] does not exist."),
    prepare=_prepare_domain,
    amend=_amend_domain,
    remove=_remove_domain,
)
user_profiles = Resource(
    SAGEMAKER,
    "UserProfile",
    names=("DomainId", "UserProfileName"),
    arn="user-profile/{DomainId}/{name}",
    parent=domains,
    status="Status",
    initial="InService",
    missing=lambda name, arn: ResourceNotFound(f"UserProfile [{name}] does not exist."),
    present=lambda name, arn: ResourceInUse(f"UserProfile [{name}] already exists."),
    prepare=_prepare_profile,
    amend=_amend_settings("UserSettings"),
    remove=_remove_profile,
)
spaces = Resource(
    SAGEMAKER,
    "Space",
    names=("DomainId", "SpaceName"),
    arn="space/{DomainId}/{name}",
    parent=domains,
    status="Status",
    initial="InService",
    computed={
        "Url": _url,
        "SpaceSettingsSummary": _summary("SpaceSettings", "AppType", "RemoteAccess", "SpaceStorageSettings"),
        "SpaceSharingSettingsSummary": _summary("SpaceSharingSettings", "SharingType"),
        "OwnershipSettingsSummary": _summary("OwnershipSettings", "OwnerUserProfileName"),
    },
    missing=lambda name, arn: ResourceNotFound(f"Space [{name}] does not exist."),
    present=lambda name, arn: ResourceInUse(f"Space [{name}] already exists."),
    prepare=_prepare_space,
    amend=_amend_settings("SpaceSettings"),
)
apps = Resource(
    SAGEMAKER,
    "App",
    names=("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName"),
    arn="app/{DomainId}/{UserProfileName}/{SpaceName}/{AppType}/{name}",
    parent=domains,
    status="Status",
    missing=lambda name, arn: ResourceNotFound(f"App [{name}] does not exist."),
    later="Apps",
)
RESOURCES = (domains, user_profiles, spaces, apps)
