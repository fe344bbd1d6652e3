"""``python -m clary_runtimes.train``: what an image's ``train`` command runs.

Environment: ``CLARY_RUNTIME`` (a built-in algorithm such as ``xgboost``, or a framework such as ``sklearn``) and
``CLARY_ML_ROOT`` (``/opt/ml``).
"""

from __future__ import annotations

import os
import sys
import traceback

from clary_runtimes.algorithms import registry
from clary_runtimes.contract.errors import ALGORITHM_FAILED, SUCCESS, USER_ERROR, UserError, write_failure
from clary_runtimes.contract.folders import folders
from clary_runtimes.contract.leaving import leave
from clary_runtimes.contract.training import TrainingInput, read_training_input

SCRIPT = "sagemaker_program"
"""What makes an image that is both an algorithm and a framework run the user's script."""


def main() -> int:
    """Run the training job of this container; returns its exit status and leaves the reason of a failure."""
    where = folders()
    try:
        return _run(read_training_input(where))
    except UserError as error:
        print(f"Customer Error: {error}", file=sys.stderr, flush=True)
        write_failure(where.failure, f"ClientError: {error}")
        return USER_ERROR
    except Exception as error:  # noqa: BLE001 - whatever it was, the job must say why it failed
        traceback.print_exc()
        write_failure(where.failure, f"{type(error).__name__}: {error}")
        return ALGORITHM_FAILED


def _run(job: TrainingInput) -> int:
    runtime = os.environ.get("CLARY_RUNTIME", "")
    algorithm = registry.find(runtime)
    if algorithm is None or SCRIPT in job.hyperparameters or SCRIPT.upper() in os.environ:
        from clary_runtimes.frameworks.script import run_script

        return run_script(job)
    algorithm.train(job)
    return SUCCESS


if __name__ == "__main__":
    leave(main())
