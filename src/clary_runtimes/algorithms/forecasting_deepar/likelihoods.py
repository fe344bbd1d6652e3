"""The noise around a forecast: how likely a value is given what the network says, and values drawn from that.

``raw`` is what the network says, (…, ``numbers``); ``location`` and ``scale`` are those of each series, (…). Values
are in the units of the series. Source: Salinas et al., "DeepAR", 2020, https://arxiv.org/abs/1704.04110
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch.distributions import Beta, NegativeBinomial, Normal, StudentT
from torch.nn.functional import softplus

Tensor = Any
Array = Any

LEAST = 1e-4


class Likelihood(ABC):
    """A family of distributions."""

    numbers = 2
    """How many numbers the network says of each point."""
    shifted = True
    """Whether series are moved to have a mean of 0; the others are divided by their mean only."""

    def refuse(self, target: Array) -> str | None:
        """Why values (points,) are not possible; None if they are."""
        return None

    @abstractmethod
    def loss(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        """The negative logarithm of the likelihood of ``value``, (…)."""

    @abstractmethod
    def draw(self, raw: Tensor, location: Array, scale: Array, generator: np.random.Generator) -> Array:
        """One value for each row of ``raw``, (…) float64."""


class Gaussian(Likelihood):
    """Real numbers."""

    def loss(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        noise = Normal(location + scale * raw[..., 0], scale * (softplus(raw[..., 1]) + LEAST))
        return -noise.log_prob(value)

    def draw(self, raw: Tensor, location: Array, scale: Array, generator: np.random.Generator) -> Array:
        spread = (softplus(raw[..., 1]) + LEAST).numpy()
        return location + scale * (raw[..., 0].numpy() + spread * generator.standard_normal(spread.shape))


class StudentsT(Likelihood):
    """Real numbers, some of which are far from all others."""

    numbers = 3

    def loss(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        freedom = 2 + softplus(raw[..., 2])
        noise = StudentT(freedom, location + scale * raw[..., 0], scale * (softplus(raw[..., 1]) + LEAST))
        return -noise.log_prob(value)

    def draw(self, raw: Tensor, location: Array, scale: Array, generator: np.random.Generator) -> Array:
        spread, freedom = (softplus(raw[..., 1]) + LEAST).numpy(), (2 + softplus(raw[..., 2])).numpy()
        return location + scale * (raw[..., 0].numpy() + spread * generator.standard_t(freedom))


class DeterministicL1(Likelihood):
    """One number without noise, by its absolute error."""

    numbers = 1

    def loss(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        return (value - location - scale * raw[..., 0]).abs() / scale

    def draw(self, raw: Tensor, location: Array, scale: Array, generator: np.random.Generator) -> Array:
        found: Array = location + scale * raw[..., 0].numpy()
        return found


class Counts(Likelihood):
    """Whole numbers of 0 or more: the negative binomial distribution, by its mean and its spread."""

    shifted = False

    def refuse(self, target: Array) -> str | None:
        bad = target[(target < 0) | (target != np.round(target))]
        if not len(bad):
            return None
        return f"target has {bad[0]:g}; likelihood 'negative-binomial' is for whole numbers of 0 or more"

    def loss(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        mean, shape = _mean_and_shape(raw, scale)
        return -NegativeBinomial(shape, logits=torch.log(mean / shape)).log_prob(value.round())

    def draw(self, raw: Tensor, location: Array, scale: Array, generator: np.random.Generator) -> Array:
        mean, shape = (each.numpy() for each in _mean_and_shape(raw, torch.as_tensor(scale)))
        rate = np.minimum(generator.gamma(shape, mean / shape), 1e15)
        return generator.poisson(rate).astype(float)


class Share(Likelihood):
    """Real numbers between 0 and 1: the beta distribution."""

    shifted = False

    def refuse(self, target: Array) -> str | None:
        bad = target[(target < 0) | (target > 1)]
        return f"target has {bad[0]:g}; likelihood 'beta' is for numbers from 0 to 1" if len(bad) else None

    def loss(self, raw: Tensor, value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
        noise = Beta(softplus(raw[..., 0]) + LEAST, softplus(raw[..., 1]) + LEAST)
        return -noise.log_prob(value.clamp(LEAST, 1 - LEAST))

    def draw(self, raw: Tensor, location: Array, scale: Array, generator: np.random.Generator) -> Array:
        one, two = (softplus(raw) + LEAST).double().numpy().transpose(-1, *range(raw.ndim - 1))
        return generator.beta(one, two)


LIKELIHOODS: dict[str, Likelihood] = {
    "gaussian": Gaussian(),
    "student-T": StudentsT(),
    "deterministic-L1": DeterministicL1(),
    "negative-binomial": Counts(),
    "beta": Share(),
}
"""By the value of the hyperparameter ``likelihood``."""


def _mean_and_shape(raw: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    mean = scale * (softplus(raw[..., 0]) + LEAST)
    return mean, torch.sqrt(scale) / (softplus(raw[..., 1]) + LEAST)
