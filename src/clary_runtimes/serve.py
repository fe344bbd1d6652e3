"""``python -m clary_runtimes.serve``: what an image's ``serve`` command runs.

Environment: ``CLARY_RUNTIME`` (a built-in algorithm such as ``xgboost``, or a framework such as ``sklearn``),
``CLARY_ML_ROOT`` (``/opt/ml``),
``CLARY_SERVE_SOCKET`` or ``SAGEMAKER_BIND_TO_PORT``, and the variables of the official containers.
"""

from __future__ import annotations

import os
import sys

from clary_runtimes.algorithms import registry
from clary_runtimes.contract.folders import Folders, folders
from clary_runtimes.serving.request import Handler
from clary_runtimes.serving.server import serve


def handler(runtime: str, where: Folders) -> Handler:
    """The code that answers for the model of this container."""
    algorithm = registry.find(runtime)
    if runtime == "tensorflow":
        from clary_runtimes.frameworks.tensorflow_serving.handler import ServingHandler

        return ServingHandler(where)
    if algorithm is None or os.environ.get("SAGEMAKER_PROGRAM"):
        from clary_runtimes.frameworks.handler import ScriptHandler

        return ScriptHandler(where, runtime)
    return algorithm.handler(where.model)


def main() -> int:
    """Serve the model of this container until told to stop; returns the exit status."""
    return serve(lambda: handler(os.environ.get("CLARY_RUNTIME", ""), folders()))


if __name__ == "__main__":
    sys.exit(main())
