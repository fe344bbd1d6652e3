"""Events on their way from a bus to the targets of its rules.

Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clary.core.clock import iso
from clary.core.errors import AccessDenied, ServiceError, ValidationException
from clary.core.names import parse_arn
from clary.resources.context import Context
from clary.services.events.inputs import check_input, rendered
from clary.services.events.patterns import fits, parsed
from clary.services.lambda_ import api as functions
from clary.services.logs.api import write_line
from clary.services.sns import api as sns
from clary.services.sqs import api as sqs
from clary.state.records import Query, Record

log = logging.getLogger(__name__)

PRINCIPAL = "events.amazonaws.com"
TARGETS = "_targets"
MOST_BUSES = 5
"""An event goes over so many buses at most, for buses may send to each other."""
_SUPPORTED = "SQS queues, SNS topics, Lambda functions, CloudWatch log groups and event buses"
_STREAM = "events"


def check_target(context: Context, target: Mapping[str, Any]) -> None:
    """Check a target of a rule. Raises ``ValidationException``, which says what targets there can be."""
    name, arn = target["Id"], target["Arn"]
    try:
        kind = kind_of(arn)
    except ValueError:
        raise ValidationException(
            f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        ) from None
    if kind is None:
        raise ValidationException(
            f"Target {name} cannot be used: Clary delivers events to {_SUPPORTED}, and {arn} is none of them."
        )
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    if kind == "sqs" and arn.endswith(".fifo") and not group:
        raise ValidationException(
            f"Parameter(s) SqsParameters must be specified for target: {name}. Reason: a FIFO queue needs a "
            "MessageGroupId."
        )
    check_input(target)
    dead = target.get("DeadLetterConfig", {}).get("Arn")
    if dead and not dead.startswith("arn:aws:sqs:"):
        raise ValidationException(f"Parameter DeadLetterConfig.Arn is not valid for target {name}: it must be a queue.")
    if role := target.get("RoleArn"):
        context.platform.identity.check_pass_role(context.caller, role, PRINCIPAL, told=context.told)


def kind_of(arn: str) -> str | None:
    """What sort of target an ARN means. Raises ``ValueError`` if it is none."""
    parts = parse_arn(arn)
    if parts.service in ("sqs", "sns"):
        return parts.service
    prefix = {"events": "event-bus/", "logs": "log-group:", "lambda": "function:"}.get(parts.service)
    return parts.service if prefix is not None and parts.resource.startswith(prefix) else None


@lru_cache(maxsize=1024)
def _pattern(text: str) -> dict[str, Any]:
    return parsed(text)


def put_on_bus(
    post: sqs.Posting, account: str, region: str, bus: str, event: Mapping[str, Any], passed: int = 1
) -> None:
    """Send an event to the targets of the rules of a bus that it is for, as part of a transaction."""
    rules = post.transaction.find(Query(account, region, "events", "Rule").within(bus))
    for rule in rules:
        text = rule.document.get("EventPattern")
        if rule.document.get("State") != "DISABLED" and text and fits(_pattern(text), event):
            send_to_targets(post, rule, event, passed)


def send_to_targets(post: sqs.Posting, rule: Record, event: Mapping[str, Any], passed: int = 1) -> None:
    """Send an event to the targets of a rule, as part of a transaction."""
    for target in rule.document.get(TARGETS, {}).values():
        _hand_over(post, rule, target, event, passed)


def _hand_over(
    post: sqs.Posting, rule: Record, target: Mapping[str, Any], event: Mapping[str, Any], passed: int
) -> None:
    role = post.identities.role(target["RoleArn"]) if target.get("RoleArn") else None
    sender = sqs.Sender(PRINCIPAL, rule.arn, rule.key.account, role)
    text = rendered(target, event, (rule.arn, rule.name), iso(post.now))
    try:
        send_to(post, target, text, event, sender, passed)
    except ServiceError as error:
        _bury(post, rule, target, text, error)


def send_to(
    post: sqs.Posting,
    target: Mapping[str, Any],
    text: str,
    event: Mapping[str, Any],
    sender: sqs.Sender,
    passed: int = 1,
) -> None:
    """Send a text to a target of any kind, as part of a transaction; ``event`` is what it was made of, or a call of a
    schedule with its ``id`` alone, and ``passed`` counts the buses that it went over.

    Raises ``ServiceError`` for what the target does not take.
    """
    arn = target["Arn"]
    kind = kind_of(arn)
    if kind == "sqs":
        group = target.get("SqsParameters", {}).get("MessageGroupId", "")
        # What an event is sent with may be the same for many of them, which are different messages.
        once = f"{event['id']}-{target['Id']}" if arn.endswith(".fifo") else ""
        sqs.send_within(post, arn, sqs.Parcel(text, {}, PRINCIPAL, group=group, deduplication=once), sender)
    elif kind == "sns":
        sns.send_within(post, arn, sns.Publication(text), sender)
    elif kind == "lambda":
        functions.invoke_later(post, arn, text, sender)
    elif kind == "logs":
        parts = parse_arn(arn)
        if (parts.account, parts.region) != (sender.source_account, sender.source_arn.split(":")[3]):
            raise AccessDenied("Events are written to log groups of the rule's own account and region only.")
        group, home = parts.resource.removeprefix("log-group:").removesuffix(":*"), post.platform.settings.home
        write_line(post.transaction, home, parts.account, parts.region, group, _STREAM, text)
    elif passed >= MOST_BUSES:
        log.warning("event %s went over %d buses and is sent to no other", event["id"], passed)
    else:
        parts = parse_arn(arn)
        put_on_bus(post, parts.account, parts.region, parts.resource.removeprefix("event-bus/"), event, passed + 1)


def _bury(post: sqs.Posting, rule: Record, target: Mapping[str, Any], text: str, error: ServiceError) -> None:
    """Send what could not be delivered to the target's queue of dead letters, or let it go with a warning."""
    dead = target.get("DeadLetterConfig", {}).get("Arn")
    if not dead:
        log.warning("an event for %s was not delivered to %s: %s", rule.arn, target["Arn"], error)
        return
    told = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message,
    }
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    sender = sqs.Sender(PRINCIPAL, rule.arn, rule.key.account)
    try:
        sqs.send_within(post, dead, sqs.Parcel(text, attributes, PRINCIPAL), sender)
    except ServiceError as second:
        log.warning("an event for %s was delivered neither to %s nor to %s: %s", rule.arn, target["Arn"], dead, second)
