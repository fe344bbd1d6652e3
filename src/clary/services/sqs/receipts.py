"""What those do with messages who have received them: delete them, or change when others may see them.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from clary.core.errors import ServiceError
from clary.resources.context import Context, Handler
from clary.services.sqs.arrivals import ARRIVALS
from clary.services.sqs.attributes import LONGEST_VISIBILITY
from clary.services.sqs.checks import check_entries
from clary.services.sqs.errors import InvalidParameterValue, MessageNotInflight, ReceiptHandleIsInvalid
from clary.services.sqs.queues import find_queue, is_fifo
from clary.services.sqs.sending import failure
from clary.state.messages import Message
from clary.state.records import Record
from clary.state.transaction import Transaction

Change = Callable[[Transaction, Record, Mapping[str, Any], float], None]


def _message(transaction: Transaction, record: Record, handle: str) -> tuple[Message | None, str]:
    """The message behind a receipt handle, if it is still there, and what its receiver was given to show.

    Raises ``ReceiptHandleIsInvalid``.
    """
    try:
        queue, row, shown = base64.b64decode(handle, validate=True).decode("ascii").split(":")
        told = int(queue), int(row)
    except (binascii.Error, ValueError):
        raise ReceiptHandleIsInvalid(handle) from None
    if told[0] != record.id:
        raise ReceiptHandleIsInvalid(handle)
    return transaction.messages.by_row(record.id, told[1]), shown


def _delete(transaction: Transaction, record: Record, params: Mapping[str, Any], now: float) -> None:
    """A message that is gone already is deleted. Whoever shows an old receipt succeeds and deletes nothing."""
    message, shown = _message(transaction, record, params["ReceiptHandle"])
    if message is None:
        return
    if is_fifo(record) and (message.handle != shown or message.visible <= now):
        raise InvalidParameterValue(
            f"Value {params['ReceiptHandle']} for parameter ReceiptHandle is invalid. Reason: The receipt handle has "
            "expired."
        )
    if message.handle == shown:
        transaction.messages.remove(message.id)


def _change(transaction: Transaction, record: Record, params: Mapping[str, Any], now: float) -> None:
    seconds = params.get("VisibilityTimeout", 0)
    if not 0 <= seconds <= LONGEST_VISIBILITY:
        raise InvalidParameterValue(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and "
            f"{LONGEST_VISIBILITY}."
        )
    message, shown = _message(transaction, record, params["ReceiptHandle"])
    if message is None:
        raise InvalidParameterValue(
            f"Value {params['ReceiptHandle']} for parameter ReceiptHandle is invalid. Reason: Message does not exist "
            "or is not available for visibility timeout change."
        )
    if message.handle != shown or message.visible <= now:
        raise MessageNotInflight
    message.visible = now + seconds
    transaction.messages.update(message)


def _one(change: Change) -> Handler:
    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = find_queue(context, transaction, params)
            change(transaction, record, params, context.platform.clock())
        # The message itself may be received again, or the next one of its group.
        ARRIVALS.tell(record.arn)
        return {}

    return handle


def _several(change: Change) -> Handler:
    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        check_entries(params["Entries"])
        done, failed = [], []
        with context.platform.database.write() as transaction:
            record = find_queue(context, transaction, params)
            for entry in params["Entries"]:
                try:
                    change(transaction, record, entry, context.platform.clock())
                    done.append({"Id": entry["Id"]})
                except ServiceError as error:
                    failed.append(failure(entry["Id"], error))
        ARRIVALS.tell(record.arn)
        return {"Successful": done, "Failed": failed}

    return handle


OPERATIONS: Mapping[str, Handler] = {
    "DeleteMessage": _one(_delete),
    "DeleteMessageBatch": _several(_delete),
    "ChangeMessageVisibility": _one(_change),
    "ChangeMessageVisibilityBatch": _several(_change),
}
