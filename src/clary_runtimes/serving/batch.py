"""Several requests through the model in one prediction.

The larger part of what a prediction of one row costs does not depend on the number of rows. What goes wrong for one
request never touches the others: a batch that fails is answered request by request.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from clary_runtimes.serving.request import Decoded, Reply, RowHandler

Rows = Any


class Invocation(NamedTuple):
    """A request, and who waits for its answer."""

    body: bytes
    content_type: str | None
    accept: str | None
    done: Callable[[Reply], None]


def answer_together(
    handler: RowHandler, invocations: Sequence[Invocation], failed: Callable[[BaseException], Reply]
) -> list[Reply]:
    """The answer of each; ``failed`` makes one of what was raised."""
    replies: list[Reply | None] = [None] * len(invocations)
    groups: dict[Hashable, list[tuple[int, Decoded]]] = {}
    for number, (body, content_type, accept, _) in enumerate(invocations):
        try:
            decoded = handler.decode(body, content_type, accept)
            shape = _shape(decoded.rows)
            groups.setdefault((decoded.how, number if shape is None else shape), []).append((number, decoded))
        except Exception as error:  # noqa: BLE001 - user code may raise anything, and its sender must learn of it
            replies[number] = failed(error)
    for group in groups.values():
        for number, reply in _predict(handler, group, failed):
            replies[number] = reply
    return [reply for reply in replies if reply is not None]


def _predict(
    handler: RowHandler, group: list[tuple[int, Decoded]], failed: Callable[[BaseException], Reply]
) -> list[tuple[int, Reply]]:
    found: Any = None
    if len(group) > 1:
        try:
            found = _shared(handler, [decoded for _, decoded in group])
        except Exception:  # noqa: BLE001 - the requests are tried one by one, and their senders learn of it
            found = None
    replies = []
    for place, (number, decoded) in enumerate(group):
        try:
            predictions = handler.predict(decoded.rows, decoded.how) if found is None else found[place]
            replies.append((number, handler.encode(predictions, decoded.answer)))
        except Exception as error:  # noqa: BLE001 - as above
            replies.append((number, failed(error)))
    return replies


def _shared(handler: RowHandler, requests: Sequence[Decoded]) -> list[Any] | None:
    """The predictions of each request out of one for all; None if they are not one for each row."""
    predictions = handler.predict(_together([decoded.rows for decoded in requests]), requests[0].how)
    lengths = [len(decoded.rows) for decoded in requests]
    try:
        if len(predictions) != sum(lengths):
            return None
    except TypeError:  # it has no length
        return None
    whole = predictions.iloc if hasattr(predictions, "iloc") else predictions
    parts, begin = [], 0
    for length in lengths:
        parts.append(whole[begin : begin + length])
        begin += length
    return parts


def _shape(rows: Rows) -> Hashable | None:
    """What rows must have in common to be put together; None for what cannot be."""
    if isinstance(rows, list):
        return list
    if hasattr(rows, "iloc"):
        return (type(rows), *rows.dtypes.items())
    shape = getattr(rows, "shape", ())
    if not shape or not _concatenate(rows):
        return None
    return (type(rows), rows.dtype, *shape[1:])


def _together(several: Sequence[Rows]) -> Rows:
    first = several[0]
    if isinstance(first, list):
        return [row for rows in several for row in rows]
    return _concatenate(first)(several)


def _concatenate(rows: Rows) -> Any:
    """The function of the rows' own library; None for a type that has none here."""
    # Found by the type's package, so that no library is imported which the model does not use.
    package = type(rows).__module__.partition(".")[0]
    name = {"numpy": "concatenate", "torch": "cat", "pandas": "concat"}.get(package)
    return getattr(sys.modules[package], name) if name is not None else None
