"""What the network sees of time series: windows of context and horizon, with lags, features, location and scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.forecasting_deepar.calendar import Frequency, time_features
from clary_runtimes.algorithms.forecasting_deepar.series import Series

Array = Any

FLOOR = 0.1
"""A context's scale is at least this share of that of all that is seen: a quiet week must not blow up the next one."""


class Windows(NamedTuple):
    """Windows of context + horizon points.

    ``values`` (windows, points) and ``past`` (windows, points before the horizon, with lags) are in the units of the
    series, NaN where missing; ``inputs`` (windows, points, lags + features) are what the network is given, with
    lags in units of ``scale`` around ``location``, both (windows,); ``static`` (windows, 2) and ``cat`` (windows,
    groups) belong to whole windows.
    """

    values: Array
    past: Array
    inputs: Array
    location: Array
    scale: Array
    static: Array
    cat: Array


class WindowSource:
    """Cuts windows out of series, all of which lie in one array, with missing values before each.

    ``shift`` and ``spread`` (features,) are what dynamic features are moved and divided by. ``horizon_given`` says that
    the series end before the horizon, which is a forecast's.
    """

    def __init__(
        self,
        series: Sequence[Series],
        frequency: Frequency,
        lags: Array,
        context: int,
        horizon: int,
        shifted: bool,
        shift: Array,
        spread: Array,
        horizon_given: bool = False,
    ) -> None:
        self.lags, self.context, self.horizon, self.shifted = lags, context, horizon, shifted
        self.before = context + int(lags[-1])
        more = horizon if horizon_given else 0
        self.lengths = np.array([len(each.target) for each in series])
        widths = self.before + self.lengths + more
        self.offsets = np.cumsum(widths) - widths + self.before
        self.cat = np.array([each.cat for each in series], np.int64)
        self.values = np.full(int(widths.sum()), np.nan)
        features = []
        for each, offset in zip(series, self.offsets, strict=True):
            length = len(each.target)
            self.values[offset : offset + length] = each.target
            time = time_features(each.start, frequency, -self.before, length + more)
            age = np.log10(2 + np.maximum(np.arange(-self.before, length + more), 0))[:, None] / 4
            dynamic = np.zeros((len(time), len(shift)), np.float32)
            dynamic[self.before :] = ((each.dynamic - shift[:, None]) / spread[:, None]).T if len(shift) else 0
            features.append(np.concatenate([time, age, dynamic], axis=1, dtype=np.float32))
        self.features = np.concatenate(features)

    @property
    def width(self) -> int:
        """The numbers that the network is given of each point, without those of whole windows."""
        return len(self.lags) + int(self.features.shape[1])

    def cut(self, which: Array, starts: Array) -> Windows:
        """Windows of the series ``which`` whose horizons begin at ``starts``, points of the series; both (windows,)."""
        origin = self.offsets[which] + starts
        past = self.values[origin[:, None] + np.arange(-self.before, 0)]
        location, scale = _location_and_scale(past, self.context, self.shifted)
        last = self.horizon if origin.max() + self.horizon <= len(self.values) else 0
        places = origin[:, None] + np.arange(-self.context, last)
        lagged = (self.values[places[:, :, None] - self.lags] - location[:, None, None]) / scale[:, None, None]
        inputs = np.concatenate([np.nan_to_num(lagged), self.features[places]], axis=2, dtype=np.float32)
        static = np.stack([np.log(scale) / 5, np.arcsinh(location / scale) / 5], axis=1).astype(np.float32)
        return Windows(self.values[places], past, inputs, location, scale, static, self.cat[which])


def _location_and_scale(past: Array, context: int, shifted: bool) -> tuple[Array, Array]:
    """The mean of the context and the mean distance from it; or 0 and the mean size, where 0 must stay 0."""
    seen = ~np.isnan(past)
    filled = np.where(seen, past, 0)
    near = seen.copy()
    near[:, :-context] = False
    near = np.where(near.any(axis=1)[:, None], near, seen)
    location = (filled * near).sum(axis=1) / np.maximum(near.sum(axis=1), 1) if shifted else np.zeros(len(past))
    away = np.abs(filled - location[:, None])

    def mean(mask: Array) -> Array:
        found: Array = (away * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
        return found

    scale = np.maximum(mean(near), FLOOR * mean(seen))
    size = np.abs(filled).max(axis=1)
    return location, np.where(scale > 1e-6 * size, scale, np.where(size > 0, size, 1.0))
