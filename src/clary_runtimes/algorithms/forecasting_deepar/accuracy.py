"""How near sample paths come to what really happened.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html#deepar-inputoutput
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any


def accuracy(samples: Array, actual: Array, quantiles: Sequence[float]) -> tuple[float, dict[float, float]]:
    """The root mean square error of the mean forecast, and the weighted loss of each quantile.

    ``samples`` (series, paths, points), ``actual`` (series, points) with NaN where nothing is known.
    """
    seen = ~np.isnan(actual)
    rmse = float(np.sqrt(np.mean((samples.mean(axis=1) - actual)[seen] ** 2)))
    size = float(np.abs(actual[seen]).sum())
    losses = {}
    for quantile in quantiles:
        missed = (actual - np.quantile(samples, quantile, axis=1))[seen]
        loss = 2 * float(np.maximum(quantile * missed, (quantile - 1) * missed).sum())
        losses[quantile] = loss / size if size else loss
    return rmse, losses
