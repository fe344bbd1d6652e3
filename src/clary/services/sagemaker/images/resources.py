"""Images that users bring to Studio, and their versions, as resources.

A version is numbered within its image, and may be called by an alias that no other version has.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateImageVersion.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import ResourceInUse, ResourceNotFound, ValidationException
from clary.resources.changes import numbered
from clary.resources.context import Context
from clary.resources.paging import cut
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

_PAGE = 100


def _amend_image(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    for member in changes.pop("DeleteProperties", ()):
        if member not in ("Description", "DisplayName"):
            raise ValidationException(f"{member} is not a property that can be deleted.")
        record.document.pop(member, None)


def _remove_image(context: Context, transaction: Transaction, record: Record) -> bool:
    for version in transaction.find(image_versions.query(context).within(record.name)):
        transaction.delete(version)
    return True


def _prepare_version(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    _check_free(context, transaction, params["ImageName"], params.get("Aliases", ()))


def _amend_version(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    # These name the version that is meant.
    changes.pop("Alias", None)
    added, removed = changes.pop("AliasesToAdd", []), changes.pop("AliasesToDelete", [])
    aliases = [alias for alias in record.document.get("Aliases", []) if alias not in removed]
    _check_free(context, transaction, record.key.parent, (alias for alias in added if alias not in aliases))
    changes["Aliases"] = [*aliases, *(alias for alias in added if alias not in aliases)]


def _check_free(context: Context, transaction: Transaction, image: str, aliases: Iterable[str]) -> None:
    for alias in aliases:
        if (taken := _called(context, transaction, image, alias)) is not None:
            raise ResourceInUse(f"The alias {alias} belongs to version {taken.name} of the image {image}.")


def _called(context: Context, transaction: Transaction, image: str, alias: str) -> Record | None:
    versions = transaction.find(image_versions.query(context).within(image))
    return next((version for version in versions if alias in version.document.get("Aliases", ())), None)


def _locate(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    """The version that a request names by its number or an alias, else the last."""
    image = images.named(context, transaction, params)
    if "Version" in params and "Alias" in params:
        raise ValidationException("Only one of Version and Alias may be given.")
    if "Version" in params:
        return transaction.get(image_versions.key(context, str(params["Version"]), image.name))
    if "Alias" in params:
        return _called(context, transaction, image.name, params["Alias"])
    versions = transaction.find(image_versions.query(context).within(image.name))
    return versions[-1] if versions else None


images = Resource(
    SAGEMAKER,
    "Image",
    status="ImageStatus",
    initial="CREATED",
    descending=True,
    missing=lambda name, arn: ResourceNotFound(f"No Image with the name {name} found."),
    amend=_amend_image,
    remove=_remove_image,
    tells=(StateChange("SageMaker Image State Change", members("ImageStatus")),),
)
image_versions = Resource(
    SAGEMAKER,
    "ImageVersion",
    names=("ImageName", "Version"),
    arn="image-version/{ImageName}/{name}",
    parent=images,
    generated=numbered,
    locate=_locate,
    status="ImageVersionStatus",
    initial="CREATED",
    descending=True,
    paths={"ContainerImage": "BaseImage", "VERSION": "@created"},
    missing=lambda name, arn: ResourceNotFound(f"No ImageVersion found: {arn}"),
    prepare=_prepare_version,
    amend=_amend_version,
    tells=(StateChange("SageMaker Image Version State Change", members("ImageVersionStatus")),),
)


def list_aliases(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListAliases``: those of all versions of an image, or of one."""
    with context.platform.database.read() as transaction:
        if "Version" in params or "Alias" in params:
            versions = [image_versions.named(context, transaction, params)]
        else:
            image = images.named(context, transaction, params)
            versions = transaction.find(image_versions.query(context).within(image.name))
    aliases = [alias for version in versions for alias in version.document.get("Aliases", ())]
    rows, following = cut(aliases, params, _PAGE)
    return {"SageMakerImageVersionAliases": rows} | ({"NextToken": following} if following else {})


RESOURCES = (images, image_versions)
OPERATIONS = {"ListAliases": list_aliases}
