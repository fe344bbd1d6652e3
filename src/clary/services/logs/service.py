"""CloudWatch Logs as the platform runs it: its operations, and what each of them acts on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, ServiceApp
from clary.services.logs import events, groups, streams
from clary.services.logs.api import group_arn
from clary.services.logs.groups import name_of
from clary.services.logs.retention import remove_old

_ON_STREAMS = ("GetLogEvents", "PutLogEvents", "DeleteLogStream")


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN of the group or the stream that an operation acts on, as CloudWatch Logs spells it in policies.

    Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    if "resourceArn" in params:
        return str(params["resourceArn"])
    group = params.get("logGroupName") or name_of(params.get("logGroupIdentifier", ""))
    stream = params.get("logStreamName", "") if operation in _ON_STREAMS else ""
    return f"{group_arn(context.account, context.region, group)}:log-stream:{stream}"


def _group(arn: str) -> str:
    """The ARN of the group that has the tags, from one of a stream or of all streams."""
    return arn.split(":log-stream:")[0].removesuffix(":*")


SERVICE = ServiceApp(
    "logs",
    {**groups.OPERATIONS, **streams.OPERATIONS, **events.OPERATIONS},
    reconcilers={"LogGroup": remove_old},
    resource_of=resource_of,
    tagging="TagResource",
    tagged_as=_group,
)
