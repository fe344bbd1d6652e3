"""Channels of the XGBoost algorithm as the library's matrices."""

from __future__ import annotations

from typing import Any

import xgboost

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.table import NoDataError, Table, read_channel
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

SUPPORTED = (
    "csv", "libsvm", "parquet", "recordio-protobuf", content_types.CSV, content_types.LIBSVM, "text/x-libsvm",
    content_types.PARQUET, content_types.RECORDIO,
)  # fmt: skip


def format_of(content_type: str | None) -> str:
    """The format that a content type means: ``text/csv``, ``text/libsvm`` (also the default), Parquet or RecordIO.

    Raises ``UserError`` in the container's words for any other.
    """
    if content_type is None:
        return content_types.LIBSVM
    if content_types.split(content_type)[0] not in SUPPORTED:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(SUPPORTED)}.")
    media = content_types.media_type(content_type)
    if media == content_types.CSV and content_types.split(content_type)[1].get("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return media


def read_rows(channel: Channel, csv_weights: bool) -> Table:
    """The rows of a channel; ``csv_weights`` takes the second column of CSV as instance weights.

    Raises ``UserError`` naming the file for data that cannot be read.
    """
    media = format_of(channel.content_type)
    try:
        return read_channel(channel, media, weights=csv_weights and media == content_types.CSV)
    except NoDataError:
        raise
    except UserError as error:
        short = {content_types.CSV: "csv", content_types.LIBSVM: "libsvm"}.get(media, media)
        raise UserError(f"Failed to load {short} data with exception:\n{error}") from error


def matrix(table: Table) -> Any:
    """The library's matrix of ``table``."""
    return xgboost.DMatrix(table.features, label=table.labels, weight=table.weights, qid=table.groups)
