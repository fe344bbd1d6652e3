"""``AddPermission`` and ``RemovePermission``: statements of a queue's policy, written for those who do not write one.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam.resource_policies import with_statement, without_statement
from clary.services.sqs.errors import InvalidParameterValue
from clary.services.sqs.queues import ATTRIBUTES, find_queue
from clary.state.records import Record
from clary.state.transaction import Transaction

_ACTIONS = frozenset(
    (
        *("*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
        *("GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue"),
    )
)


def add_permission(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AddPermission``."""
    for action in params["Actions"]:
        if action not in _ACTIONS:
            raise InvalidParameterValue(
                f"Value SQS:{action[:128]} for parameter ActionName is invalid. Reason: Please refer to the "
                "appropriate WSDL for a list of valid actions."
            )
    accounts = params["AWSAccountIds"]
    if not accounts or not params["Actions"] or not all(len(each) == 12 and each.isdigit() for each in accounts):
        raise InvalidParameterValue(f"Value {accounts} for parameter PrincipalId is invalid. Reason: Unable to verify.")
    label, actions = params["Label"], [f"SQS:{action}" for action in params["Actions"]]
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        policy = with_statement(_policy(record), record.arn, label, accounts, actions)
        if policy is None:
            raise InvalidParameterValue(f"Value {label} for parameter Label is invalid. Reason: Already exists.")
        _put(context, transaction, record, policy)
    return {}


def remove_permission(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RemovePermission``."""
    label = params["Label"]
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        policy = without_statement(_policy(record), record.arn, label)
        if policy is None:
            raise InvalidParameterValue(
                f"Value {label} for parameter Label is invalid. Reason: can't find label on existing policy."
            )
        _put(context, transaction, record, policy)
    return {}


def _policy(record: Record) -> str | None:
    policy: str | None = record.document[ATTRIBUTES].get("Policy")
    return policy


def _put(context: Context, transaction: Transaction, record: Record, policy: str) -> None:
    attributes = {name: value for name, value in record.document[ATTRIBUTES].items() if name != "Policy"}
    record.document[ATTRIBUTES] = attributes | ({"Policy": policy} if policy else {})
    record.modified = context.platform.clock()
    transaction.update(record)


OPERATIONS: Mapping[str, Handler] = {"AddPermission": add_permission, "RemovePermission": remove_permission}
