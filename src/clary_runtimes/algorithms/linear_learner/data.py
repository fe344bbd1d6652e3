"""The Linear Learner's channels: reading, checking and scaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data import content_types, stream
from clary_runtimes.algorithms.data.table import NoDataError, read_channel
from clary_runtimes.algorithms.linear_learner.hyperparameters import BINARY, MULTICLASS, REGRESSOR
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any

SUPPORTED = (content_types.RECORDIO, content_types.CSV)


class Rows(NamedTuple):
    """Features (rows, columns) and labels (rows,)."""

    features: Array
    labels: Array


class Scaler(NamedTuple):
    """What training subtracts and divides by; 0 and 1 where nothing is normalised."""

    mean: Array
    deviation: Array
    label_mean: float
    label_deviation: float

    def features(self, rows: Rows) -> Array:
        """The features as training sees them, float32."""
        scaled = np.empty(rows.features.shape, dtype=np.float32)
        for start in range(0, len(scaled), 8192):  # the double-precision copy stays small
            part = slice(start, start + 8192)
            scaled[part] = (rows.features[part] - self.mean) / self.deviation
        return scaled

    def unfold(self, weights: Array, bias: Array) -> tuple[Array, Array]:
        """Weights (outputs, features) and bias (outputs,) for raw features and labels, from those for scaled ones."""
        raw = weights.astype(np.float64) / self.deviation
        return raw * self.label_deviation, (bias - raw @ self.mean) * self.label_deviation + self.label_mean


def media_of(channel: Channel) -> str:
    """The media type of ``channel``. Raises ``UserError`` for one that is not supported."""
    content_type = channel.content_type or content_types.RECORDIO
    media = content_types.media_type(content_type)
    if media not in SUPPORTED:
        raise UserError(
            f"Content type {content_type} is not supported for channel '{channel.name}': use {' or '.join(SUPPORTED)}"
        )
    if media == content_types.CSV and content_types.split(content_type)[1].get("label_size", "1") != "1":
        raise UserError(f"Channel '{channel.name}': label_size must be 1 in {content_type}")
    return media


def open_rows(channel: Channel) -> stream.Rows:
    """The rows of ``channel`` as a stream."""
    # In double precision: a column of timestamps would lose what distinguishes its values before it is scaled.
    return stream.rows(channel, media_of(channel), dense=True, dtype=np.float64)


def explained(error: UserError, channel: Channel) -> UserError:
    """``error`` in the words of the container."""
    return UserError(
        f"Unable to read data channel '{channel.name}'. Requested content-type is "
        f"'{channel.content_type or content_types.RECORDIO}'. "
        f"Please verify the data matches the requested content-type. ({error})"
    )


def read_rows(channel: Channel, hyperparameters: Mapping[str, Any]) -> Rows:
    """The rows of ``channel``, checked against the hyperparameters; raises ``UserError`` naming what is wrong where."""
    media = media_of(channel)
    try:
        table = read_channel(channel, media, missing=False)
    except NoDataError:
        raise
    except UserError as error:
        raise explained(error, channel) from error
    rows = Rows(table.features, table.labels)
    check_rows(rows, place(channel), hyperparameters, learnt_from=channel.name == "train")
    return rows


def place(channel: Channel) -> str:
    """What messages about the rows of ``channel`` begin with."""
    return f"Channel '{channel.name}'"


def check_rows(rows: Rows, where: str, hyperparameters: Mapping[str, Any], learnt_from: bool = False) -> None:
    """All of the checks below. Raises ``UserError``."""
    check_labels(rows.labels, where, hyperparameters)
    if learnt_from:
        check_classes(np.unique(rows.labels), where, hyperparameters)
    check_width(rows.features.shape[1], where, hyperparameters)


def check_width(width: int, where: str, hyperparameters: Mapping[str, Any]) -> None:
    """Raise ``UserError`` if ``feature_dim`` says otherwise; ``where`` is what the message begins with."""
    wanted = hyperparameters["feature_dim"]
    if wanted not in ("auto", width):
        raise UserError(f"{where} has {width} features where hyperparameter feature_dim is {wanted}")


def check_labels(labels: Array, where: str, hyperparameters: Mapping[str, Any], before: int = 0) -> None:
    """Raise ``UserError`` for labels that no class has; ``before`` rows of them were looked at already."""
    predictor = hyperparameters["predictor_type"]
    if predictor == REGRESSOR:
        return
    classes = 2 if predictor == BINARY else hyperparameters["num_classes"]
    bad = np.flatnonzero((labels != np.floor(labels)) | (labels < 0) | (labels >= classes))
    if len(bad):
        allowed = "0 or 1" if predictor == BINARY else f"integers from 0 to num_classes - 1 ({classes - 1})"
        raise UserError(
            f"{where}: row {before + bad[0] + 1} has label {labels[bad[0]]:g}; the labels of a {predictor} must be "
            f"{allowed}"
        )


def check_classes(labels: Array, where: str, hyperparameters: Mapping[str, Any]) -> None:
    """Raise ``UserError`` if a classifier has rows of one class only to learn from; ``labels`` are those that occur."""
    if hyperparameters["predictor_type"] != REGRESSOR and len(labels) < 2:
        raise UserError(f"{where} has only label {labels[0]:g}; a classifier needs rows of at least two classes")


def scaler(rows: Rows, hyperparameters: Mapping[str, Any]) -> Scaler:
    """Means and deviations over the first ``num_point_for_scaler`` rows, as far as the hyperparameters ask for them."""
    sample = rows.features[: hyperparameters["num_point_for_scaler"]].astype(np.float64)
    labels = rows.labels[: hyperparameters["num_point_for_scaler"]].astype(np.float64)
    scale = hyperparameters["normalize_data"] in (True, "auto")
    wanted = hyperparameters["unbias_data"]
    shift = scale and hyperparameters["use_bias"] if wanted == "auto" else wanted and hyperparameters["use_bias"]
    width = sample.shape[1]
    deviation = sample.std(axis=0) if scale else np.ones(width)
    regression = hyperparameters["predictor_type"] == REGRESSOR
    label_scale = regression and hyperparameters["normalize_label"] in (True, "auto")
    wanted = hyperparameters["unbias_label"]
    label_shift = regression and hyperparameters["use_bias"] and (label_scale if wanted == "auto" else wanted)
    spread = float(labels.std()) if label_scale else 1.0
    return Scaler(
        sample.mean(axis=0) if shift else np.zeros(width),
        np.where(deviation > 0, deviation, 1.0),
        float(labels.mean()) if label_shift else 0.0,
        spread or 1.0,
    )


def targets(rows: Rows, scale: Scaler, hyperparameters: Mapping[str, Any]) -> Array:
    """What the losses compare raw outputs with: (rows, 1) or, for several classes, one-hot (rows, classes, 1)."""
    if hyperparameters["predictor_type"] == MULTICLASS:
        return np.eye(hyperparameters["num_classes"], dtype=np.float32)[rows.labels.astype(np.int64)][:, :, None]
    return ((rows.labels - scale.label_mean) / scale.label_deviation).astype(np.float32)[:, None]
