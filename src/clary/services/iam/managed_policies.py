"""Managed policies of an account, with their versions, beside those of AWS.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
"""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.documents import check_document
from clary.services.iam.entities import Kind
from clary.services.iam.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from clary.services.iam.managed import CREATED, ManagedPolicy, managed_policies
from clary.services.iam.subjects import find_policy
from clary.services.iam.view import add_tags, encoded, moment, page, tag_list
from clary.state.records import Record
from clary.state.transaction import Transaction

_MOST_VERSIONS = 5
_MOST_CHARACTERS = 6144
_HOLDERS: tuple[Kind, ...] = ("Group", "User", "Role")


def _check(text: str) -> None:
    check_document(text, "identity")
    if len("".join(text.split())) > _MOST_CHARACTERS:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {_MOST_CHARACTERS}")


def _not_found(arn: str) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {arn} was not found.")


def _find(transaction: Transaction, context: Context, arn: str) -> Record:
    """A policy of the account's own, which can be changed."""
    if arn in managed_policies():
        raise InvalidInput(f"Policy {arn} is managed by AWS and cannot be changed.")
    record = find_policy(transaction, arn)
    if record is None or record.key.account != context.account:
        raise _not_found(arn)
    return record


class _Uses:
    """How many users, groups and roles of an account have each policy attached, or as their boundary."""

    def __init__(self, transaction: Transaction, account: str) -> None:
        self.attached: dict[str, int] = {}
        self.boundary: dict[str, int] = {}
        for kind in _HOLDERS:
            for record in entities.every(transaction, account, kind):
                for arn in record.document["Attached"]:
                    self.attached[arn] = self.attached.get(arn, 0) + 1
                if arn := record.document.get("Boundary"):
                    self.boundary[arn] = self.boundary.get(arn, 0) + 1

    def of(self, arn: str) -> dict[str, int]:
        return {
            "AttachmentCount": self.attached.get(arn, 0),
            "PermissionsBoundaryUsageCount": self.boundary.get(arn, 0),
        }


def _own_view(record: Record, uses: _Uses) -> dict[str, Any]:
    return {
        "PolicyName": record.name,
        "PolicyId": record.document["Id"],
        "Arn": record.arn,
        "Path": record.document["Path"],
        "DefaultVersionId": record.document["Default"],
        **uses.of(record.arn),
        "IsAttachable": True,
        "CreateDate": moment(record.created),
        "UpdateDate": moment(record.modified),
    }


def _builtin_view(policy: ManagedPolicy, uses: _Uses) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": "v1",
        **uses.of(policy.arn),
        "IsAttachable": True,
        "CreateDate": moment(CREATED),
        "UpdateDate": moment(CREATED),
    }


def create_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html"""
    _check(params["PolicyDocument"])
    name, now = params["PolicyName"], context.platform.clock()
    document = {
        "Description": params.get("Description", ""),
        "Default": "v1",
        "Latest": 1,
        "Versions": {"v1": {"Document": params["PolicyDocument"], "Created": now}},
    }
    with context.platform.database.write() as transaction:
        try:
            record = entities.create(
                transaction, context.account, "Policy", name, now, document, params.get("Path", "/")
            )
        except EntityAlreadyExists as error:
            raise EntityAlreadyExists(
                f"A policy called {name} already exists. Duplicate names are not allowed."
            ) from error
        tags = add_tags(transaction, record, params)
        view = _own_view(record, _Uses(transaction, context.account))
    return {"Policy": {**view, "Tags": tag_list(tags)} if tags else view}


def get_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html"""
    arn = params["PolicyArn"]
    with context.platform.database.read() as transaction:
        uses = _Uses(transaction, context.account)
        builtin = managed_policies().get(arn)
        if builtin is not None:
            return {"Policy": {**_builtin_view(builtin, uses), "Description": builtin.description}}
        record = _find(transaction, context, arn)
        view = _own_view(record, uses)
        if record.document["Description"]:
            view["Description"] = record.document["Description"]
        return {"Policy": {**view, "Tags": tag_list(transaction.tags(arn))}}


