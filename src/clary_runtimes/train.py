"""``python -m clary_runtimes.train``: what an image's ``train`` command runs.

Environment: ``CLARY_RUNTIME`` (``xgboost``, ``linear-learner`` or ``sklearn``), ``CLARY_ML_ROOT`` (``/opt/ml``).
"""

from __future__ import annotations

import os
import sys
import traceback

from clary_runtimes.contract.errors import ALGORITHM_FAILED, SUCCESS, USER_ERROR, UserError, write_failure
from clary_runtimes.contract.folders import folders
from clary_runtimes.contract.training import TrainingInput, read_training_input


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
    scripted = "sagemaker_program" in job.hyperparameters or "SAGEMAKER_PROGRAM" in os.environ
    if runtime == "sklearn" or (runtime == "xgboost" and scripted):
        from clary_runtimes.frameworks.script import run_script

        return run_script(job)
    if runtime == "xgboost":
        from clary_runtimes.algorithms.xgboost.hyperparameters import SPECIFICATION

        SPECIFICATION.parse(job.hyperparameters)  # refuses before the library is imported, which takes seconds
        from clary_runtimes.algorithms.xgboost.train import train as train_xgboost

        train_xgboost(job)
    elif runtime == "linear-learner":
        from clary_runtimes.algorithms.linear_learner.train import train as train_linear_learner

        train_linear_learner(job)
    else:
        raise RuntimeError(f"CLARY_RUNTIME is {runtime!r}; it must be xgboost, linear-learner or sklearn")
    return SUCCESS


if __name__ == "__main__":
    sys.exit(main())
