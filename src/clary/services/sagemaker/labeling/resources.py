"""Templates of human tasks, and what they are used for, as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFlowDefinition.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from clary.core.errors import NotAvailableYet, ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.labeling import workforces
from clary.services.sagemaker.labeling.workforces import workteams
from clary.state.records import Record
from clary.state.transaction import Transaction

_TIME_LIMIT = 3600
_PUBLIC = ":workteam/public-crowd/"


def _template(_: Context, __: Transaction, record: Record) -> dict[str, Any]:
    content = record.document["UiTemplate"]["Content"].encode()
    return {"ContentSha256": hashlib.sha256(content).hexdigest()}


def _prepare_flow(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if (config := params.get("HumanLoopConfig")) is None:
        return
    if _PUBLIC in config["WorkteamArn"] or "PublicWorkforceTaskPrice" in config:
        raise NotAvailableYet("The public workforce (Amazon Mechanical Turk) is not available in Clary.")
    for member, what, noun in (("WorkteamArn", "Workteam", workteams), ("HumanTaskUiArn", "HumanTaskUi", task_uis)):
        if noun.by_arn(context, transaction, config[member]) is None:
            raise ValidationException(
                f"The specified {what} '{config[member]}' does not exist or you do not have access to it."
            )
    config.setdefault("TaskTimeLimitInSeconds", _TIME_LIMIT)


def _worked_on_by(context: Context, transaction: Transaction, team: str) -> Iterable[str]:
    """The ARNs of the labelling jobs of a team; raises ``ResourceNotFound`` if there is no such team."""
    if workteams.by_arn(context, transaction, team) is None:
        raise ResourceNotFound(f'The work team "{team}" does not exist.')
    jobs = transaction.find(labeling_jobs.query(context).where("HumanTaskConfig.WorkteamArn", team))
    return [job.arn for job in jobs]


task_uis = Resource(
    SAGEMAKER,
    "HumanTaskUi",
    status="HumanTaskUiStatus",
    initial="Active",
    computed={"UiTemplate": _template},
)
flow_definitions = Resource(
    SAGEMAKER,
    "FlowDefinition",
    status="FlowDefinitionStatus",
    initial="Active",
    prepare=_prepare_flow,
)
labeling_jobs = Resource(
    SAGEMAKER,
    "LabelingJob",
    also={"list": ("ListLabelingJobsForWorkteam",)},
    status="LabelingJobStatus",
    related={"WorkteamArn": _worked_on_by},
    later="Labeling jobs",
)
RESOURCES = (task_uis, flow_definitions, labeling_jobs, *workforces.RESOURCES)
