"""boto3's waiters for SageMaker end as they should: at once where nothing is there, and where the work is done.

Those of jobs and endpoints are waited for where these really run (``tests/parity``).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from clary.testing.server import Server

WAITERS = (
    "endpoint_deleted",
    "endpoint_in_service",
    "image_created",
    "image_deleted",
    "image_updated",
    "image_version_created",
    "image_version_deleted",
    "notebook_instance_deleted",
    "notebook_instance_in_service",
    "notebook_instance_stopped",
    "processing_job_completed_or_stopped",
    "training_job_completed_or_stopped",
    "transform_job_completed_or_stopped",
)


def named(waiter: str) -> dict[str, Any]:
    """The arguments that name something which is not there."""
    noun = re.sub(r"_(created|deleted|updated|in_service|stopped|completed_or_stopped)$", "", waiter)
    member = "".join(word.title() for word in noun.removesuffix("_version").split("_")) + "Name"
    return {member: "nothing"} | ({"Version": 1} if noun.endswith("_version") else {})


def test_all_waiters_are_tried(clary_aws: Server) -> None:
    assert sorted(WAITERS) == sorted(clary_aws.client("sagemaker").waiter_names)


@pytest.mark.parametrize("name", WAITERS)
def test_a_waiter_for_what_is_not_there_ends_at_once(clary_aws: Server, name: str) -> None:
    waiter = clary_aws.client("sagemaker").get_waiter(name)
    once = {"Delay": 0, "MaxAttempts": 1}
    if name.endswith("_deleted"):
        waiter.wait(**named(name), WaiterConfig=once)
        return
    with pytest.raises(WaiterError):
        waiter.wait(**named(name), WaiterConfig=once)


def test_waiters_for_images(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    once = {"Delay": 0, "MaxAttempts": 1}
    role = "arn:aws:iam::123456789012:role/ClaryExecutionRole"
    sagemaker.create_image(ImageName="mine", RoleArn=role)
    sagemaker.get_waiter("image_created").wait(ImageName="mine", WaiterConfig=once)
    base = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:latest"
    sagemaker.create_image_version(ImageName="mine", BaseImage=base)
    sagemaker.get_waiter("image_version_created").wait(ImageName="mine", Version=1, WaiterConfig=once)
    sagemaker.update_image(ImageName="mine", Description="changed")
    sagemaker.get_waiter("image_updated").wait(ImageName="mine", WaiterConfig=once)
    sagemaker.delete_image_version(ImageName="mine", Version=1)
    sagemaker.get_waiter("image_version_deleted").wait(ImageName="mine", Version=1, WaiterConfig=once)
    sagemaker.delete_image(ImageName="mine")
    sagemaker.get_waiter("image_deleted").wait(ImageName="mine", WaiterConfig=once)
