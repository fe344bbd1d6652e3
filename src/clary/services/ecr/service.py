"""Repositories of images. There are no images in them yet: Clary's images are environments.

Reference: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ServiceError
from clary.resources.acted_on import Arns
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.paging import page, query
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.resources.view import viewer
from clary.services.iam.policy import PolicyError
from clary.services.iam.resource_policies import checked
from clary.state.records import Record
from clary.state.transaction import Transaction
from clary.wire.catalog import service as service_named

_POLICY = "_policy"


class RepositoryNotFoundException(ServiceError):
    """The repository does not exist."""

    code = "RepositoryNotFoundException"
    status = 400


class RepositoryAlreadyExistsException(ServiceError):
    """There is a repository of that name."""

    code = "RepositoryAlreadyExistsException"
    status = 400


class RepositoryPolicyNotFoundException(ServiceError):
    """The repository has no policy."""

    code = "RepositoryPolicyNotFoundException"
    status = 400


class InvalidParameterException(ServiceError):
    """A parameter does not make sense."""

    code = "InvalidParameterException"
    status = 400


ECR = Dialect(
    service="ecr",
    verbs={"create": ("Create{noun}",), "list": ("Describe{nouns}",), "delete": ("Delete{noun}",)},
    missing=lambda noun, name, arn: RepositoryNotFoundException(
        f"The repository with name '{name}' does not exist in the registry with id '{arn.split(':')[4]}'"
    ),
    present=lambda noun, name, arn: RepositoryAlreadyExistsException(
        f"The repository with name '{name}' already exists in the registry with id '{arn.split(':')[4]}'"
    ),
    ignored=frozenset(("registryId", "force")),
    owner="registryId",
    page=100,
)


def _prepare(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    params.setdefault("imageTagMutability", "MUTABLE")
    params.setdefault("imageScanningConfiguration", {"scanOnPush": False})
    params.setdefault("encryptionConfiguration", {"encryptionType": "AES256"})


def _uri(_: Context, __: Transaction, record: Record) -> str:
    return f"{record.key.account}.dkr.ecr.{record.key.region}.amazonaws.com/{record.name}"


repositories = Resource(
    ECR,
    "Repository",
    names=("repositoryName",),
    arn_member="repositoryArn",
    arn="repository/{name}",
    sort_by="@name",
    computed={"registryId": lambda _, __, record: record.key.account, "repositoryUri": _uri},
    prepare=_prepare,
)


def describe(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeRepositories``: all, or those that are named, of which none may be missing."""
    params.pop("registryId", None)
    names = params.pop("repositoryNames", [])
    look = viewer(repositories, service_named("ecr").model.shape_for("Repository"))
    with context.platform.database.read() as transaction:
        if names:
            found = [repositories.find(context, transaction, name) for name in names]
            return {"repositories": [look(context, transaction, record) for record in found]}
        wanted = query(repositories, context, transaction, params)
        records, following = page(wanted, transaction.find(wanted), context, transaction)
        rows = [look(context, transaction, record) for record in records]
    return {"repositories": rows} | ({"nextToken": following} if following else {})


def _setting(member: str) -> Handler:
    """Keeps one member of a repository's settings."""

    def put(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = repositories.named(context, transaction, params)
            record.document[member] = params[member]
            transaction.update(record)
        return {"registryId": record.key.account, "repositoryName": record.name, member: params[member]}

    return put


def _policy_answer(record: Record, text: str) -> dict[str, Any]:
    return {"registryId": record.key.account, "repositoryName": record.name, "policyText": text}


def set_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SetRepositoryPolicy``."""
    try:
        checked(params["policyText"])
    except PolicyError as error:
        raise InvalidParameterException(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        ) from error
    with context.platform.database.write() as transaction:
        record = repositories.named(context, transaction, params)
        record.document[_POLICY] = params["policyText"]
        transaction.update(record)
    return _policy_answer(record, params["policyText"])


def _policy(record: Record) -> str:
    if _POLICY not in record.document:
        raise RepositoryPolicyNotFoundException(
            f"Repository policy does not exist for the repository with name '{record.name}' in the registry with id "
            f"'{record.key.account}'"
        )
    return str(record.document[_POLICY])


def get_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetRepositoryPolicy``."""
    with context.platform.database.read() as transaction:
        record = repositories.named(context, transaction, params)
    return _policy_answer(record, _policy(record))


def delete_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteRepositoryPolicy``."""
    with context.platform.database.write() as transaction:
        record = repositories.named(context, transaction, params)
        text = _policy(record)
        del record.document[_POLICY]
        transaction.update(record)
    return _policy_answer(record, text)


def _without_images(member: str) -> Handler:
    """Lists the images of a repository: there are none."""

    def list_(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.read() as transaction:
            repositories.named(context, transaction, params)
        return {member: []}

    return list_


def _described(context: Context, params: Mapping[str, Any]) -> Arns:
    """What ``DescribeRepositories`` acts on."""
    return tuple(repositories.make_arn(context, name) for name in params.get("repositoryNames") or ["*"])


def policy_of(context: Context, arn: str) -> str | None:
    """The policy of a repository."""
    with context.platform.database.read() as transaction:
        record = transaction.by_arn(arn)
    return record.document.get(_POLICY) if record is not None else None


OPERATIONS: dict[str, Handler] = {
    "DescribeRepositories": describe,
    "PutImageTagMutability": _setting("imageTagMutability"),
    "PutImageScanningConfiguration": _setting("imageScanningConfiguration"),
    "SetRepositoryPolicy": set_policy,
    "GetRepositoryPolicy": get_policy,
    "DeleteRepositoryPolicy": delete_policy,
    "ListImages": _without_images("imageIds"),
    "DescribeImages": _without_images("imageDetails"),
}


def app() -> ServiceApp:
    """The service."""
    subjects = {"DescribeRepositories": _described}
    return service(ECR, (repositories,), OPERATIONS, subjects=subjects, tagging="TagResource", policy_of=policy_of)
