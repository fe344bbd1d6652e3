"""What schedules can call: queues, topics, functions and event buses, and operations of the platform's services.

Reference: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.core.errors import AccessDenied, ResourceNotFoundException, ValidationException
from clary.core.names import parse_arn
from clary.resources.context import Context, Platform
from clary.services.events.api import DEFAULT, kind_of, made, put_on_bus, send_to
from clary.services.iam.api import Identities, session_principal
from clary.services.iam.resource_policies import allows_role
from clary.services.iam.subjects import Subject
from clary.services.sqs.api import Posting, Sender
from clary.state.records import Key, Record

PRINCIPAL = "scheduler.amazonaws.com"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
_KINDS = ("sqs", "sns", "lambda", "events")
_PARAMETERS = {"SqsParameters": "sqs", "EventBridgeParameters": "events"}
"""Members of a target that belong to one kind of it."""
_READING = (
    "get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover",
    "validate", "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration",
    "retrieve", "testConnection", "translateDocument", "isAuthorized", "invokeModel",
)  # fmt: skip
"""How the names of operations begin that no schedule may call."""
_SDK_NAMES = {
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "resourcegroups": "resource-groups",
    "applicationautoscaling": "application-autoscaling",
    "sagemakermetrics": "sagemaker-metrics",
}
"""Services that AWS's SDKs call otherwise than botocore does."""


class Operation(NamedTuple):
    """An operation that a universal target names, as botocore calls it."""

    service: str
    name: str


def universal(arn: str) -> Operation | None:
    """The operation of ``arn:aws:scheduler:::aws-sdk:sqs:sendMessage``; ``None`` for targets of other kinds."""
    if not arn.startswith(UNIVERSAL):
        return None
    service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
    return Operation(_SDK_NAMES.get(service, service), action[:1].upper() + action[1:])


def check(context: Context, target: dict[str, Any]) -> None:
    """Check the target of a request, and fill in its defaults. Raises ``ValidationException``."""
    arn = target["Arn"]
    try:
        parts = parse_arn(arn)
    except ValueError:
        raise ValidationException("Provided Arn is not in correct format.") from None
    operation = universal(arn)
    kind = "" if operation is not None else kind_of(arn)
    if operation is not None:
        _check_universal(context.platform, arn, operation, target)
    elif kind not in _KINDS:
        raise ValidationException(
            f"{parts.service} is not a supported service for a target. Clary's schedules call SQS queues, SNS topics, "
            "Lambda functions, event buses, and the operations of its services (arn:aws:scheduler:::aws-sdk:...)."
        )
    for member, belongs in _PARAMETERS.items():
        if member in target and kind != belongs:
            raise ValidationException(f"The target {arn} cannot have {member}.")
    if kind == "sqs" and arn.endswith(".fifo") and "SqsParameters" not in target:
        raise ValidationException("A FIFO queue needs SqsParameters with a MessageGroupId.")
    if kind == "events" and "EventBridgeParameters" not in target:
        raise ValidationException("An event bus needs EventBridgeParameters.")
    if (
        kind in ("events", "lambda")
        and "Input" in target
        and not _is_object(target["Input"], any_json=kind != "events")
    ):
        raise ValidationException("Invalid RequestJson provided. Reason: the Input of the target must be valid JSON.")
    if (dead := target.get("DeadLetterConfig", {}).get("Arn", "")).endswith(".fifo"):
        raise ValidationException(f"The queue of dead letters {dead} must not be a FIFO queue.")
    target["RetryPolicy"] = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185} | target.get(
        "RetryPolicy", {}
    )
    try:
        context.platform.identity.check_pass_role(context.caller, target["RoleArn"], PRINCIPAL, told=context.told)
    except ValidationException:
        raise ValidationException(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        ) from None


def _check_universal(platform: Platform, arn: str, operation: Operation, target: Mapping[str, Any]) -> None:
    service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
    assert platform.calls is not None
    if action.startswith(_READING):
        raise ValidationException(f"{action} API is not supported")
    if not platform.calls.offers(*operation):
        raise ValidationException(f"{service}:{action} is not a supported service for a target.")
    if "Input" not in target:
        raise ValidationException("You must provide an input to set this target for your schedule")
    if not _is_object(target["Input"]):
        raise ValidationException("Invalid RequestJson provided. Reason: the Input of the target must be valid JSON.")


def _is_object(text: str, any_json: bool = False) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return any_json or isinstance(value, dict)


def role_of(platform: Platform, record: Record) -> Subject:
    """The role in which a schedule calls. Raises ``AccessDenied`` if it is gone."""
    arn, identities = record.document["Target"]["RoleArn"], platform.identity
    assert isinstance(identities, Identities)
    role = identities.role(arn)
    if role is None:
        raise AccessDenied(f"The execution role {arn} does not exist.")
    return role


def send(post: Posting, record: Record, text: str, execution: str) -> None:
    """Call a target that is no operation, as part of a transaction. Raises ``ServiceError`` if it does not take it."""
    target, role = record.document["Target"], role_of(post.platform, record)
    if kind_of(target["Arn"]) == "events":
        _put_event(post, record, text, role)
    else:
        sender = Sender(PRINCIPAL, record.arn, record.key.account, role)
        send_to(post, {**target, "Id": "schedule"}, text, {"id": execution}, sender)


def _put_event(post: Posting, record: Record, text: str, role: Subject) -> None:
    target = record.document["Target"]
    parts = parse_arn(target["Arn"])
    bus = parts.resource.removeprefix("event-bus/")
    if not allows_role(post.identities, role, None, "events:PutEvents", target["Arn"], "scheduler"):
        raise AccessDenied(f"{role.arn} is not authorized to perform: events:PutEvents on resource: {target['Arn']}")
    known = Key(parts.account, parts.region, "events", "EventBus", "", bus)
    if bus != DEFAULT and post.transaction.get(known) is None:
        raise ResourceNotFoundException(f"Event bus {bus} does not exist.")
    told = target["EventBridgeParameters"]
    event = {"source": told["Source"], "detail-type": told["DetailType"], "detail": json.loads(text)}
    put_on_bus(post, parts.account, parts.region, bus, made(event, record.key.account, record.key.region, post.now))


def call(platform: Platform, record: Record, text: str, execution: str) -> None:
    """Call an operation as a session of the schedule's role, whom the policies must allow it. Raises ``ServiceError``.

    An operation that creates something does so once, however often it is called for the same execution.
    """
    operation = universal(record.document["Target"]["Arn"])
    assert operation is not None and platform.calls is not None
    role = role_of(platform, record)
    told = {"aws:RequestedRegion": record.key.region, "aws:SecureTransport": "true", "aws:ViaAWSService": "true"}
    context = Context(
        session_principal(role, execution),
        record.key.account,
        record.key.region,
        execution,
        platform,
        token=execution,
        told=told,
    )
    try:
        members = json.loads(text)
    except ValueError:
        raise ValidationException("The Input is no JSON once its context attributes are filled in.") from None
    platform.calls.make(context, operation.service, operation.name, members)
