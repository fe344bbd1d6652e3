"""Data capture: what a configuration asks for, what the edge is told, and what ``DescribeEndpoint`` shows.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.services.sagemaker.execution.keys import KeyUse


def check_capture(config: dict[str, Any]) -> None:
    """Refuse what cannot be captured, and fill in defaults. Raises ``ValidationException``."""
    config.setdefault("EnableCapture", True)
    uri = config["DestinationS3Uri"]
    if not uri.startswith("s3://") or not uri.removeprefix("s3://").partition("/")[0]:
        raise ValidationException(f"The DestinationS3Uri {uri!r} of the DataCaptureConfig is not an S3 URI.")
    modes = [option["CaptureMode"] for option in config["CaptureOptions"]]
    if len(set(modes)) != len(modes):
        raise ValidationException(f"The CaptureOptions must be unique: {', '.join(modes)}")


def endpoint_keys(config: Mapping[str, Any], roles: Iterable[str]) -> list[KeyUse]:
    """The keys that the members of an endpoint configuration name; ``roles`` are those of its models."""
    capture = config.get("DataCaptureConfig", {})
    key = capture.get("KmsKeyId", "") if capture.get("EnableCapture") else ""
    target = f"{capture.get('DestinationS3Uri', '').rstrip('/')}/"
    return [
        KeyUse("KmsKeyId", config.get("KmsKeyId", "")),
        *(KeyUse("DataCaptureConfig.KmsKeyId", key, role, target) for role in roles),
    ]


def told(config: Mapping[str, Any] | None, role: str) -> dict[str, Any] | None:
    """What a variant's part of the route says of its capture; none where nothing is captured."""
    if not config or not config["EnableCapture"]:
        return None
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    header = config.get("CaptureContentTypeHeader", {})
    return {
        "percent": config["InitialSamplingPercentage"],
        "uri": config["DestinationS3Uri"],
        "modes": sorted({"Input", "Output"} if "InputAndOutput" in modes else modes),
        "csv": header.get("CsvContentTypes", []),
        "json": header.get("JsonContentTypes", []),
        "role": role,
        "key": config.get("KmsKeyId", ""),
    }


def summary(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """``DataCaptureConfigSummary``."""
    if not config:
        return None
    return {
        "EnableCapture": config["EnableCapture"],
        "CaptureStatus": "Started" if config["EnableCapture"] else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
