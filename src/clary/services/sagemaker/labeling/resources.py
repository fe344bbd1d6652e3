"""Templates of human tasks as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHumanTaskUi.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction


def _template(_: Context, __: Transaction, record: Record) -> dict[str, Any]:
    content = record.document["UiTemplate"]["Content"].encode()
    return {"Url": "", "ContentSha256": hashlib.sha256(content).hexdigest()}


human_task_uis = Resource(
    SAGEMAKER,
    "HumanTaskUi",
    arn="human-task-ui/{name}",
    status="HumanTaskUiStatus",
    initial="Active",
    computed={"UiTemplate": _template},
)
RESOURCES = (human_task_uis,)
