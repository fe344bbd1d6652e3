"""What a training job leaves in the store: its model, its further output, its checkpoints, its events for TensorBoard.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html,
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CheckpointConfig.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TensorBoardOutputConfig.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.compute.spec import Input, Output
from clary.core.errors import ValidationException
from clary.services.sagemaker.execution.keys import KeyUse
from clary.state.records import Record

_CHECKPOINTS = "/opt/ml/checkpoints"
_TENSORBOARD = "/opt/ml/output/tensorboard"


def model_uri(record: Record) -> str:
    """Where a training job's model goes: an archive, or with the compression ``NONE`` a prefix, with its slash, as
    endpoints want it."""
    return f"{_prefix(record)}/{'model.tar.gz' if _zipped(record) else 'model/'}"


def job_outputs(record: Record, leads: bool) -> list[Output]:
    """What the agent of a training job's host uploads, and where to: archives are made by the host that ``leads``."""
    zipped, key = _zipped(record), record.document["OutputDataConfig"].get("KmsKeyId", "")
    data = "output.tar.gz" if zipped else "data/"
    outputs = [
        Output("model", model_uri(record), archive=zipped, optional=not zipped, key=key),
        Output("output/data", f"{_prefix(record)}/{data}", archive=zipped, when="always", key=key),
    ]
    checkpoints = record.document.get("CheckpointConfig")
    if checkpoints is not None:
        outputs.append(Output(_local_path(checkpoints), checkpoints["S3Uri"], when="always", continuous=True))
    events = record.document.get("TensorBoardOutputConfig")
    if events is not None:
        uri = f"{events['S3OutputPath'].rstrip('/')}/{record.name}/tensorboard-output"
        outputs.append(Output(events.get("LocalPath", _TENSORBOARD), uri, when="always", continuous=True))
    return [output for output in outputs if leads or not output.archive]


def training_keys(document: Mapping[str, Any], name: str) -> list[KeyUse]:
    """The keys that the members of a training job name; ``name`` is the job's. Checkpoints and files for TensorBoard
    have none: the default of their bucket holds for them."""
    output = document["OutputDataConfig"]
    # One object stands for all of them.
    target = f"{output['S3OutputPath'].rstrip('/')}/{name}/output/model.tar.gz"
    return [
        KeyUse("OutputDataConfig.KmsKeyId", output.get("KmsKeyId", ""), document["RoleArn"], target),
        KeyUse("ResourceConfig.VolumeKmsKeyId", document["ResourceConfig"].get("VolumeKmsKeyId", "")),
    ]


def checkpoint_input(document: Mapping[str, Any]) -> list[Input]:
    """The checkpoints of earlier jobs and attempts, if there are any."""
    checkpoints = document.get("CheckpointConfig")
    if checkpoints is None:
        return []
    return [Input(_local_path(checkpoints), checkpoints["S3Uri"], optional=True)]


def checkpoint_config(document: Mapping[str, Any]) -> dict[str, str]:
    """``checkpointconfig.json``, by which the algorithm knows where its checkpoints are wanted; empty without any."""
    checkpoints = document.get("CheckpointConfig")
    if checkpoints is None:
        return {}
    known = {"S3Uri": checkpoints["S3Uri"], "LocalPath": _local_path(checkpoints)}
    return {"input/config/checkpointconfig.json": json.dumps(known)}


def check_folders(params: Mapping[str, Any]) -> None:
    """Raises ``ValidationException`` for a ``CheckpointConfig`` or a ``TensorBoardOutputConfig`` whose local path names
    no folder."""
    for member in ("CheckpointConfig", "TensorBoardOutputConfig"):
        path = params.get(member, {}).get("LocalPath", _CHECKPOINTS)
        if not path.startswith("/") or {".", ".."}.intersection(path.split("/")) or not path.strip("/"):
            raise ValidationException(f"{member}: LocalPath {path!r} must be an absolute path to a folder.")


def _prefix(record: Record) -> str:
    return f"{record.document['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{record.name}/output"


def _zipped(record: Record) -> bool:
    return bool(record.document["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP")


def _local_path(checkpoints: Mapping[str, Any]) -> str:
    return str(checkpoints.get("LocalPath", _CHECKPOINTS))
