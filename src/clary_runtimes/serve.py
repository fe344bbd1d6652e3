"""``python -m clary_runtimes.serve``: what an image's ``serve`` command runs.

Environment: ``CLARY_RUNTIME`` (``xgboost``, ``linear-learner`` or ``sklearn``), ``CLARY_ML_ROOT`` (``/opt/ml``),
``CLARY_SERVE_SOCKET`` or ``SAGEMAKER_BIND_TO_PORT``, and the variables of the official containers.
"""

from __future__ import annotations

import os
import sys

from clary_runtimes.contract.folders import Folders, folders
from clary_runtimes.serving.request import Handler
from clary_runtimes.serving.server import serve


def handler(runtime: str, where: Folders) -> Handler:
    """The code that answers for the model of this container."""
    if runtime == "sklearn" or (runtime == "xgboost" and os.environ.get("SAGEMAKER_PROGRAM")):
        from clary_runtimes.frameworks.handler import ScriptHandler

        return ScriptHandler(where, runtime)
    if runtime == "xgboost":
        from clary_runtimes.algorithms.xgboost.serve import XGBoostHandler

        return XGBoostHandler(where.model)
    if runtime == "linear-learner":
        from clary_runtimes.algorithms.linear_learner.serve import LinearLearnerHandler

        return LinearLearnerHandler(where.model)
    raise RuntimeError(f"CLARY_RUNTIME is {runtime!r}; it must be xgboost, linear-learner or sklearn")


def main() -> int:
    """Serve the model of this container until told to stop; returns the exit status."""
    return serve(lambda: handler(os.environ.get("CLARY_RUNTIME", ""), folders()))


if __name__ == "__main__":
    sys.exit(main())
