"""Messages that wait in queues, and the ids by which a queue knows a message that is sent twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from clary.state.tables import message_tokens, messages, resources

_M = messages.c
_T = message_tokens.c


@dataclass(slots=True)
class Message:
    """One message; times are seconds since the epoch."""

    queue: int
    """The row of the resource that it waits in."""
    uid: str
    body: str
    sent: float
    visible: float
    """When it may be received; a message that was received is in flight until then."""
    document: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    received: int = 0
    """How often it was received."""
    first_received: float | None = None
    handle: str = ""
    """What the last who received it was given to show."""
    id: int = 0


@dataclass(frozen=True)
class Count:
    """How many messages of a queue are in which state."""

    available: int
    in_flight: int
    delayed: int


class Messages:
    """All queues' messages."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, message: Message) -> int:
        """Put a message into its queue; gives its row, which grows from one message to the next."""
        values = {
            "queue": message.queue,
            "uid": message.uid,
            "body": message.body,
            "document": message.document,
            "sent": message.sent,
            "visible": message.visible,
            "received": message.received,
            "first_received": message.first_received,
            "handle": message.handle,
            "message_group": message.group,
        }
        made = self._connection.execute(insert(messages).values(values)).inserted_primary_key
        assert made is not None
        message.id = int(made[0])
        return message.id

    def hold(self, queue: int) -> None:
        """Let nobody else hold the queue until the transaction ends, where a database has several writers."""
        self._connection.execute(select(resources.c.id).where(resources.c.id == queue).with_for_update())

    def available(self, queue: int, now: float, limit: int) -> list[Message]:
        """Messages that can be received, roughly the oldest first."""
        wanted = select(messages).where(_M.queue == queue, _M.visible <= now).order_by(_M.visible, _M.id).limit(limit)
        return [_message(row) for row in self._connection.execute(wanted)]

    def available_in_order(self, queue: int, now: float, limit: int) -> list[Message]:
        """The same in the order in which they were sent, without groups of which a message is in flight."""
        busy = select(_M.message_group).where(_M.queue == queue, _M.visible > now, _M.received > 0)
        wanted = select(messages).where(
            _M.queue == queue,
            # So that SQLite goes through the queue in its order instead of sorting all that is visible.
            _M.visible + 0 <= now,
            _M.message_group.not_in(busy),
        )
        return [_message(row) for row in self._connection.execute(wanted.order_by(_M.id).limit(limit))]

    def next_visible(self, queue: int, now: float) -> float | None:
        """When the next message that cannot be received now can be."""
        wanted = select(func.min(_M.visible)).where(_M.queue == queue, _M.visible > now)
        found = self._connection.execute(wanted).scalar_one()
        return None if found is None else float(found)

    def is_any_visible(self, queue: int, now: float) -> bool:
        """Whether there is a message that is neither in flight nor delayed."""
        wanted = select(_M.id).where(_M.queue == queue, _M.visible <= now).limit(1)
        return self._connection.execute(wanted).first() is not None

    def seconds_to_next(self, queue: int, now: float) -> float | None:
        """In how many seconds a message can be received, 0 if one can be now; ``None`` if there is none."""
        found = self._connection.execute(select(func.min(_M.visible)).where(_M.queue == queue)).scalar_one()
        return None if found is None else max(0.0, float(found) - now)

    def by_row(self, queue: int, row: int) -> Message | None:
        """The message in this row, if it waits in that queue."""
        found = self._connection.execute(select(messages).where(_M.id == row, _M.queue == queue)).first()
        return _message(found) if found is not None else None

    def update(self, message: Message) -> None:
        """Store what changed of a message: where it waits, when it is visible, how often it was received."""
        values = {
            "queue": message.queue,
            "document": message.document,
            "visible": message.visible,
            "received": message.received,
            "first_received": message.first_received,
            "handle": message.handle,
        }
        self._connection.execute(update(messages).where(_M.id == message.id).values(values))

    def remove(self, row: int) -> None:
        """Forget one message."""
        self._connection.execute(delete(messages).where(_M.id == row))

    def expire(self, queue: int, sent_before: float) -> int:
        """Forget messages that are older; gives how many."""
        return self._connection.execute(delete(messages).where(_M.queue == queue, _M.sent < sent_before)).rowcount

    def clear(self, queue: int) -> None:
        """Forget all messages of a queue."""
        self._connection.execute(delete(messages).where(_M.queue == queue))

    def count(self, queue: int, now: float) -> Count:
        """How many messages a queue has."""
        hidden = and_(_M.queue == queue, _M.visible > now)
        rows = self._connection.execute(select(func.count()).where(_M.queue == queue, _M.visible <= now))
        available = int(rows.scalar_one())
        flying = int(self._connection.execute(select(func.count()).where(hidden, _M.received > 0)).scalar_one())
        delayed = int(self._connection.execute(select(func.count()).where(hidden, _M.received == 0)).scalar_one())
        return Count(available, flying, delayed)

    def in_flight(self, queue: int, now: float, most: int) -> int:
        """How many messages are in flight, counted as far as ``most``."""
        some = select(_M.id).where(_M.queue == queue, _M.visible > now, _M.received > 0).limit(most).subquery()
        return int(self._connection.execute(select(func.count()).select_from(some)).scalar_one())

    def visible_after(self, queue: int, now: float, row: int, limit: int) -> Sequence[Message]:
        """Messages that can be received, in the order of their rows, from the one after ``row`` on."""
        wanted = select(messages).where(_M.queue == queue, _M.id > row, _M.visible + 0 <= now)
        return [_message(found) for found in self._connection.execute(wanted.order_by(_M.id).limit(limit))]

    def known(self, queue: int, token: str, now: float) -> tuple[str, int] | None:
        """The id and the row of the message that was sent with this token not long ago."""
        wanted = select(_T.uid, _T.row).where(_T.queue == queue, _T.token == token, _T.until > now)
        found = self._connection.execute(wanted).first()
        return (found.uid, found.row) if found is not None else None

    def remember(self, message: Message, token: str, until: float) -> None:
        """Know the message by its token until then; what is out of date is forgotten."""
        gone = (_T.until <= message.sent) | (_T.token == token)
        self._connection.execute(delete(message_tokens).where(_T.queue == message.queue, gone))
        values = {"queue": message.queue, "token": token, "uid": message.uid, "row": message.id, "until": until}
        self._connection.execute(insert(message_tokens).values(values))

    def drop(self, queues: Collection[int]) -> None:
        """Forget queues with everything in them."""
        self._connection.execute(delete(messages).where(_M.queue.in_(queues)))
        self._connection.execute(delete(message_tokens).where(_T.queue.in_(queues)))


def _message(row: Any) -> Message:
    return Message(
        queue=row.queue,
        uid=row.uid,
        body=row.body,
        sent=row.sent,
        visible=row.visible,
        document=row.document,
        group=row.message_group,
        received=row.received,
        first_received=row.first_received,
        handle=row.handle,
        id=row.id,
    )
