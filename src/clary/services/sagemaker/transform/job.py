"""A transform job as model servers to drive, and what became of it as the transform job shows it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clary.compute.admission import Admitted
from clary.compute.spec import ImageSpec, Input, JobSpec, Transform
from clary.resources.context import Platform
from clary.services.sagemaker.endpoints.server import server_spec
from clary.services.sagemaker.execution.api import JobKind, Store
from clary.services.sagemaker.execution.hosts import Host, hosts_named, with_containers
from clary.services.sagemaker.execution.keys import KeyUse
from clary.services.sagemaker.execution.tracking import end_tracking
from clary.services.sagemaker.models.api import containers_of
from clary.services.sagemaker.transform.experiment import ending, story
from clary.state.records import Record

MODEL = "_model"
"""Where a job's document keeps the model as it was when the job was created."""
BEGAN = "_began"
"""Where it keeps when the job began to run, in seconds since the epoch."""
GRACE_SECONDS = 10
DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_RETRIES = 3
_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}


class TransformJobs(JobKind):
    """How transform jobs run."""

    log_group = "/aws/sagemaker/TransformJobs"
    noun = "TransformJob"

    def images(self, record: Record) -> list[str]:
        return [container["Image"] for container in _containers(record)]

    def hosts(self, record: Record) -> list[Host]:
        resources = record.document["TransformResources"]
        hosts = hosts_named([(resources["InstanceType"], "")] * resources["InstanceCount"])
        return with_containers(hosts, len(_containers(record)))

    def keys(self, record: Record) -> list[KeyUse]:
        return transform_keys(record.document)

    def spec(self, platform: Platform, record: Record, image: ImageSpec, room: Admitted, host: Host) -> JobSpec:
        document = record.document
        model = document[MODEL]
        container = _containers(record)[host.container]
        server = server_spec(platform, record, {"VariantName": host.name}, model, container, image, room)
        return replace(
            server,
            environment={**container.get("Environment", {}), **document.get("Environment", {}), **_told(document)},
            limits=replace(server.limits, grace_s=GRACE_SECONDS),
            hosts=[each.name for each in self.hosts(record) if not each.container],
            current_host=host.name,
            container=_container_name(record, host.container),
            # What the other containers of a model get is what the one before has answered.
            transform=None if host.container else _transform(document),
        )

    def streams(self, record: Record, logs: Mapping[str, Path]) -> Iterable[tuple[str, Path]]:
        for host in self.hosts(record):
            path = logs[host.key]
            instance = hashlib.sha256(f"{record.id}/{host.name}".encode()).hexdigest()
            stream = f"{record.name}/{host.name}-{instance[:16]}"
            container = _container_name(record, host.container)
            yield f"{stream}/{container}" if container else stream, path
            if not host.container:
                yield f"{stream}/data-log", path.with_name("data-log")

    def begin(self, platform: Platform, record: Record) -> Store:
        record.document[BEGAN] = platform.clock()
        return super().begin(platform, record)

    def show(self, record: Record, step: str, message: str, time: float) -> bool:
        if step != "running" or "TransformStartTime" in record.document:
            return False
        record.document["TransformStartTime"] = time
        return True

    def end(self, platform: Platform, record: Record, event: Mapping[str, Any]) -> None:
        document = record.document
        document["TransformEndTime"] = float(event["time"])
        if record.status == "Failed":
            document["FailureReason"] = str(event.get("message", ""))[:1024]
        end_tracking(platform, record, story(document), ending(record.status, document))


def transform_keys(document: Mapping[str, Any]) -> list[KeyUse]:
    """The keys that the members of a transform job name, with its model as ``MODEL``."""
    role, output = document[MODEL].get("ExecutionRoleArn", ""), document["TransformOutput"]
    capture = document.get("DataCaptureConfig", {})
    written = [
        ("TransformOutput", output.get("KmsKeyId", ""), output["S3OutputPath"]),
        ("DataCaptureConfig", capture.get("KmsKeyId", ""), capture.get("DestinationS3Uri", "")),
    ]
    return [
        *(KeyUse(f"{member}.KmsKeyId", key, role, f"{uri.rstrip('/')}/") for member, key, uri in written),
        KeyUse("TransformResources.VolumeKmsKeyId", document["TransformResources"].get("VolumeKmsKeyId", "")),
    ]


def _containers(record: Record) -> Sequence[Mapping[str, Any]]:
    return containers_of(record.document[MODEL])


def _container_name(record: Record, number: int) -> str:
    """What a container of an inference pipeline is called; empty for that of a model of one."""
    names = [container.get("ContainerHostname", "") for container in _containers(record)]
    if len(names) == 1:
        return ""
    # Where not all of them have names of their own, they are told apart by their places.
    return str(names[number]) if len({*names, ""}) > len(names) else f"container-{number + 1}"


def _told(document: Mapping[str, Any]) -> dict[str, str]:
    """The variables by which a container knows that it is driven, and how; only what the request says."""
    told = {"SAGEMAKER_BATCH": "true"}
    if "MaxPayloadInMB" in document:
        told["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(document["MaxPayloadInMB"])
    if "BatchStrategy" in document:
        told["SAGEMAKER_BATCH_STRATEGY"] = _STRATEGIES[document["BatchStrategy"]]
    if document.get("MaxConcurrentTransforms"):
        told["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(document["MaxConcurrentTransforms"])
    return told


def _transform(document: Mapping[str, Any]) -> Transform:
    given, output, processing = document["TransformInput"], document["TransformOutput"], document["DataProcessing"]
    source, client = given["DataSource"]["S3DataSource"], document.get("ModelClientConfig", {})
    capture = document.get("DataCaptureConfig", {})
    return Transform(
        source=Input(
            "transform",
            source["S3Uri"],
            kind="manifest" if source["S3DataType"] == "ManifestFile" else "prefix",
            sharded=True,
        ),
        output=output["S3OutputPath"],
        output_key=output["KmsKeyId"],
        content_type=given.get("ContentType", ""),
        accept=output.get("Accept", ""),
        unzip=given["CompressionType"] == "Gzip",
        split=given["SplitType"],
        assemble_lines=output["AssembleWith"] == "Line",
        strategy=document.get("BatchStrategy", ""),
        max_payload_mb=document.get("MaxPayloadInMB"),
        max_concurrent=document.get("MaxConcurrentTransforms", 0),
        timeout_s=client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS),
        retries=client.get("InvocationsMaxRetries", DEFAULT_RETRIES),
        input_filter=processing["InputFilter"],
        output_filter=processing["OutputFilter"],
        join=processing["JoinSource"] == "Input",
        began=document.get(BEGAN, 0.0),
        inference_ids=capture.get("GenerateInferenceId", False),
        capture=capture.get("DestinationS3Uri", ""),
        capture_key=capture.get("KmsKeyId", ""),
    )
