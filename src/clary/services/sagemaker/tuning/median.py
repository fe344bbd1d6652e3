"""The median rule: a training job that does worse than half of the earlier ones did is stopped.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

from __future__ import annotations

import itertools
import math
import statistics
from array import array
from collections.abc import Sequence

FEWEST = 3
"""Earlier jobs that there must be, as a median of fewer says little."""


class Averages:
    """The running averages of a curve, worked out once; the curve may grow meanwhile."""

    def __init__(self, curve: Sequence[float]) -> None:
        self._curve = curve
        self._sums = array("d")

    def at(self, epochs: int) -> float:
        """The average of the first ``epochs`` values, or of all where there are fewer: at least one of each."""
        known = len(self._sums)
        if known < min(epochs, len(self._curve)):
            new = itertools.islice(self._curve, known, None)
            sums = itertools.accumulate(new, initial=self._sums[-1] if known else 0.0)
            self._sums.extend(itertools.islice(sums, 1, None))
        count = min(epochs, len(self._sums))
        return self._sums[count - 1] / count

    def __bool__(self) -> bool:
        """Whether the curve has a value."""
        return bool(self._curve)


def stops(curve: Sequence[float], others: Sequence[Sequence[float] | Averages], maximize: bool) -> bool:
    """Whether the job whose objective after each epoch is ``curve`` is to be stopped: its last value is worse than the
    median of the running averages, up to the same epoch, of the ``others``.

    ``others`` are the curves of the jobs before it; those without a value do not count, and one that ended earlier
    counts with the average of what it has. Whoever asks again and again about long curves hands over their
    ``Averages``, which add up each value only once.
    """
    if not curve:
        return False
    known = [other if isinstance(other, Averages) else Averages(other) for other in others if other]
    if len(known) < FEWEST:
        return False
    sign = -1.0 if maximize else 1.0
    losses = [_or_worst(sign * other.at(len(curve))) for other in known]
    return _or_worst(sign * curve[-1]) > statistics.median(losses)


def _or_worst(loss: float) -> float:
    return math.inf if math.isnan(loss) else loss
