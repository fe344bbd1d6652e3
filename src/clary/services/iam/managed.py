"""The managed policies of AWS that come with the platform, written from the documented actions.

Reference: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "managed"
CREATED = 1_420_070_400.0
"""When the policies say that they were made: 2015-01-01."""


@dataclass(frozen=True)
class ManagedPolicy:
    """A policy that every account has and none can change."""

    name: str
    path: str
    description: str
    document: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::aws:policy{self.path}{self.name}"

    @property
    def id(self) -> str:
        return "ANPA" + hashlib.sha256(self.name.encode()).hexdigest()[:17].upper()


@cache
def managed_policies() -> dict[str, ManagedPolicy]:
    """All of them by ARN, in the order of their names."""
    found = {}
    for file in sorted(_FOLDER.glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        policy = ManagedPolicy(
            file.stem, content["Path"], content["Description"], json.dumps(content["Document"], indent=4)
        )
        found[policy.arn] = policy
    return found
