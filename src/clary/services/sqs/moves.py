"""Dead letters on their way back to where they came from, or to another queue.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ResourceNotFoundException
from clary.core.ids import request_id as new_id
from clary.resources.context import Context, Handler
from clary.services.sqs.arrivals import ARRIVALS
from clary.services.sqs.attributes import redrive
from clary.services.sqs.errors import InvalidParameterValue, UnsupportedOperation
from clary.services.sqs.queues import ATTRIBUTES, KIND, SERVICE, queue_of
from clary.state.records import Query, Record
from clary.state.transaction import Transaction

_MOVES = "_moves"
_KEPT = 10
_AT_ONCE = 500


def _find(transaction: Transaction, queue: str, member: str) -> Record:
    record = queue_of(transaction, queue)
    if record is None:
        raise ResourceNotFoundException(f"The resource that you specified for the {member} parameter doesn't exist.")
    return record


def start_move(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``StartMessageMoveTask``: what can be received now is moved before this answers."""
    source, destination = params["SourceArn"], params.get("DestinationArn")
    begun, moved, told = context.platform.clock(), 0, set[str]()
    with context.platform.database.read() as transaction:
        record = _find(transaction, source, "SourceArn")
        if destination is not None:
            _find(transaction, destination, "DestinationArn")
        others = transaction.find(Query(record.key.account, record.key.region, SERVICE, KIND))
        targets = (redrive(each.document[ATTRIBUTES].get("RedrivePolicy")) for each in others)
        if all(target is None or target[0] != source for target in targets):
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
    row: int | None = 0
    # A part at a time, so that others get their turn at the database.
    while row is not None:
        row, count = _move_some(context, record, destination, row, told)
        moved += count
    entry = {
        "TaskHandle": new_id(),
        "Status": "COMPLETED",
        "SourceArn": source,
        **({"DestinationArn": destination} if destination else {}),
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": moved,
        "StartedTimestamp": int(begun * 1000),
    }
    with context.platform.database.write() as transaction:
        record = _find(transaction, source, "SourceArn")
        record.document[_MOVES] = [entry, *record.document.get(_MOVES, [])][:_KEPT]
        transaction.update(record)
    for queue in told:
        ARRIVALS.tell(queue)
    return {"TaskHandle": entry["TaskHandle"]}


def _move_some(
    context: Context, source: Record, destination: str | None, row: int, told: set[str]
) -> tuple[int | None, int]:
    """Move some messages behind a row; gives the last of them, or ``None`` if there were none, and how many went.

    Those that came from no queue, or from one that is gone, stay.
    """
    count = 0
    with context.platform.database.write() as transaction:
        now = context.platform.clock()
        found = transaction.messages.visible_after(source.id, now, row, _AT_ONCE)
        for message in found:
            origin = destination or message.document.get("DeadFrom", "")
            target = queue_of(transaction, origin)
            if target is None:
                continue
            message.queue, message.visible, message.received = target.id, now, 0
            message.first_received, message.handle = None, ""
            message.document = {name: each for name, each in message.document.items() if name != "DeadFrom"}
            transaction.messages.update(message)
            told.add(origin)
            count += 1
    return (found[-1].id if found else None), count


def list_moves(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListMessageMoveTasks``: the newest first."""
    with context.platform.database.read() as transaction:
        record = _find(transaction, params["SourceArn"], "SourceArn")
    entries = [
        {name: value for name, value in entry.items() if name != "TaskHandle"}
        for entry in record.document.get(_MOVES, [])
    ]
    return {"Results": entries[: params.get("MaxResults", 1)]}


def source_of(context: Context, handle: str) -> str | None:
    """The ARN of the queue whose messages the task with this handle moves."""
    wanted = Query(context.account, context.region, SERVICE, KIND)
    with context.platform.database.read() as transaction:
        records = transaction.find(wanted)
    found = (
        record.arn for record in records for entry in record.document.get(_MOVES, []) if entry["TaskHandle"] == handle
    )
    return next(found, None)


def cancel_move(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CancelMessageMoveTask``: a task has ended by the time that its handle is known."""
    if source_of(context, params["TaskHandle"]) is None:
        raise ResourceNotFoundException("Task does not exist.")
    raise UnsupportedOperation("Only active tasks can be cancelled.")


OPERATIONS: Mapping[str, Handler] = {
    "CancelMessageMoveTask": cancel_move,
    "ListMessageMoveTasks": list_moves,
    "StartMessageMoveTask": start_move,
}
