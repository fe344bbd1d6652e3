"""What Role Manager offers: the personas, the ML activities with their permissions, and the parameters of both.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/role-manager-personas.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/role-manager-ml-activities.html. The permissions are those of AWS's
construct library ``cdk-aws-sagemaker-role-manager``, and for MLflow those of the policies that AWS's console makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

_HERE = Path(__file__).parent

Customization = Literal["Network", "Encryption"]
CUSTOMIZATIONS: Mapping[Customization, tuple[str, str]] = {
    "Network": ("VpcSubnets", "VpcSecurityGroups"),
    "Encryption": ("DataKmsKeys", "VolumeKmsKeys"),
}
"""What narrows all activities of a role that know it, and the parameters that it needs."""


@dataclass(frozen=True)
class Parameter:
    """A list of texts that a role is made for, such as its buckets; each must match ``pattern`` as a whole."""

    name: str
    title: str
    description: str
    example: str
    pattern: str
    constraint: str


@dataclass(frozen=True)
class Activity:
    """A set of permissions for a common task.

    A statement is one of a policy with placeholders: ``{Account}`` and ``{Region}`` stand for one text, the name of a
    parameter for each of its values. A statement with ``Only`` is there with that customization alone; what it has as
    ``WithNetwork`` and ``WithEncryption`` are conditions that come with it. Without any value of an ``optional``
    parameter, the statements that speak of it are left out.
    """

    name: str
    title: str
    description: str
    policy: str
    parameters: tuple[str, ...]
    optional: tuple[str, ...]
    statements: tuple[Mapping[str, Any], ...]

    @property
    def customizations(self) -> list[Customization]:
        """Those that change the activity's permissions."""
        return [
            each
            for each in CUSTOMIZATIONS
            if any(statement.get("Only") == each or f"With{each}" in statement for statement in self.statements)
        ]


@dataclass(frozen=True)
class Persona:
    """Somebody's work, as a choice of activities."""

    name: str
    title: str
    description: str
    activities: tuple[str, ...]


@cache
def activities() -> dict[str, Activity]:
    """All of them by name, in the order of their titles."""
    found = [_activity(file) for file in (_HERE / "activities").glob("*.json")]
    return {each.name: each for each in sorted(found, key=lambda each: each.title)}


@cache
def personas() -> dict[str, Persona]:
    """All of them by name, in the order of the documentation."""
    document = json.loads((_HERE / "personas.json").read_text("utf-8"))
    return {
        name: Persona(name, said["Title"], said["Description"], tuple(said["Activities"]))
        for name, said in document.items()
    }


@cache
def parameters() -> dict[str, Parameter]:
    """All of them by name."""
    document = json.loads((_HERE / "parameters.json").read_text("utf-8"))
    return {
        name: Parameter(name, said["Title"], said["Description"], said["Example"], said["Pattern"], said["Constraint"])
        for name, said in document.items()
    }


def _activity(file: Path) -> Activity:
    said = json.loads(file.read_text("utf-8"))
    return Activity(
        file.stem,
        said["Title"],
        said["Description"],
        said["Policy"],
        tuple(said["Parameters"]),
        tuple(said.get("Optional", ())),
        tuple(said["Statements"]),
    )
