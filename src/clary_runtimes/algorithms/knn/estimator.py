"""k-NN: a sample of the rows in an index, and the votes or the mean of the nearest of them.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_how-it-works.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.artifact import NAME, write_together
from clary_runtimes.algorithms.data.reservoir import Reservoir
from clary_runtimes.algorithms.knn import index as indexes
from clary_runtimes.algorithms.knn.hyperparameters import CLASSIFIER, COSINE, FLAT, IVF_PQ, L2, REGRESSOR
from clary_runtimes.algorithms.knn.reduction import Reduction
from clary_runtimes.contract.errors import UserError

Array = Any

VERSION = "1.0"
PIECE = 4096
VOTES = 1 << 22
"""Counters of votes that are in memory at once."""


class KNN:
    """The ``k`` nearest rows. The arguments are the documented hyperparameters of the same names.

    Once it is fitted: ``index``, of Faiss; ``labels`` (rows,), float32, of the rows in it.
    """

    def __init__(
        self,
        k: int,
        predictor_type: str = CLASSIFIER,
        *,
        sample_size: int = 1_000_000,
        dimension_reduction_type: str | None = None,
        dimension_reduction_target: int | None = None,
        faiss_index_ivf_nlists: int | str = "auto",
        faiss_index_pq_m: int | None = None,
        index_metric: str = L2,
        index_type: str = FLAT,
        seed: int = 0,
    ) -> None:
        self.k, self.predictor_type, self.sample_size = k, predictor_type, sample_size
        self.reduction_type, self.target = dimension_reduction_type, dimension_reduction_target
        self.lists, self.parts = faiss_index_ivf_nlists, faiss_index_pq_m
        self.metric, self.index_type, self.seed = index_metric, index_type, seed
        self.width = 0
        self.reduction: Reduction | None = None
        self.center: Array = None
        self.index: Any = None
        self.labels: Array = None

    def fit(self, features: Array, labels: Array) -> KNN:
        """Fit (rows, columns), dense or CSR, with labels (rows,)."""
        count = features.shape[0]
        pieces = (slice(start, start + PIECE) for start in range(0, count, PIECE))
        return self.fit_batches((features[piece], np.asarray(labels)[piece]) for piece in pieces)

    def fit_batches(self, batches: Iterable[tuple[Array, Array]]) -> KNN:
        """Fit a stream of batches of features (rows, columns), dense or CSR, and labels (rows,), in one pass.

        The memory is that of ``sample_size`` rows and of the index of them. Raises ``ValueError`` if there are fewer
        rows than ``k``.
        """
        sample = Reservoir(self.sample_size, self.seed)
        for features, labels in batches:
            sample.add(features, np.asarray(labels, dtype=np.float32))
        count = min(sample.seen, self.sample_size)
        if count < self.k:
            raise ValueError(f"there are {count} rows, fewer than the k = {self.k} neighbors")
        points = np.ascontiguousarray(sample.features, dtype=np.float32)
        self.labels = sample.labels
        self.width = points.shape[1]
        # Distances from the origin do not matter to those between rows, but to their rounding.
        self.center = points.mean(axis=0, dtype=np.float64).astype(np.float32) if self.metric == L2 else None
        parts = self._fit_reduction()
        self.index = indexes.build(self.index_type, self.metric, self._prepare(points, parts), self.lists, parts)
        return self

    def _fit_reduction(self) -> int:
        """Choose the projection; the number of parts of a vector, 1 unless the index cuts it."""
        width = self.width if self.target is None else self.target
        parts = 1
        if self.index_type == IVF_PQ:
            parts = self.parts or indexes.default_parts(width)
            width = -(-width // parts) * parts
        if self.reduction_type is not None:
            if width > self.width:
                raise ValueError(
                    f"faiss_index_pq_m is {parts}, which makes the target of the reduction {width}, more than the "
                    f"{self.width} features"
                )
            self.reduction = Reduction(self.reduction_type, self.width, width, self.seed)
        return parts

    def _prepare(self, features: Array, parts: int = 1) -> Array:
        """What the index holds of rows, or is asked for: (rows, its dimensions), float32."""
        points = features if isinstance(features, np.ndarray) else features.toarray()
        points = points.astype(np.float32, copy=False)
        if self.center is not None:
            points = points - self.center
        if self.reduction is not None:
            points = self.reduction.apply(points)
        if self.metric == COSINE:
            lengths = np.linalg.norm(points, axis=1, keepdims=True)
            points = points / np.where(lengths > 0, lengths, 1)
        wanted = -(-points.shape[1] // parts) * parts if self.index is None else self.index.d
        if wanted > points.shape[1]:
            points = np.pad(points, ((0, 0), (0, wanted - points.shape[1])))
        return np.ascontiguousarray(points, dtype=np.float32)

    def neighbors(self, features: Array) -> tuple[Array, Array]:
        """Distances and labels of the ``k`` nearest rows of each of ``features``, the nearest first: (rows, k) each.

        The distance is the Euclidean one for ``L2``, 1 less the similarity for ``COSINE``, and the negative inner
        product for ``INNER_PRODUCT``: always the smaller the nearer. Where dimensions are reduced, it is that of the
        projections.
        """
        distances, labels = [], []
        for start in range(0, features.shape[0], PIECE):
            measures, numbers = indexes.search(self.index, self._prepare(features[start : start + PIECE]), self.k)
            if self.metric == L2:
                distances.append(np.sqrt(np.maximum(measures, 0)))
            else:
                distances.append((1 if self.metric == COSINE else 0) - measures)
            labels.append(self.labels[numbers])
        return np.concatenate(distances), np.concatenate(labels)

    def predict(self, features: Array) -> Array:
        """The label (rows,) of each row: see ``decide``."""
        return self.decide(self.neighbors(features)[1])

    def decide(self, labels: Array) -> Array:
        """What labels (rows, k) of neighbors, the nearest first, make of each row.

        A classifier takes the most frequent one, and of several that are as frequent the one that is nearest; a
        regressor takes the mean.
        """
        if self.predictor_type == REGRESSOR:
            return labels.mean(axis=1)
        classes, codes = np.unique(labels, return_inverse=True)
        codes = codes.reshape(labels.shape)
        step = max(1, VOTES // len(classes))
        decided = []
        for start in range(0, len(codes), step):
            part = codes[start : start + step]
            rows = np.arange(len(part))[:, None]
            counts = np.bincount((rows * len(classes) + part).ravel(), minlength=len(part) * len(classes))
            votes = counts.reshape(len(part), -1)[rows, part]
            decided.append(part[rows[:, 0], votes.argmax(axis=1)])
        return classes[np.concatenate(decided)]

    def save(self, folder: Path) -> None:
        """Write the documented files into ``folder``.

        ``model_algo-1`` is the index as Faiss writes it, ``model_algo-1.labels`` the labels as 32-bit floats, and
        ``model_algo-1.json`` what predictions need besides: ``k`` and ``predictor_type`` can be changed there.
        Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_how-it-works.html#kNN-model-serialization
        """
        document = {
            "k": self.k,
            "predictor_type": self.predictor_type,
            "dimension_reduction": None if self.reduction is None else self.reduction.document(),
            "normalize": self.metric == COSINE,
            "version": VERSION,
            "index_metric": self.metric,
            "feature_dim": self.width,
            "center": None if self.center is None else self.center.tolist(),
        }
        data, text = indexes.to_bytes(self.index), json.dumps(document, indent=2) + "\n"
        write_together(
            folder,
            {
                NAME: lambda file: file.write(data),
                f"{NAME}.labels": lambda file: file.write(self.labels.tobytes()),
                f"{NAME}.json": lambda file: file.write(text.encode()),
            },
        )

    @classmethod
    def load(cls, folder: Path) -> KNN:
        """Read what ``save`` wrote. Raises ``UserError`` if it is not there or does not fit together."""
        try:
            document = json.loads((folder / f"{NAME}.json").read_text(encoding="utf-8"))
            model = cls(document["k"], document["predictor_type"], index_metric=document["index_metric"])
            model.width = document["feature_dim"]
            reduced, center = document["dimension_reduction"], document["center"]
            if reduced is not None:
                model.reduction = Reduction(
                    reduced["type"], reduced["input_dim"], reduced["target_dim"], reduced["seed"]
                )
            model.center = None if center is None else np.array(center, dtype=np.float32)
            model.labels = np.frombuffer((folder / f"{NAME}.labels").read_bytes(), dtype=np.float32)
            model.index = indexes.from_bytes((folder / NAME).read_bytes())
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UserError(f"{folder} holds no k-NN model: {error}") from error
        if model.index.ntotal != len(model.labels) or not 0 < model.k <= len(model.labels):
            raise UserError(
                f"{folder}: an index of {model.index.ntotal} rows, {len(model.labels)} labels and k = {model.k} do not "
                "fit together"
            )
        return model
