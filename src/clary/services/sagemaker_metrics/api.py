"""What other capabilities need of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from clary.services.sagemaker_metrics.summaries import Summary, summarized
from clary.state.database import Database
from clary.state.metrics import Measurement

__all__ = ["Measurement", "Summary", "replace_measured", "summarized"]

_AT_ONCE = 10_000


def replace_measured(database: Database, resource: int, arn: str, values: Iterable[Measurement]) -> list[Summary]:
    """Keep ``values`` as all that was measured of the resource in the row ``resource``; gives what they come to.

    Many values are many transactions, so that nobody waits for long; doing all of it again comes to the same.
    """
    summaries: list[Summary] = []
    for number, some in enumerate(_batches(values)):
        summaries = summarized(summaries, arn, some)
        with database.write() as transaction:
            if number == 0:
                transaction.metrics.remove(resource)
            transaction.metrics.add(resource, some)
    return summaries


def _batches(values: Iterable[Measurement]) -> Iterator[list[Measurement]]:
    """One at least, which may be empty."""
    rest = iter(values)
    yield list(islice(rest, _AT_ONCE))
    while some := list(islice(rest, _AT_ONCE)):
        yield some
