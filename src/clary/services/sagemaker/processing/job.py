"""A processing job as a process to run, and a process as the processing job shows it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.compute.admission import Admitted
from clary.compute.spec import ImageSpec, Input, InputKind, JobSpec, Limits, Output
from clary.resources.context import Platform
from clary.services.sagemaker.execution.api import JobKind
from clary.services.sagemaker.execution.hosts import Host, hosts_named
from clary.services.sagemaker.execution.keys import KeyUse
from clary.services.sagemaker.execution.tracking import end_tracking
from clary.services.sagemaker.processing.experiment import ending, story
from clary.state.records import Record


class ProcessingJobs(JobKind):
    """How processing jobs run."""

    log_group = "/aws/sagemaker/ProcessingJobs"
    noun = "ProcessingJob"

    def images(self, record: Record) -> list[str]:
        return [str(record.document["AppSpecification"]["ImageUri"])]

    def hosts(self, record: Record) -> list[Host]:
        cluster = record.document["ProcessingResources"]["ClusterConfig"]
        return hosts_named([(cluster["InstanceType"], "")] * cluster["InstanceCount"])

    def keys(self, record: Record) -> list[KeyUse]:
        return processing_keys(record.document)

    def spec(self, platform: Platform, record: Record, image: ImageSpec, room: Admitted, host: Host) -> JobSpec:
        document = record.document
        app, outputs = document["AppSpecification"], document.get("ProcessingOutputConfig", {})
        key = outputs.get("KmsKeyId", "")
        hosts = [each.name for each in self.hosts(record)]
        return JobSpec(
            id="pending",
            image=image,
            command=[*app.get("ContainerEntrypoint", []), *app.get("ContainerArguments", [])],
            environment=document.get("Environment", {}),
            files={
                "config/processingjobconfig.json": json.dumps(_job_config(record)),
                "config/resourceconfig.json": json.dumps({"current_host": host.name, "hosts": hosts}),
            },
            inputs=[_input(each) for each in document.get("ProcessingInputs", [])],
            outputs=[_output(each, key) for each in outputs.get("Outputs", [])],
            limits=Limits(
                max_runtime_s=document["StoppingCondition"]["MaxRuntimeInSeconds"],
                memory_bytes=room.memory,
                cpus=room.cores,
                disk_bytes=document["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] << 30,
            ),
            network=not document.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
            hosts=hosts,
            current_host=host.name,
            role_arn=document["RoleArn"],
        )

    def show(self, record: Record, step: str, message: str, time: float) -> bool:
        if step != "running" or "ProcessingStartTime" in record.document:
            return False
        record.document["ProcessingStartTime"] = time
        return True

    def end(self, platform: Platform, record: Record, event: Mapping[str, Any]) -> None:
        document = record.document
        document["ProcessingEndTime"] = float(event["time"])
        if event.get("exit_message"):
            document["ExitMessage"] = str(event["exit_message"])[:1024]
        if record.status == "Failed":
            document["FailureReason"] = str(event.get("message", ""))[:1024]
        elif event.get("reason") == "timeout":
            document["ExitMessage"] = "The job was stopped because it exceeded MaxRuntimeInSeconds."
        end_tracking(platform, record, story(document), ending(record.status, document))


def processing_keys(document: Mapping[str, Any]) -> list[KeyUse]:
    """The keys that the members of a processing job name."""
    config, cluster = document.get("ProcessingOutputConfig", {}), document["ProcessingResources"]["ClusterConfig"]
    key = config.get("KmsKeyId", "")
    targets = [f"{each['S3Output']['S3Uri'].rstrip('/')}/" for each in config.get("Outputs", [])]
    return [
        # Without outputs nothing is written under it.
        *(KeyUse("ProcessingOutputConfig.KmsKeyId", key, document["RoleArn"], target) for target in targets or [""]),
        KeyUse("ClusterConfig.VolumeKmsKeyId", cluster.get("VolumeKmsKeyId", "")),
    ]


def _job_config(record: Record) -> dict[str, Any]:
    shown = {name: value for name, value in record.document.items() if not name.startswith("_") and name != "CreatedBy"}
    return {"ProcessingJobArn": record.arn, **shown}


def _input(given: Mapping[str, Any]) -> Input:
    source = given["S3Input"]
    kind: InputKind = "manifest" if source.get("S3DataType") == "ManifestFile" else "prefix"
    sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
    return Input(source["LocalPath"], source["S3Uri"], kind=kind, sharded=sharded)


def _output(given: Mapping[str, Any], key: str) -> Output:
    target = given["S3Output"]
    return Output(target["LocalPath"], target["S3Uri"], continuous=target["S3UploadMode"] == "Continuous", key=key)
