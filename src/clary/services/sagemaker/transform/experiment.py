"""What a transform job tells its trial component.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrialComponent.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker.experiments.api import Ending, Story


def story(document: Mapping[str, Any]) -> Story:
    """Its instances and the shape of its requests as parameters, the model and the data as inputs, the results as an
    output."""
    given, output = document["TransformInput"], document["TransformOutput"]
    resources = document["TransformResources"]
    parameters = {
        "SageMaker.ModelName": document["ModelName"],
        "SageMaker.InstanceType": resources["InstanceType"],
        "SageMaker.InstanceCount": resources["InstanceCount"],
        **{
            f"SageMaker.{member}": document[member]
            for member in ("MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy")
            if member in document
        },
    }
    source = {"Value": given["DataSource"]["S3DataSource"]["S3Uri"]}
    target = {"Value": output["S3OutputPath"]}
    return Story(
        parameters=parameters,
        inputs={
            "SageMaker.TransformInput": source | ({"MediaType": given["ContentType"]} if "ContentType" in given else {})
        },
        outputs={"SageMaker.TransformOutput": target | ({"MediaType": output["Accept"]} if "Accept" in output else {})},
    )


def ending(status: str, document: Mapping[str, Any]) -> Ending:
    """How a transform job ended that shows it in its document."""
    return Ending(
        message=f"Status: {status}, failure reason: {document.get('FailureReason', '')}.",
        started=document.get("TransformStartTime"),
        ended=document["TransformEndTime"],
    )
