"""The recurrent network of DeepAR.

Source: Salinas et al., "DeepAR: Probabilistic forecasting with autoregressive recurrent networks", International
Journal of Forecasting, 2020, https://arxiv.org/abs/1704.04110
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

Tensor = Any
STATIC = 2
"""Numbers that describe a whole window: its scale and its location."""


class Network(nn.Module):  # type: ignore[misc]
    """LSTM layers over points, of each of which it says ``numbers`` numbers.

    ``width`` is that of a point's inputs, ``cardinality`` the number of groups of each entry of ``cat``.
    """

    def __init__(
        self,
        width: int,
        cardinality: Sequence[int],
        embedding: int,
        cells: int,
        layers: int,
        dropout: float,
        numbers: int,
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(count, embedding) for count in cardinality)
        inside = width + STATIC + embedding * len(cardinality)
        self.recurrent = nn.LSTM(inside, cells, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(cells, numbers)

    def whole(self, static: Tensor, cat: Tensor) -> Tensor:
        """What belongs to whole windows, (windows, numbers): ``static`` and an embedding of each entry of ``cat``."""
        return torch.cat([static, *(table(cat[:, place]) for place, table in enumerate(self.embeddings))], dim=1)

    def forward(self, inputs: Tensor, whole: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """What the network says of points (windows, points, numbers), and its state after the last one."""
        repeated = whole[:, None].expand(-1, inputs.shape[1], -1)
        hidden, state = self.recurrent(torch.cat([inputs, repeated], dim=2), state)
        return self.head(self.dropout(hidden)), state
