"""What a training job tells its trial component.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrialComponent.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker.experiments.api import Ending, Story
from clary.services.sagemaker.training.own_algorithm import training_image
from clary.services.sagemaker_metrics.api import Summary


def story(document: Mapping[str, Any]) -> Story:
    """Hyperparameters and instances as parameters, the image and the channels as inputs, the model as an output."""
    resources = document["ResourceConfig"]
    parameters = {
        "SageMaker.InstanceType": resources.get("InstanceType"),
        "SageMaker.InstanceCount": resources.get("InstanceCount"),
        "SageMaker.VolumeSizeInGB": resources.get("VolumeSizeInGB"),
    }
    inputs = {"SageMaker.ImageUri": {"Value": training_image(document)}}
    for channel in document.get("InputDataConfig", []):
        inputs[channel["ChannelName"]] = {"Value": channel["DataSource"]["S3DataSource"]["S3Uri"]} | (
            {"MediaType": channel["ContentType"]} if "ContentType" in channel else {}
        )
    model = document.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return Story(
        parameters={
            **document.get("HyperParameters", {}),
            **{name: value for name, value in parameters.items() if value is not None},
        },
        inputs=inputs,
        outputs={"SageMaker.ModelArtifact": {"Value": model}} if model else {},
        checkpoints=document.get("CheckpointConfig", {}).get("S3Uri", ""),
    )


def ending(status: str, document: Mapping[str, Any], metrics: list[Summary]) -> Ending:
    """How a training job ended that shows it in its document."""
    return Ending(
        message=f"Status: {status}, secondary status: {document['SecondaryStatus']}, "
        f"failure reason: {document.get('FailureReason', '')}.",
        started=document.get("TrainingStartTime"),
        ended=document["TrainingEndTime"],
        metrics=metrics,
    )
