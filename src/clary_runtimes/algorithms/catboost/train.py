"""Training CatBoost.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/catboost.html
"""

from __future__ import annotations

import functools

from clary_runtimes.algorithms.catboost.estimator import CatBoost
from clary_runtimes.algorithms.catboost.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.catboost.metrics import KINDS
from clary_runtimes.algorithms.first_party import check_one_host
from clary_runtimes.algorithms.jumpstart import channels, numbers
from clary_runtimes.algorithms.jumpstart.problem import announcement
from clary_runtimes.contract.training import TrainingInput

say = functools.partial(print, flush=True)


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave ``model`` in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    given = SPECIFICATION.parse(job.hyperparameters)
    check_one_host(job, "CatBoost")
    kind = KINDS.get(given["eval_metric"])
    tables = numbers.read(channels.parts(job), kind)
    say(announcement(tables.problem, "an eval_metric", kind is not None))
    model = CatBoost()
    model.fit(tables.problem, tables.train, tables.validation, tables.categorical, given, say)
    model.save(job.folders.model)
