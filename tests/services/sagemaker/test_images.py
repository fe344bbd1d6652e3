"""Images and their versions: numbers that are never used again, and aliases that only one version has."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

BASE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:latest"


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    client = clary_aws.client("sagemaker")
    client.create_image(ImageName="mine", RoleArn=clary_aws.role_arn, Description="first")
    return client


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_versions_are_numbered_and_a_number_is_never_used_again(sagemaker: Any) -> None:
    for number in (1, 2):
        arn = sagemaker.create_image_version(ImageName="mine", BaseImage=BASE)["ImageVersionArn"]
        assert arn.endswith(f"image-version/mine/{number}")
    assert sagemaker.describe_image_version(ImageName="mine")["Version"] == 2
    sagemaker.delete_image_version(ImageName="mine", Version=2)
    assert sagemaker.create_image_version(ImageName="mine", BaseImage=BASE)["ImageVersionArn"].endswith("/3")
    listed = sagemaker.list_image_versions(ImageName="mine", SortBy="VERSION", SortOrder="ASCENDING")
    assert [row["Version"] for row in listed["ImageVersions"]] == [1, 3]
    shown = sagemaker.describe_image_version(ImageName="mine", Version=1)
    assert (shown["BaseImage"], shown["ContainerImage"], shown["ImageVersionStatus"]) == (BASE, BASE, "CREATED")


def test_a_version_created_with_the_same_token_is_the_same(sagemaker: Any) -> None:
    token = "the-same-token"
    first = sagemaker.create_image_version(ImageName="mine", BaseImage=BASE, ClientToken=token)
    assert (
        sagemaker.create_image_version(ImageName="mine", BaseImage=BASE, ClientToken=token)
        == first | {"ResponseMetadata": sagemaker.describe_image(ImageName="mine")["ResponseMetadata"]}
        or len(sagemaker.list_image_versions(ImageName="mine")["ImageVersions"]) == 1
    )


def test_aliases(sagemaker: Any) -> None:
    sagemaker.create_image_version(ImageName="mine", BaseImage=BASE, Aliases=["stable", "old"])
    sagemaker.create_image_version(ImageName="mine", BaseImage=BASE, Aliases=["next"])
    assert sagemaker.describe_image_version(ImageName="mine", Alias="stable")["Version"] == 1
    assert refused(sagemaker.create_image_version, ImageName="mine", BaseImage=BASE, Aliases=["stable"]) == (
        "ResourceInUse"
    )
    sagemaker.update_image_version(ImageName="mine", Alias="stable", AliasesToDelete=["stable"], ReleaseNotes="n")
    sagemaker.update_image_version(ImageName="mine", Version=2, AliasesToAdd=["stable"])
    assert sagemaker.describe_image_version(ImageName="mine", Alias="stable")["Version"] == 2
    assert sagemaker.list_aliases(ImageName="mine")["SageMakerImageVersionAliases"] == ["old", "next", "stable"]
    assert sagemaker.list_aliases(ImageName="mine", Version=1)["SageMakerImageVersionAliases"] == ["old"]
    assert refused(sagemaker.describe_image_version, ImageName="mine", Alias="none") == "ResourceNotFound"
    assert refused(sagemaker.list_aliases, ImageName="none") == "ResourceNotFound"


def test_properties_are_deleted_and_versions_go_with_their_image(sagemaker: Any) -> None:
    sagemaker.create_image_version(ImageName="mine", BaseImage=BASE)
    sagemaker.update_image(ImageName="mine", DisplayName="Mine", DeleteProperties=["Description"])
    shown = sagemaker.describe_image(ImageName="mine")
    assert shown["DisplayName"] == "Mine"
    assert "Description" not in shown
    sagemaker.delete_image(ImageName="mine")
    assert refused(sagemaker.describe_image_version, ImageName="mine", Version=1) == "ResourceNotFound"
    assert refused(sagemaker.create_image_version, ImageName="mine", BaseImage=BASE) == "ResourceNotFound"
