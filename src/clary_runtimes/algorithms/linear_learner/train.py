"""Training the Linear Learner: read, scale, train the candidates, choose the best, set its threshold.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html
"""

from __future__ import annotations

from collections.abc import Mapping

from clary_runtimes.algorithms.first_party import check_one_host, report, say
from clary_runtimes.algorithms.linear_learner.data import read_rows
from clary_runtimes.algorithms.linear_learner.estimator import LinearLearner
from clary_runtimes.algorithms.linear_learner.scores import LOSS_NAMES
from clary_runtimes.algorithms.linear_learner.source import read_source
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import TrainingInput


def train(job: TrainingInput) -> None:
    """Train as ``job`` says and leave the artifact of the best model in the model folder.

    Raises ``UserError`` for hyperparameters, channels and data that cannot be used.
    """
    learner = LinearLearner(**job.hyperparameters)
    check_one_host(job, "Linear Learner")
    host = job.resources.current_host
    train_channel = job.channel("train")
    assert train_channel is not None
    source = read_source(train_channel, learner.hyperparameters)
    others = {}
    for name in ("validation", "test"):
        channel = job.channel(name, required=False)
        if channel is not None:
            others[name] = read_rows(channel, learner.hyperparameters)
            if others[name].features.shape[1] != source.width:
                raise UserError(
                    f"Channel '{name}' has {others[name].features.shape[1]} features where channel 'train' has "
                    f"{source.width}"
                )
    learner.fit_source(source, others.get("validation"), say=say, host=host)
    if source.spool is not None:
        say(f"The metrics of channel 'train' are those of {len(source.scaled)} of its {source.total} rows.")
    for name, part in {"train": source.sample, **others}.items():
        _report(host, name, learner.score(part.features, part.labels))
    if "test" not in others:
        say("Test data is not provided.")
    learner.save(job.folders.model)


def _report(host: str, segment: str, found: Mapping[str, float]) -> None:
    for name, value in found.items():
        report(host, segment, name, value, "loss" if name in LOSS_NAMES or name.endswith("_objective") else "score")
