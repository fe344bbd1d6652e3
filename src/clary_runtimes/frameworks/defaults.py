"""What the images of the frameworks do for functions that a script does not have.

References: https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html#serve-a-pytorch-model,
https://huggingface.co/docs/sagemaker/inference and, for scikit-learn and XGBoost, the pages beside the first
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clary_runtimes.frameworks import encoding


@dataclass(frozen=True)
class Defaults:
    """The four functions of a framework; ``read`` gets the body as bytes."""

    read: Callable[[bytes, str], Any] = encoding.decode
    predict: Callable[[Any, Any], Any] = lambda data, model: model.predict(data)
    write: Callable[[Any, str], Any] = encoding.encode
    load: Callable[[str], Any] | None = None
    """Of the model's folder; None where a script must say how its model is loaded."""


def defaults(framework: str) -> Defaults:
    """Those of the framework ``CLARY_RUNTIME``."""
    if framework == "pytorch":
        from clary_runtimes.frameworks import pytorch

        return Defaults(pytorch.read, pytorch.predict, pytorch.write, pytorch.load)
    if framework == "huggingface":
        from clary_runtimes.frameworks import huggingface

        return Defaults(huggingface.read, huggingface.predict, huggingface.write, huggingface.load)
    if framework == "xgboost":
        return Defaults(_read_matrix, lambda data, model: model.predict(data, validate_features=False))
    return Defaults()


def _read_matrix(body: bytes, content_type: str) -> Any:
    import xgboost

    from clary_runtimes.algorithms.xgboost.payload import decode_rows

    return xgboost.DMatrix(decode_rows(body, content_type)[0])
