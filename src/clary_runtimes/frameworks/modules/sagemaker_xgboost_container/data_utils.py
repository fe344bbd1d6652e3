"""Reading channels in the formats of the XGBoost algorithm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clary_runtimes.algorithms.data.table import NoDataError, read_channel
from clary_runtimes.algorithms.xgboost.data import format_of, matrix
from clary_runtimes.contract.training import Channel


def get_dmatrix(data_path: str, content_type: str, csv_weights: int = 0, is_pipe: bool = False) -> Any:
    """The ``xgboost.DMatrix`` of a file or of all files of a folder; None if there is no row.

    ``content_type`` is one that the algorithm takes (``libsvm``, ``text/csv``, ``parquet``, ``recordio-protobuf`` …);
    with ``csv_weights`` 1 the second column of CSV is the weight of the row; with ``is_pipe`` the next epoch of the
    FIFO ``<data_path>_0``, ``_1`` … is read. Raises ``UserError`` for data that cannot be read.
    """
    path = Path(data_path)
    mode = "Pipe" if is_pipe else "File"
    channel = Channel(path.name, path, content_type, mode, "FullyReplicated", "None")
    try:
        return matrix(read_channel(channel, format_of(content_type), weights=bool(csv_weights)))
    except NoDataError:
        return None
