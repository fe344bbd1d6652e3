"""Training LightGBM.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm.html
"""

from __future__ import annotations

import functools

from clary_runtimes.algorithms.first_party import check_one_host
from clary_runtimes.algorithms.jumpstart import channels, numbers
from clary_runtimes.algorithms.jumpstart.problem import announcement
from clary_runtimes.algorithms.lightgbm.estimator import LightGBM
from clary_runtimes.algorithms.lightgbm.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.lightgbm.metrics import KINDS
from clary_runtimes.contract.training import TrainingInput

say = functools.partial(print, flush=True)


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model.pkl`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    given = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "LightGBM")
    kind = KINDS.get(given["metric"])
    tables = numbers.read(channels.parts(job), kind)
    say(announcement(tables.problem, "a metric", kind is not None))
    model = LightGBM(tables.problem, tables.categorical)
    model.fit(tables.train, tables.validation, given, say)
    model.save(job.folders.model)
