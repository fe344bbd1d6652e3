"""A model as a server to run.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.compute.admission import Admitted
from clary.compute.spec import ImageSpec, Input, JobSpec, Limits
from clary.resources.context import Platform
from clary.state.records import Record

GRACE_SECONDS = 65
"""How long a server that is told to end may take: as long as the longest request, and a little more."""
DEFAULT_START_SECONDS = 600
"""How long a server may take to answer ``/ping`` unless the variant says otherwise."""


def server_spec(
    platform: Platform,
    endpoint: Record,
    variant: Mapping[str, Any],
    model: Mapping[str, Any],
    container: Mapping[str, Any],
    image: ImageSpec,
    room: Admitted,
) -> JobSpec:
    """The server of one variant; its id and attempt are filled in by the caller."""
    return JobSpec(
        id="pending",
        kind="server",
        image=image,
        environment={
            **container.get("Environment", {}),
            "SAGEMAKER_ENDPOINT_NAME": endpoint.name,
            "SAGEMAKER_VARIANT_NAME": variant["VariantName"],
        },
        inputs=[*_model_data(container), *_code(container)],
        limits=Limits(
            grace_s=GRACE_SECONDS,
            memory_bytes=room.memory,
            cpus=room.cores,
            start_s=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_START_SECONDS),
        ),
        network=not model.get("EnableNetworkIsolation", False),
        endpoint_url=platform.settings.url,
        region=endpoint.key.region,
        role_arn=model["ExecutionRoleArn"],
        requirements="requirements.txt",
        notes=list(room.notes),
    )


def _model_data(container: Mapping[str, Any]) -> list[Input]:
    if "ModelDataUrl" in container:
        return [Input("model", container["ModelDataUrl"], kind="object", extract=True)]
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        return []
    if source["CompressionType"] == "Gzip":
        return [Input("model", source["S3Uri"], kind="object", extract=True)]
    return [Input("model", source["S3Uri"])]


def _code(container: Mapping[str, Any]) -> list[Input]:
    """The user's code where the SDKs leave it in the store, rather than in the model's archive."""
    address = str(container.get("Environment", {}).get("SAGEMAKER_SUBMIT_DIRECTORY", ""))
    return [Input("code", address, kind="object", extract=True)] if address.startswith("s3://") else []
