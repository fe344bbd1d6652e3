"""The rows of a request to a model of XGBoost, whoever serves it."""

from __future__ import annotations

from typing import Any

from clary_runtimes.algorithms.data import content_types, recordio
from clary_runtimes.algorithms.data.delimited import parse_rows
from clary_runtimes.algorithms.data.libsvm import parse_libsvm
from clary_runtimes.algorithms.xgboost.data import format_of
from clary_runtimes.contract.errors import UserError
from clary_runtimes.serving.request import RequestError

Array = Any


def decode_rows(body: bytes, content_type: str | None) -> tuple[Array, str]:
    """The rows of a request and their format; raises ``RequestError`` 415 with the container's messages."""
    try:
        media = format_of(content_type)
    except UserError as error:
        raise RequestError(415, str(error)) from error
    readers = {content_types.CSV: "csv", content_types.LIBSVM: "libsvm", content_types.RECORDIO: "recordio-protobuf"}
    if media not in readers:
        raise RequestError(415, f"Content-type {content_type} is not supported.")
    try:
        if media == content_types.CSV:
            return parse_rows(body), media
        if media == content_types.LIBSVM:
            return parse_libsvm(body, labels=False)[0], media
        return recordio.read_table(body)[0], media
    except ValueError as error:  # UnicodeDecodeError, LibsvmError and RecordIOError are ones
        raise RequestError(
            415,
            f"Loading {readers[media]} data failed with Exception, please ensure data is in {readers[media]} format:\n"
            f" {type(error)}\n {error}",
        ) from error
