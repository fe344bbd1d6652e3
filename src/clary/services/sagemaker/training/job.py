"""A training job as a process to run, and a process as the training job shows it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.compute.admission import Admitted
from clary.compute.spec import ImageSpec, Input, JobSpec, Limits, MetricDefinition
from clary.resources.context import Platform
from clary.services.sagemaker.execution.api import RUN, JobKind, Store, agents
from clary.services.sagemaker.execution.hosts import Host
from clary.services.sagemaker.execution.keys import KeyUse
from clary.services.sagemaker.execution.tracking import end_tracking
from clary.services.sagemaker.training.channels import channel_config, channel_input, sharing
from clary.services.sagemaker.training.cluster import resource_config, training_hosts
from clary.services.sagemaker.training.experiment import ending, story
from clary.services.sagemaker.training.metrics import final_metrics, measured
from clary.services.sagemaker.training.outputs import (
    checkpoint_config,
    checkpoint_input,
    job_outputs,
    model_uri,
    training_keys,
)
from clary.services.sagemaker.training.own_algorithm import training_image
from clary.services.sagemaker.training.spot import next_interruption, time_left, times, wait_ends
from clary.services.sagemaker.training.warm_pools import keep_pool, pooled, prepare_pool, take_pool
from clary.services.sagemaker_metrics.api import replace_measured
from clary.state.records import Record

GRACE_SECONDS = 120
"""What SageMaker gives between SIGTERM and SIGKILL."""

_STEPS = {
    "starting": ("Starting", "Preparing the instances for training"),
    "waiting": ("Pending", ""),
    "restarting": ("Restarting", ""),
    "interrupted": ("Interrupted", "The managed spot training instances were interrupted"),
    "downloading": ("Downloading", "Downloading input data"),
    "running": ("Training", "Training image download completed. Training in progress."),
    "uploading": ("Uploading", "Uploading generated training model"),
}
_ENDS = {
    "Completed": ("Completed", "Training job completed"),
    "Stopped": ("Stopped", "Training job stopped"),
    "Failed": ("Failed", ""),
}


class TrainingJobs(JobKind):
    """How training jobs run."""

    log_group = "/aws/sagemaker/TrainingJobs"
    noun = "TrainingJob"

    def images(self, record: Record) -> list[str]:
        return [training_image(record.document)]

    def hosts(self, record: Record) -> list[Host]:
        return training_hosts(record.document["ResourceConfig"])

    def keys(self, record: Record) -> list[KeyUse]:
        return training_keys(record.document, record.name)

    def spec(self, platform: Platform, record: Record, image: ImageSpec, room: Admitted, host: Host) -> JobSpec:
        document = record.document
        algorithm = document["AlgorithmSpecification"]
        hyperparameters = document.get("HyperParameters", {})
        hosts, mode = self.hosts(record), algorithm["TrainingInputMode"]
        channels = [channel for channel in document.get("InputDataConfig", []) if host in sharing(channel, hosts)]
        interruption = next_interruption(record)
        spec = JobSpec(
            id="pending",
            image=image,
            command=[*algorithm.get("ContainerEntrypoint", []), *algorithm.get("ContainerArguments", [])],
            environment={
                **document.get("Environment", {}),
                "TRAINING_JOB_NAME": record.name,
                "TRAINING_JOB_ARN": record.arn,
            },
            files={
                "input/config/hyperparameters.json": json.dumps(hyperparameters),
                "input/config/inputdataconfig.json": json.dumps(
                    {channel["ChannelName"]: channel_config(channel, mode) for channel in channels}
                ),
                "input/config/resourceconfig.json": json.dumps(resource_config(hosts, host)),
                **checkpoint_config(document),
            },
            inputs=[
                *(channel_input(channel, mode, sharing(channel, hosts)) for channel in channels),
                *_code_input(hyperparameters),
                *checkpoint_input(document),
            ],
            outputs=job_outputs(record, leads=host == hosts[0]),
            limits=Limits(
                max_runtime_s=time_left(document),
                ends_at=wait_ends(record),
                interrupt_s=interruption.after if interruption else None,
                grace_s=GRACE_SECONDS,
                memory_bytes=room.memory,
                cpus=room.cores,
                disk_bytes=document["ResourceConfig"].get("VolumeSizeInGB", 0) << 30 or None,
            ),
            network=not document.get("EnableNetworkIsolation", False),
            hosts=[each.name for each in hosts],
            current_host=host.name,
            role_arn=document["RoleArn"],
            metrics=[
                MetricDefinition(metric["Name"], metric["Regex"]) for metric in algorithm.get("MetricDefinitions", [])
            ],
            requirements="requirements.txt",
        )
        return pooled(spec, record, hosts.index(host))

    def use(self, record: Record) -> str:
        return "spot training" if record.document["EnableManagedSpotTraining"] else "training"

    def ends_at(self, record: Record) -> float | None:
        return wait_ends(record)

    def capacity_in(self, record: Record) -> float:
        interruption = next_interruption(record)
        return interruption.back if interruption else 0.0

    def begin(self, platform: Platform, record: Record) -> Store:
        return take_pool(platform, record)

    def launched(self, platform: Platform, record: Record, spec: JobSpec) -> None:
        prepare_pool(platform, record, spec)

    def ended(self, platform: Platform, record: Record, event: Mapping[str, Any]) -> Store:
        return keep_pool(platform, record, str(event.get("reason")))

    def show(self, record: Record, step: str, message: str, time: float) -> bool:
        if step not in _STEPS or (record.status == "Stopping" and step != "uploading"):
            # What the job did before it was asked to stop may be heard of after that, and would hide it.
            return False
        if step == "starting" and record.document["SecondaryStatus"] == "Downloading":
            # The image was downloaded already while there was no process yet, and the job never goes back.
            return False
        status, usual = _STEPS[step]
        return move_on(record, status, message or usual, time)

    def end(self, platform: Platform, record: Record, event: Mapping[str, Any]) -> None:
        document, time = record.document, float(event["time"])
        secondary, message = _ENDS[record.status]
        if record.status == "Failed":
            document["FailureReason"] = str(event.get("message", ""))[:1024]
            message = document["FailureReason"]
        elif record.status == "Stopped" and event.get("reason") == "timeout":
            secondary, message = "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds"
        elif record.status == "Stopped" and event.get("reason") == "wait":
            secondary, message = "MaxWaitTimeExceeded", "Training job wait time exceeded MaxWaitTimeInSeconds"
        move_on(record, secondary, message, time)
        document["SecondaryStatusTransitions"][-1]["EndTime"] = time
        document["TrainingEndTime"] = time
        if "TrainingStartTime" in document:
            document.update(times(document, time))
        if record.status != "Failed" and "TrainingStartTime" in document:
            document["ModelArtifacts"] = {"S3ModelArtifacts": model_uri(record)}
        reported = agents(platform, record).metrics() if record.document[RUN]["launched"] else []
        summaries = []
        if metrics := final_metrics(reported):
            document["FinalMetricDataList"] = metrics
            summaries = replace_measured(platform.database, record.id, record.arn, measured(reported))
        end_tracking(platform, record, story(document), ending(record.status, document, summaries))


def move_on(record: Record, status: str, message: str, time: float) -> bool:
    """Give a training job the secondary status ``status``; false if it has it with this message already."""
    document = record.document
    transitions = document.setdefault("SecondaryStatusTransitions", [])
    current = transitions[-1] if transitions else None
    if current is not None and current["Status"] == status:
        changed: bool = current.get("StatusMessage") != message
        current["StatusMessage"] = message
        return changed
    if current is not None:
        current["EndTime"] = time
    transitions.append({"Status": status, "StartTime": time, "StatusMessage": message})
    document["SecondaryStatus"] = status
    if status == "Training" and "TrainingStartTime" not in document:
        document["TrainingStartTime"] = time
    return True


def _code_input(hyperparameters: Mapping[str, str]) -> list[Input]:
    """The user's code as the SDKs hand it over: a JSON string with the address of a ``tar.gz``."""
    value = hyperparameters.get("sagemaker_submit_directory")
    if value is None:
        return []
    try:
        address = json.loads(value)
    except ValueError:
        address = value
    if not isinstance(address, str) or not address.startswith("s3://"):
        return []
    return [Input("code", address, kind="object", extract=True)]
