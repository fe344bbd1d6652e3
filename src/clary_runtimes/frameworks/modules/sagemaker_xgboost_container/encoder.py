"""Reading requests in the formats of the XGBoost algorithm, for scripts that serve."""

from __future__ import annotations

import json
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.xgboost.payload import decode_rows


def decode(obj: str | bytes, content_type: str) -> Any:
    """The ``xgboost.DMatrix`` of a request: CSV, libsvm or RecordIO-protobuf.

    Raises ``RequestError`` for another content type, and for data that cannot be read.
    """
    import xgboost

    rows, _ = decode_rows(obj.encode("utf-8") if isinstance(obj, str) else bytes(obj), content_type)
    return xgboost.DMatrix(rows)


def csv_to_dmatrix(input: str | bytes, dtype: Any = None) -> Any:
    """The ``xgboost.DMatrix`` of rows without a label; ``dtype`` is there for who names it: the values are 32-bit
    floats."""
    return decode(input, content_types.CSV)


def libsvm_to_dmatrix(string_like: str | bytes) -> Any:
    """The ``xgboost.DMatrix`` of rows in libsvm format."""
    return decode(string_like, content_types.LIBSVM)


def recordio_protobuf_to_dmatrix(string_like: bytes) -> Any:
    """The ``xgboost.DMatrix`` of records."""
    return decode(string_like, content_types.RECORDIO)


def json_to_jsonlines(json_data: str | bytes | dict[str, Any]) -> bytes:
    """The items of a JSON object's only list, a line each. Raises ``ValueError`` for another JSON."""
    document = json_data if isinstance(json_data, dict) else json.loads(json_data)
    if len(document) != 1:
        raise ValueError("JSON response is not compatible for conversion to jsonlines.")
    [items] = document.values()
    return "".join(json.dumps(item) + "\n" for item in items).encode("utf-8")
