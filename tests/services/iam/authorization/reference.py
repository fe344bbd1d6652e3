"""What AWS's Service Authorization Reference says of an action: its resources and its condition keys."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
PLACES = {"Partition": "aws", "Region": "us-east-1", "Account": "123456789012"}


@dataclass(frozen=True)
class Action:
    """One action: the ARN patterns of its types of resource by their names, and its condition keys."""

    required: dict[str, str]
    optional: dict[str, str]
    keys: tuple[str, ...]

    @property
    def resources(self) -> dict[str, str]:
        return {**self.required, **self.optional}


@cache
def _document(prefix: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_HERE / f"{prefix}.json").read_text())
    return document


def action(prefix: str, name: str) -> Action | None:
    """What the reference has of an action; ``None`` if it has none of that name."""
    document = _document(prefix)
    found = document["actions"].get(name)
    if found is None:
        return None
    arns = document["resources"]
    # Here and there, an action has a type of resource that the reference does not describe.
    required, optional = (
        {each: arns[each] for each in found[kind] if each in arns} for kind in ("required", "optional")
    )
    return Action(required, optional, tuple(found["keys"]))


def example(pattern: str) -> str:
    """An ARN that a pattern of the reference fits."""
    return re.sub(r"\$\{(\w+)\}", lambda match: PLACES.get(match[1], "some"), pattern)


def fits(pattern: str, arn: str) -> bool:
    """Whether an ARN is of the type that a pattern of the reference describes."""
    parts = re.split(r"(\$\{\w+\}|\*)", pattern)
    text = "".join(
        "[^/]*" if part == "${Region}" else ".*" if part[:1] in ("$", "*") and part else re.escape(part)
        for part in parts
    )
    return re.fullmatch(text, arn) is not None
