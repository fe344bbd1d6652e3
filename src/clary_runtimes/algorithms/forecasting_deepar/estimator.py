"""DeepAR: one network for all series, which says how the next value is distributed given the ones before.

Source: Salinas et al., "DeepAR: Probabilistic forecasting with autoregressive recurrent networks", International
Journal of Forecasting, 2020, https://arxiv.org/abs/1704.04110
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clary_runtimes.algorithms.artifact import load_arrays, save_arrays
from clary_runtimes.algorithms.forecasting_deepar.calendar import Frequency, lags
from clary_runtimes.algorithms.forecasting_deepar.likelihoods import LIKELIHOODS
from clary_runtimes.algorithms.forecasting_deepar.network import Network
from clary_runtimes.algorithms.forecasting_deepar.series import Series
from clary_runtimes.algorithms.forecasting_deepar.windows import Windows, WindowSource
from clary_runtimes.contract.errors import UserError

Array = Any
After = Callable[[int, float, int], None]

FORM = "clary-deepar-1"
LEAST_BATCHES = 10
"""Of an epoch, however little data there is."""
LONGEST_STEP = 10.0
"""Norm of the gradient, at most."""
PATIENCE = 10
"""Epochs without progress after which the learning rate is halved."""
LEAST_RATE = 1e-5
PATHS = 4096
"""Sample paths that are drawn at once."""


class DeepAR:
    """Forecasts ``prediction_length`` points. Parameters are those of Amazon's; ``time_freq`` is (count, unit)."""

    def __init__(
        self,
        *,
        time_freq: Frequency,
        context_length: int,
        prediction_length: int,
        epochs: int = 100,
        dropout_rate: float = 0.1,
        early_stopping_patience: int | None = None,
        embedding_dimension: int = 10,
        learning_rate: float = 1e-3,
        likelihood: str = "student-T",
        mini_batch_size: int = 128,
        num_cells: int = 40,
        num_layers: int = 2,
        seed: int = 0,
    ) -> None:
        self.time_freq, self.context_length, self.prediction_length = time_freq, context_length, prediction_length
        self.epochs, self.early_stopping_patience, self.learning_rate = epochs, early_stopping_patience, learning_rate
        self.mini_batch_size, self.seed, self.likelihood = mini_batch_size, seed, likelihood
        self.shape = {
            "embedding": embedding_dimension, "cells": num_cells, "layers": num_layers, "dropout": dropout_rate,
            "numbers": LIKELIHOODS[likelihood].numbers,
        }  # fmt: skip
        self.noise = LIKELIHOODS[likelihood]
        self.cardinality: list[int] = []
        self.lags = self.shift = self.spread = np.zeros(0)
        self.network: Any = None
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def fit(
        self, series: Sequence[Series], cardinality: Sequence[int] | None = None, after: After | None = None
    ) -> tuple[float, int]:
        """Learn from ``series``; those shorter than ``prediction_length`` are left out.

        ``cardinality`` has the number of groups of each entry of ``cat``; None for what is found. ``after`` hears of
        each epoch, its loss and how many windows it had. Returns the lowest loss, whose parameters are kept, and its
        epoch, from 0. Raises ``UserError`` if nothing can be learnt.
        """
        series = [each for each in series if len(each.target) >= self.prediction_length]
        if not series:
            raise UserError(f"No time series has prediction_length ({self.prediction_length}) points or more")
        groups = np.array([each.cat for each in series])
        self.cardinality = list(cardinality) if cardinality is not None else (groups.max(axis=0) + 1).tolist()
        self.lags = lags(self.time_freq, max(len(each.target) for each in series) - 1)
        dynamic = np.concatenate([each.dynamic for each in series], axis=1)
        self.shift = dynamic.mean(axis=1)
        self.spread = np.maximum(dynamic.std(axis=1), 1e-6)
        source = self._source(series)
        torch.manual_seed(self.seed)
        self._build(source.width)
        return self._train(source, after or (lambda epoch, loss, windows: None))

    def sample(self, series: Sequence[Series], paths: int = 100, seed: int | None = None) -> Array:
        """(series, ``paths``, ``prediction_length``) float64: how each series may go on.

        ``dynamic`` of each must have ``prediction_length`` points more than ``target``.
        """
        generator = np.random.default_rng(self.seed if seed is None else seed)
        at_once = max(1, PATHS // paths)
        parts = [self._sample(series[n : n + at_once], paths, generator) for n in range(0, len(series), at_once)]
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1``: the parameters of the network, and what else a forecast needs."""
        names = ("time_freq", "context_length", "prediction_length", "likelihood", "cardinality", "shape")
        settings = json.dumps({name: getattr(self, name) for name in names})
        arrays = {f"network.{name}": value.cpu().numpy() for name, value in self.network.state_dict().items()}
        own = {"lags": self.lags, "shift": self.shift, "spread": self.spread, "settings": np.array(settings)}
        save_arrays(folder, FORM, {**own, **arrays})

    @classmethod
    def load(cls, folder: Path) -> DeepAR:
        """The model in ``folder``. Raises ``UserError`` if there is none."""
        arrays = load_arrays(folder, FORM)
        settings = json.loads(str(arrays["settings"]))
        found = cls(
            time_freq=tuple(settings["time_freq"]), likelihood=settings["likelihood"],
            context_length=settings["context_length"], prediction_length=settings["prediction_length"],
        )  # fmt: skip
        found.cardinality, found.shape = settings["cardinality"], settings["shape"]
        found.lags, found.shift, found.spread = arrays["lags"], arrays["shift"], arrays["spread"]
        state = {
            name.removeprefix("network."): torch.from_numpy(value)
            for name, value in arrays.items()
            if name.startswith("network.")
        }
        whole = found.shape["embedding"] * len(found.cardinality) + 2
        found._build(state["recurrent.weight_ih_l0"].shape[1] - whole)
        found.network.load_state_dict(state)
        found.network.eval()
        return found

    def _build(self, width: int) -> None:
        self.network = Network(width, self.cardinality, **self.shape).to(self.device)  # type: ignore[arg-type]

    def _source(self, series: Sequence[Series], horizon_given: bool = False) -> WindowSource:
        return WindowSource(
            series, self.time_freq, self.lags, self.context_length, self.prediction_length, self.noise.shifted,
            self.shift, self.spread, horizon_given,
        )  # fmt: skip

    def _tensor(self, array: Array) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _train(self, source: WindowSource, after: After) -> tuple[float, int]:
        generator = np.random.default_rng(self.seed)
        rooms = source.lengths - self.prediction_length + 1
        ends = np.cumsum(rooms)
        steps = max(LEAST_BATCHES, math.ceil(source.lengths.sum() / self.prediction_length / self.mini_batch_size))
        optimizer = torch.optim.Adam(self.network.parameters(), self.learning_rate, weight_decay=1e-8)
        slower = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=PATIENCE, min_lr=min(LEAST_RATE, self.learning_rate)
        )
        best, best_epoch, kept = math.inf, 0, copy.deepcopy(self.network.state_dict())
        for epoch in range(self.epochs):
            self.network.train()
            total = 0.0
            for _ in range(steps):
                room = generator.integers(ends[-1], size=self.mini_batch_size)
                which = np.searchsorted(ends, room, side="right")
                # With nothing before the horizon there would be neither location nor scale.
                starts = np.maximum(room - ends[which] + rooms[which], np.minimum(1, rooms[which] - 1))
                loss = self._loss(source.cut(which, starts))
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_STEP)
                optimizer.step()
                total += float(loss.detach())
            mean = total / steps
            if not math.isfinite(mean):
                raise UserError(f"The loss became {mean} in epoch {epoch}; lower learning_rate")
            after(epoch, mean, steps * self.mini_batch_size)
            slower.step(mean)
            if mean < best:
                best, best_epoch, kept = mean, epoch, copy.deepcopy(self.network.state_dict())
            elif self.early_stopping_patience is not None and epoch - best_epoch >= self.early_stopping_patience:
                break
        self.network.load_state_dict(kept)
        self.network.eval()
        return best, best_epoch

    def _loss(self, windows: Windows) -> Any:
        raw, _ = self.network(self._tensor(windows.inputs), self._whole(windows))
        seen = self._tensor(~np.isnan(windows.values))
        values = self._tensor(np.nan_to_num(windows.values).astype(np.float32))
        location, scale = (
            self._tensor(each.astype(np.float32))[:, None].expand_as(values)
            for each in (windows.location, windows.scale)
        )
        return self.noise.loss(raw[seen], values[seen], location[seen], scale[seen]).sum() / seen.sum().clamp(min=1)

    def _whole(self, windows: Windows) -> Any:
        return self.network.whole(self._tensor(windows.static), self._tensor(windows.cat))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _sample(self, series: Sequence[Series], paths: int, generator: np.random.Generator) -> Array:
        source = self._source(series, horizon_given=True)
        windows = source.cut(np.arange(len(series)), source.lengths)
        whole = self._whole(windows)
        _, state = self.network(self._tensor(windows.inputs[:, : self.context_length]), whole)
        state = tuple(each.repeat_interleave(paths, dim=1) for each in state)
        whole = whole.repeat_interleave(paths, dim=0)
        location, scale = (np.repeat(each, paths) for each in (windows.location, windows.scale))
        past = np.nan_to_num((windows.past - windows.location[:, None]) / windows.scale[:, None]).astype(np.float32)
        line = np.concatenate(
            [np.repeat(past, paths, 0), np.zeros((len(whole), self.prediction_length), np.float32)], 1
        )
        features = np.repeat(windows.inputs[:, self.context_length :, len(self.lags) :], paths, axis=0)
        found = np.empty((len(whole), self.prediction_length))
        for step in range(self.prediction_length):
            lagged = line[:, source.before + step - self.lags]
            inputs = np.concatenate([lagged, features[:, step]], axis=1)[:, None]
            raw, state = self.network(self._tensor(inputs), whole, state)
            found[:, step] = self.noise.draw(raw[:, 0].cpu(), location, scale, generator)
            line[:, source.before + step] = (found[:, step] - location) / scale
        return found.reshape(len(series), paths, self.prediction_length)
