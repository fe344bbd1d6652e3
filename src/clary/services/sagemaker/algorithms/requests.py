"""What a training request must satisfy that names an algorithm, and what the algorithm adds to it.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrainingSpecification.html,
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterSpecification.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ChannelSpecification.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.core.errors import ValidationException
from clary.services.sagemaker.algorithms.specification import RANGES, is_number

_OF_TUNING = "_tuning_"
"""Hyperparameters that automatic model tuning adds begin so; no algorithm lists them."""


def check_request(algorithm: str, specification: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuse a ``CreateTrainingJob`` request that the algorithm called ``algorithm`` does not take.

    ``params`` are the request's members, of which ``AlgorithmSpecification`` and ``ResourceConfig`` are there. Raises
    ``ValidationException``.
    """
    _check_instances(algorithm, specification, params["ResourceConfig"])
    mode = params["AlgorithmSpecification"]["TrainingInputMode"]
    _check_channels(algorithm, specification["TrainingChannels"], params.get("InputDataConfig", ()), mode)


def hyperparameters(algorithm: str, specification: Mapping[str, Any], given: Mapping[str, str]) -> Mapping[str, str]:
    """``given``, with the default values of those that are not.

    An algorithm that lists no hyperparameters takes any. Raises ``ValidationException`` for one that the algorithm
    does not list, for a required one that is missing, and for a value that is not of its type or not in its range.
    """
    if "SupportedHyperParameters" not in specification:
        return given
    known = {each["Name"]: each for each in specification["SupportedHyperParameters"]}
    unknown = sorted(name for name in given if name not in known and not name.startswith(_OF_TUNING))
    if unknown:
        raise ValidationException(f"The hyperparameters {unknown} are not supported by the algorithm {algorithm}.")
    filled = dict(given)
    for name, parameter in known.items():
        if name in given:
            _check_value(algorithm, parameter, given[name])
        elif "DefaultValue" in parameter:
            filled[name] = parameter["DefaultValue"]
        elif parameter.get("IsRequired"):
            raise ValidationException(
                f"The hyperparameter {name} is required by the algorithm {algorithm}, and was not provided."
            )
    return filled


def _check_value(algorithm: str, parameter: Mapping[str, Any], value: str) -> None:
    kind = parameter["Type"]
    what = f"The value {value!r} of the hyperparameter {parameter['Name']} is not valid for the algorithm {algorithm}"
    limits = parameter.get("Range", {}).get(RANGES.get(kind, ""), {})
    if kind in ("Integer", "Continuous"):
        if not is_number(kind, value):
            raise ValidationException(f"{what}: it must be of type {kind}.")
        if limits and not float(limits["MinValue"]) <= float(value) <= float(limits["MaxValue"]):
            raise ValidationException(
                f"{what}: it must be between {limits['MinValue']} and {limits['MaxValue']}, both included."
            )
    elif limits and value not in limits["Values"]:
        raise ValidationException(f"{what}: it must be one of {limits['Values']}.")


def _check_instances(algorithm: str, specification: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
    groups = resources.get("InstanceGroups") or [resources]
    supported = specification["SupportedTrainingInstanceTypes"]
    for kind in (group["InstanceType"] for group in groups if "InstanceType" in group):
        if kind not in supported:
            raise ValidationException(
                f"The instance type {kind} is not supported by the algorithm {algorithm}. Supported instance types: "
                f"{supported}"
            )
    if sum(group.get("InstanceCount", 1) for group in groups) > 1 and not specification["SupportsDistributedTraining"]:
        raise ValidationException(f"The algorithm {algorithm} does not support distributed training; use one instance.")


def _check_channels(
    algorithm: str, supported: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]], usual_mode: str
) -> None:
    known = {channel["Name"]: channel for channel in supported}
    for channel in given:
        name = channel["ChannelName"]
        if name not in known:
            raise ValidationException(
                f"The channel {name} is not supported by the algorithm {algorithm}. Supported channels: {list(known)}"
            )
        _check_channel(algorithm, known[name], channel, usual_mode)
    names = {channel["ChannelName"] for channel in given}
    for name, channel in known.items():
        if channel.get("IsRequired") and name not in names:
            raise ValidationException(
                f"The channel {name} is required by the algorithm {algorithm}, and was not provided."
            )


def _check_channel(algorithm: str, supported: Mapping[str, Any], channel: Mapping[str, Any], usual_mode: str) -> None:
    # Where the request or the algorithm says nothing, nothing contradicts it.
    used = {
        "content type": (channel.get("ContentType"), supported["SupportedContentTypes"]),
        "compression type": (channel.get("CompressionType", "None"), supported.get("SupportedCompressionTypes")),
        "input mode": (channel.get("InputMode", usual_mode), supported["SupportedInputModes"]),
    }
    for what, (value, values) in used.items():
        if value is not None and values and value not in values:
            raise ValidationException(
                f"The {what} {value} of channel {channel['ChannelName']} is not supported by the algorithm "
                f"{algorithm}. Supported: {values}"
            )