def list_policies(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html"""
    scope, prefix = params.get("Scope", "All"), params.get("PathPrefix", "/")
    with context.platform.database.read() as transaction:
        uses = _Uses(transaction, context.account)
        views: list[dict[str, Any]] = []
        if scope in ("All", "Local"):
            views += [_own_view(record, uses) for record in entities.every(transaction, context.account, "Policy")]
        if scope in ("All", "AWS"):
            views += [_builtin_view(policy, uses) for policy in managed_policies().values()]
    counts = {"PermissionsPolicy": "AttachmentCount", "PermissionsBoundary": "PermissionsBoundaryUsageCount"}
    usage = params.get("PolicyUsageFilter")
    if usage is not None or params.get("OnlyAttached"):
        views = [view for view in views if view[counts[usage or "PermissionsPolicy"]]]
    views = sorted((view for view in views if view["Path"].startswith(prefix)), key=lambda view: str(view["Arn"]))
    return page(views, params, "Policies", lambda view: str(view["Arn"]), lambda view: view)


def delete_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"""
    with context.platform.database.write() as transaction:
        record = _find(transaction, context, params["PolicyArn"])
        if any(_Uses(transaction, context.account).of(record.arn).values()):
            raise DeleteConflict("Cannot delete a policy attached to entities.")
        if len(record.document["Versions"]) > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        entities.delete(transaction, record)
    return {}


def _version_view(name: str, version: dict[str, Any], default: str) -> dict[str, Any]:
    return {"VersionId": name, "IsDefaultVersion": name == default, "CreateDate": moment(version["Created"])}


def create_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html"""
    _check(params["PolicyDocument"])
    now = context.platform.clock()
    with context.platform.database.write() as transaction:
        record = _find(transaction, context, params["PolicyArn"])
        document = record.document
        if len(document["Versions"]) >= _MOST_VERSIONS:
            raise LimitExceeded(
                f"A managed policy can have up to {_MOST_VERSIONS} versions. Before you create a new version, you must "
                "delete an existing version."
            )
        document["Latest"] += 1
        name = f"v{document['Latest']}"
        document["Versions"][name] = {"Document": params["PolicyDocument"], "Created": now}
        if params.get("SetAsDefault"):
            document["Default"] = name
        entities.save(transaction, record, now)
    return {"PolicyVersion": _version_view(name, document["Versions"][name], document["Default"])}


def _version(record: Record, name: str) -> dict[str, Any]:
    version: dict[str, Any] | None = record.document["Versions"].get(name)
    if version is None:
        raise NoSuchEntity(f"Policy {record.arn} version {name} does not exist or is not attachable.")
    return version


def get_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html"""
    arn, name = params["PolicyArn"], params["VersionId"]
    builtin = managed_policies().get(arn)
    if builtin is not None:
        if name != "v1":
            raise NoSuchEntity(f"Policy {arn} version {name} does not exist or is not attachable.")
        view = _version_view(name, {"Created": CREATED}, "v1")
        return {"PolicyVersion": {**view, "Document": encoded(builtin.document)}}
    with context.platform.database.read() as transaction:
        record = _find(transaction, context, arn)
    version = _version(record, name)
    view = _version_view(name, version, record.document["Default"])
    return {"PolicyVersion": {**view, "Document": encoded(version["Document"])}}


def list_policy_versions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html"""
    arn = params["PolicyArn"]
    if arn in managed_policies():
        return {"Versions": [_version_view("v1", {"Created": CREATED}, "v1")], "IsTruncated": False}
    with context.platform.database.read() as transaction:
        record = _find(transaction, context, arn)
    versions, default = record.document["Versions"], record.document["Default"]
    names = sorted(versions, key=lambda name: int(name[1:]), reverse=True)
    # There are five at most, which is less than any page.
    return {"Versions": [_version_view(name, versions[name], default) for name in names], "IsTruncated": False}


def delete_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html"""
    with context.platform.database.write() as transaction:
        record = _find(transaction, context, params["PolicyArn"])
        _version(record, params["VersionId"])
        if record.document["Default"] == params["VersionId"]:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        del record.document["Versions"][params["VersionId"]]
        entities.save(transaction, record, context.platform.clock())
    return {}


def set_default_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html"""
    with context.platform.database.write() as transaction:
        record = _find(transaction, context, params["PolicyArn"])
        _version(record, params["VersionId"])
        record.document["Default"] = params["VersionId"]
        entities.save(transaction, record, context.platform.clock())
    return {}


def list_entities_for_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html"""
    arn, prefix = params["PolicyArn"], params.get("PathPrefix", "/")
    wanted = params.get("EntityFilter")
    usage = params.get("PolicyUsageFilter", "PermissionsPolicy")
    found: list[tuple[Kind, Record]] = []
    with context.platform.database.read() as transaction:
        if arn not in managed_policies():
            _find(transaction, context, arn)
        for kind in _HOLDERS:
            if wanted in (None, kind):
                for record in entities.every(transaction, context.account, kind):
                    attached = arn in record.document["Attached"]
                    used = attached if usage == "PermissionsPolicy" else record.document.get("Boundary") == arn
                    if used and record.document["Path"].startswith(prefix):
                        found.append((kind, record))
    found.sort(key=lambda item: f"{item[0]}/{item[1].name}")
    answer = page(found, params, "Entities", lambda item: f"{item[0]}/{item[1].name}", lambda item: item)
    for kind in _HOLDERS:
        answer[f"Policy{kind}s"] = [
            {f"{kind}Name": record.name, f"{kind}Id": record.document["Id"]}
            for holder, record in answer["Entities"]
            if holder == kind
        ]
    del answer["Entities"]
    return answer


OPERATIONS: dict[str, Handler] = {
    "CreatePolicy": create_policy,
    "GetPolicy": get_policy,
    "ListPolicies": list_policies,
    "DeletePolicy": delete_policy,
    "CreatePolicyVersion": create_policy_version,
    "GetPolicyVersion": get_policy_version,
    "ListPolicyVersions": list_policy_versions,
    "DeletePolicyVersion": delete_policy_version,
    "SetDefaultPolicyVersion": set_default_policy_version,
    "ListEntitiesForPolicy": list_entities_for_policy,
}
