"""Models that older releases of the official container have pickled.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html#xgboost-modes
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import xgboost


class _State:
    """What a pickled booster consists of, without making one of it."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _State if (module, name) == ("xgboost.core", "Booster") else super().find_class(module, name)


def unpickled(data: bytes) -> Any:
    """The booster of a pickle. It runs what the pickle says, so it is as trusted as its owner's code.

    Raises ``pickle.UnpicklingError`` if it is none, and ``xgboost.core.XGBoostError`` for a model that this release of
    the library cannot read.
    """
    try:
        return pickle.loads(data, encoding="latin1")
    except xgboost.core.XGBoostError:
        # Before 1.0 the library pickled what it saves, which is no longer what it unpickles.
        found = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        model = xgboost.Booster()
        model.load_model(bytearray(found.state["handle"]))
        return model
    except (ValueError, EOFError, LookupError, ImportError, AttributeError, TypeError) as error:
        raise pickle.UnpicklingError(f"this is no pickled model: {error}") from error
