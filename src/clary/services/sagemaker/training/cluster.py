"""The instances of a training job: what Create refuses, and what the job's hosts are told of each other.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.core.errors import ValidationException
from clary.services.sagemaker.execution.hosts import Host, check_count, hosts_named

ONE_GROUP = "homogeneousCluster"
"""The name of the only group of a job that names none."""


def check_instances(params: Mapping[str, Any]) -> None:
    """Refuse a ``CreateTrainingJob`` request whose instances contradict each other, or cannot be had.

    Raises ``ValidationException`` and ``ResourceLimitExceeded``.
    """
    resources = params["ResourceConfig"]
    groups = resources.get("InstanceGroups")
    if groups and ("InstanceCount" in resources or "InstanceType" in resources):
        raise ValidationException(
            "You cannot specify InstanceGroups together with InstanceType and InstanceCount in ResourceConfig."
        )
    if groups:
        names = [group["InstanceGroupName"] for group in groups]
        if len(set(names)) != len(names):
            raise ValidationException(f"The names of the InstanceGroups must be unique: {', '.join(sorted(names))}")
    for channel in params.get("InputDataConfig", []):
        wanted = channel.get("DataSource", {}).get("S3DataSource", {}).get("InstanceGroupNames", [])
        known = [group["InstanceGroupName"] for group in groups or []]
        if unknown := [name for name in wanted if name not in known]:
            raise ValidationException(
                f"Channel {channel['ChannelName']}: there is no instance group {', '.join(unknown)}."
            )
    everyone = training_hosts(resources)
    if not everyone:
        raise ValidationException("The InstanceCount of at least one instance group must be 1 or more.")
    check_count(len(everyone), everyone[0].instance_type, "training")


def training_hosts(resources: Mapping[str, Any]) -> list[Host]:
    """The hosts of a job, group by group."""
    groups = resources.get("InstanceGroups") or [{**resources, "InstanceGroupName": ONE_GROUP}]
    return hosts_named(
        [
            (group.get("InstanceType", "ml.m5.large"), group["InstanceGroupName"])
            for group in groups
            for _ in range(group.get("InstanceCount", 1))
        ]
    )


def resource_config(hosts: Sequence[Host], current: Host) -> dict[str, Any]:
    """``resourceconfig.json`` as the host ``current`` finds it."""
    groups: dict[str, dict[str, Any]] = {}
    for host in hosts:
        group = {"instance_group_name": host.group, "instance_type": host.instance_type, "hosts": []}
        groups.setdefault(host.group, group)["hosts"].append(host.name)
    return {
        "current_host": current.name,
        "current_instance_type": current.instance_type,
        "current_group_name": current.group,
        "hosts": [host.name for host in hosts],
        "instance_groups": list(groups.values()),
        "network_interface_name": "lo",
    }
