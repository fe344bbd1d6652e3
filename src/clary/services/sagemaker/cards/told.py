"""What the default event bus is told of model cards: their status, without the content.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from clary.core.names import parse_arn
from clary.resources.told import Detail, StateChange, members


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_content(detail: Detail, before: Detail | None) -> Detail:
    content = json.loads(detail["Content"])
    overview = content.get("model_overview", {}) if isinstance(content, dict) else {}
    told = {name: value for name, value in detail.items() if name != "Content"}
    told |= {"ModelId": overview["model_id"]} if "model_id" in overview else {}
    return told | {"AccountId": parse_arn(detail["ModelCardArn"]).account}


CARD_CHANGES = (StateChange("SageMaker Model Card State Change", members("ModelCardStatus"), _time, _without_content),)
EXPORT_CHANGES = (StateChange("SageMaker Model Card Export Job State Change", members("Status")),)
