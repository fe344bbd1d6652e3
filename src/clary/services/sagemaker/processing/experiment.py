"""What a processing job tells its trial component.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrialComponent.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker.experiments.api import Ending, Story


def story(document: Mapping[str, Any]) -> Story:
    """Its instances as parameters, the image and the inputs as inputs, the outputs as outputs."""
    cluster = document["ProcessingResources"]["ClusterConfig"]
    given = document.get("ProcessingInputs", [])
    outputs = document.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return Story(
        parameters={
            f"SageMaker.{member}": cluster[member]
            for member in ("InstanceType", "InstanceCount", "VolumeSizeInGB")
            if member in cluster
        },
        inputs={
            "SageMaker.ImageUri": {"Value": document["AppSpecification"]["ImageUri"]},
            **{each["InputName"]: {"Value": each["S3Input"]["S3Uri"]} for each in given},
        },
        outputs={each["OutputName"]: {"Value": each["S3Output"]["S3Uri"]} for each in outputs},
    )


def ending(status: str, document: Mapping[str, Any]) -> Ending:
    """How a processing job ended that shows it in its document."""
    return Ending(
        message=f"Status: {status}, exit message: {document.get('ExitMessage', '')}, "
        f"failure reason: {document.get('FailureReason', '')}.",
        started=document.get("ProcessingStartTime"),
        ended=document["ProcessingEndTime"],
    )
