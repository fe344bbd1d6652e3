"""Input channels: what Create refuses, what the job gets, and what it is told of them.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.compute.spec import Input, InputKind, InputMode
from clary.core.errors import NotAvailableYet, ValidationException
from clary.services.sagemaker.execution.hosts import Host

_KINDS: dict[str, InputKind] = {
    "S3Prefix": "prefix",
    "ManifestFile": "manifest",
    "AugmentedManifestFile": "augmented",
}
_MODES: dict[str, InputMode] = {"File": "file", "FastFile": "lazy", "Pipe": "pipe"}
_LINES = ("text/csv", "csv", "text/libsvm", "text/x-libsvm", "libsvm", "application/jsonlines")
"""Content types of which objects are lines of text."""


def check_channels(channels: Sequence[Mapping[str, Any]], usual_mode: str) -> None:
    """Refuse channels that cannot be; ``usual_mode`` is the ``TrainingInputMode`` of the job.

    Raises ``ValidationException`` and ``NotAvailableYet``.
    """
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise ValidationException(f"Channel names must be unique: {', '.join(sorted(names))}")
    if nowhere := {".", ".."}.intersection(names):
        # The pattern allows them, and a folder cannot be called so.
        raise ValidationException(f"The channel name {nowhere.pop()!r} cannot name a folder.")
    for channel in channels:
        _check_source(channel, channel.get("InputMode", usual_mode))


def _check_source(channel: Mapping[str, Any], mode: str) -> None:
    name = channel["ChannelName"]
    source = channel.get("DataSource", {}).get("S3DataSource")
    if source is None:
        raise NotAvailableYet(f"Channel {name}: only S3DataSource is available in Clary yet.")
    kind = source["S3DataType"]
    if kind not in _KINDS:
        raise NotAvailableYet(f"Channel {name}: {kind} is not available in Clary yet.")
    if not source["S3Uri"].startswith("s3://"):
        raise ValidationException(f"The S3 URI {source['S3Uri']} of channel {name} is invalid.")
    if kind == "AugmentedManifestFile" and mode != "Pipe":
        raise ValidationException(
            f"Channel {name}: AugmentedManifestFile can only be used if the channel's input mode is Pipe, and it is "
            f"{mode}."
        )
    if kind == "AugmentedManifestFile" and not source.get("AttributeNames"):
        raise ValidationException(f"Channel {name}: AugmentedManifestFile needs AttributeNames.")
    if kind != "AugmentedManifestFile" and source.get("AttributeNames"):
        raise ValidationException(f"Channel {name}: AttributeNames can only be used with AugmentedManifestFile.")
    if mode == "FastFile" and kind != "S3Prefix":
        raise ValidationException(f"Channel {name}: the input mode FastFile needs the S3DataType S3Prefix.")
    for member in ("CompressionType", "RecordWrapperType"):
        if mode != "Pipe" and channel.get(member, "None") != "None":
            raise ValidationException(
                f"Channel {name}: {member} {channel[member]} is used only in Pipe input mode. In {mode} mode, leave "
                "this field unset or set it to None."
            )


def sharing(channel: Mapping[str, Any], hosts: Sequence[Host]) -> list[Host]:
    """The hosts that get a channel: those of the instance groups that it names, or all."""
    groups = channel.get("DataSource", {}).get("S3DataSource", {}).get("InstanceGroupNames")
    return [host for host in hosts if not groups or host.group in groups]


def channel_input(channel: Mapping[str, Any], usual_mode: str, hosts: Sequence[Host]) -> Input:
    """What is brought into the job for a channel that ``hosts`` get."""
    source = channel["DataSource"]["S3DataSource"]
    mode = _MODES[channel.get("InputMode", usual_mode)]
    framed = channel.get("RecordWrapperType", "None") == "RecordIO"
    media = channel.get("ContentType", "").partition(";")[0].strip().lower()
    return Input(
        f"input/data/{channel['ChannelName']}",
        source["S3Uri"],
        kind=_KINDS[source["S3DataType"]],
        mode=mode,
        attributes=list(source.get("AttributeNames", ())),
        framed=framed,
        unzip=channel.get("CompressionType", "None") == "Gzip",
        lines=mode == "pipe" and not framed and media in _LINES,
        seed=channel["ShuffleConfig"]["Seed"] if "ShuffleConfig" in channel else None,
        sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
        among=[host.name for host in hosts],
    )


def channel_config(channel: Mapping[str, Any], usual_mode: str) -> dict[str, str]:
    """What ``inputdataconfig.json`` says of a channel. To a container FastFile mode is File mode, as documented.

    Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    source = channel.get("DataSource", {}).get("S3DataSource", {})
    mode = channel.get("InputMode", usual_mode)
    config = {
        "TrainingInputMode": "File" if mode == "FastFile" else mode,
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        config["ContentType"] = channel["ContentType"]
    return config
