"""What a training job finds below ``/opt/ml/input/config``, read and checked once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.folders import Folders


class ContractError(Exception):
    """The platform broke the container contract: a configuration file is not what it must be."""


@dataclass(frozen=True)
class Channel:
    """One input channel: its folder and what ``inputdataconfig.json`` says of it."""

    name: str
    path: Path
    content_type: str | None
    input_mode: str
    distribution: str
    record_wrapper: str

    def files(self) -> list[Path]:
        """The data files of this channel, sorted; names beginning with ``.`` or ``_`` are not data."""
        if self.path.is_file():
            return [self.path]
        return sorted(
            file
            for file in self.path.rglob("*")
            if file.is_file() and not any(part[0] in "._" for part in file.relative_to(self.path).parts)
        )


@dataclass(frozen=True)
class Resources:
    """``resourceconfig.json``: the hosts of the job and which of them this one is."""

    current_host: str
    hosts: tuple[str, ...]
    network_interface: str
    document: Mapping[str, Any]

    @property
    def is_leader(self) -> bool:
        """Whether this host speaks for the job (writes the model): the first by name, ``algo-1``."""
        return self.current_host == self.hosts[0]


@dataclass(frozen=True)
class TrainingInput:
    """All that the contract gives a training job; hyperparameters are still the strings of ``CreateTrainingJob``."""

    folders: Folders
    name: str
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Channel]
    input_data_config: Mapping[str, Any]
    resources: Resources
    checkpoints: Path | None

    def channel(self, name: str, required: bool = True) -> Channel | None:
        """Channel ``name``; None if it is absent and not ``required``.

        Raises ``UserError`` if it is required and absent.
        """
        if name in self.channels:
            return self.channels[name]
        if required:
            raise UserError(f"Missing required channel: {name}")
        return None


def read_training_input(folders: Folders, environ: Mapping[str, str] | None = None) -> TrainingInput:
    """Read the job's configuration files.

    Absent files mean no hyperparameters, no channels, one host. Raises ``ContractError`` for one that cannot be read.
    """
    environ = os.environ if environ is None else environ
    given = _document(folders.config / "hyperparameters.json")
    hyperparameters = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    data_config = _document(folders.config / "inputdataconfig.json")
    channels = {name: _channel(folders, name, entry) for name, entry in sorted(data_config.items())}
    checkpoint = _document(folders.config / "checkpointconfig.json").get("LocalPath")
    return TrainingInput(
        folders=folders,
        name=environ.get("TRAINING_JOB_NAME", ""),
        hyperparameters=hyperparameters,
        channels=channels,
        input_data_config=data_config,
        resources=_resources(folders.config / "resourceconfig.json"),
        checkpoints=folders.resolve(checkpoint) if checkpoint else None,
    )


def _channel(folders: Folders, name: str, entry: Any) -> Channel:
    if not isinstance(entry, dict):
        raise ContractError(f"{folders.config / 'inputdataconfig.json'}: channel {name!r} is not an object")
    return Channel(
        name=name,
        path=folders.channel(name),
        content_type=entry.get("ContentType"),
        input_mode=entry.get("TrainingInputMode", "File"),
        distribution=entry.get("S3DistributionType", "FullyReplicated"),
        record_wrapper=entry.get("RecordWrapperType", "None"),
    )


def _resources(path: Path) -> Resources:
    document = _document(path) or {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
    hosts, current = document.get("hosts"), document.get("current_host")
    if not isinstance(hosts, list) or not hosts or not all(isinstance(host, str) for host in hosts):
        raise ContractError(f"{path}: 'hosts' is not a list of names")
    if not isinstance(current, str) or current not in hosts:
        raise ContractError(f"{path}: 'current_host' {current!r} is not one of the hosts {hosts}")
    return Resources(current, tuple(sorted(hosts)), str(document.get("network_interface_name", "eth0")), document)


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ContractError(f"{path} cannot be read: {error}") from error
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ContractError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ContractError(f"{path} is not a JSON object")
    return document
