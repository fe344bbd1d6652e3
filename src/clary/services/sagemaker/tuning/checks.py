"""What ``CreateHyperParameterTuningJob`` refuses beyond the shapes of its members.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.core.errors import ResourceLimitExceeded, ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.training.api import SCRIPT, check_training_job, find_algorithm
from clary.services.sagemaker.tuning.definitions import CONFIG, Definition, definitions
from clary.services.sagemaker.tuning.ranges import CategoricalRange, Range, combinations, texts
from clary.state.transaction import Transaction
from clary_runtimes.algorithms.specification import Continuous, Integer

MOST_JOBS = 750
"""Training jobs that one tuning job may launch, those of its parents included."""
MOST_PARALLEL = 100
MOST_RESOURCE = 20_000
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""The static hyperparameters from which Hyperband's ``MaxResource`` is read where it is not given."""
_LONGEST_NAME = 32


def check_members(params: Mapping[str, Any]) -> None:
    """Refuse a request whose definitions, objectives and ranges do not stand where they belong, so that what else there
    is to be checked can be found. Raises ``ValidationException``."""
    config = params[CONFIG]
    if ("TrainingJobDefinition" in params) == ("TrainingJobDefinitions" in params):
        raise ValidationException(
            "You must specify either TrainingJobDefinition or TrainingJobDefinitions, and not both."
        )
    if "TrainingJobDefinition" in params:
        if "HyperParameterTuningJobObjective" not in config:
            raise ValidationException("HyperParameterTuningJobObjective is required with TrainingJobDefinition.")
        given = [params["TrainingJobDefinition"]]
        _refuse(given[0], ("TuningObjective", "HyperParameterRanges"), "TrainingJobDefinition", CONFIG)
    else:
        given = params["TrainingJobDefinitions"]
        _refuse(config, ("HyperParameterTuningJobObjective", "ParameterRanges"), CONFIG, "each TrainingJobDefinition")
        _check_several(params, given)
    for each in given:
        if ("ResourceConfig" in each) == ("HyperParameterTuningResourceConfig" in each):
            raise ValidationException(
                "You must specify either ResourceConfig or HyperParameterTuningResourceConfig, and not both."
            )
        algorithm = each["AlgorithmSpecification"]
        if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
            raise ValidationException("You must specify either TrainingImage or AlgorithmName, and not both.")


def _refuse(given: Mapping[str, Any], members: Sequence[str], where: str, belongs: str) -> None:
    for member in members:
        if member in given:
            raise ValidationException(f"{member} cannot be specified in {where}; it belongs into {belongs}.")


def _check_several(params: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> None:
    for each in given:
        for member in ("DefinitionName", "TuningObjective"):
            if member not in each:
                raise ValidationException(f"{member} is required in each of the TrainingJobDefinitions.")
    names = [each["DefinitionName"] for each in given]
    if len(set(names)) != len(names):
        raise ValidationException(f"The names of the TrainingJobDefinitions must be unique: {', '.join(sorted(names))}")
    if len({each["TuningObjective"]["Type"] for each in given}) > 1:
        raise ValidationException("The TuningObjective of all TrainingJobDefinitions must be of the same type.")
    if len(given) > 1 and "WarmStartConfig" in params:
        raise ValidationException("Warm start is only available for tuning jobs with one training job definition.")
    if len(given) > 1 and params[CONFIG].get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValidationException("Early stopping is only available for tuning jobs with one training job definition.")


def check_search(params: dict[str, Any]) -> None:
    """Refuse a strategy that cannot search these ranges, and limits that cannot be kept; add the defaults.

    Raises ``ValidationException`` and ``ResourceLimitExceeded``.
    """
    config = params[CONFIG]
    every = definitions(params)
    strategy, limits = config["Strategy"], config["ResourceLimits"]
    for each in every:
        if not each.ranges:
            raise ValidationException("At least one hyperparameter range is required.")
        if both := sorted({one.name for one in each.ranges} & set(each.static)):
            raise ValidationException(f"Hyperparameters cannot be both static and tunable: {', '.join(both)}")
        if strategy == "Grid" and (numbers := [r.name for r in each.ranges if not isinstance(r, CategoricalRange)]):
            raise ValidationException(
                "The Grid strategy supports only categorical hyperparameter ranges, and these are not: "
                f"{', '.join(numbers)}"
            )
    config.setdefault("TrainingJobEarlyStoppingType", "Off")
    if strategy == "Hyperband":
        _check_hyperband(config, every)
    elif "StrategyConfig" in config:
        raise ValidationException(
            f"StrategyConfig can only be specified for Hyperband, and the strategy is {strategy}."
        )
    _check_limits(strategy, limits, sum(combinations(each.ranges) for each in every))


def _check_hyperband(config: dict[str, Any], every: Sequence[Definition]) -> None:
    if config["TrainingJobEarlyStoppingType"] != "Off":
        raise ValidationException("TrainingJobEarlyStoppingType must be Off to use the Hyperband strategy.")
    for each in every:
        least, most = resources_of(config, each)
        if not least <= most <= MOST_RESOURCE:
            raise ValidationException(
                f"HyperbandStrategyConfig is invalid: MinResource {least} and MaxResource {most} must be in ascending "
                f"order and at most {MOST_RESOURCE}."
            )


def resources_of(config: Mapping[str, Any], definition: Definition) -> tuple[int, int]:
    """``MinResource`` and ``MaxResource`` of Hyperband: how many values of the objective a job reports at least and at
    most. Raises ``ValidationException`` if the second cannot be told."""
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    most = given.get("MaxResource")
    if most is None:
        found = [definition.static[name] for name in _EPOCHS if name in definition.static]
        most = int(found[0].strip('"')) if found and found[0].strip('"').isdigit() else None
    if not most:
        raise ValidationException(
            "MaxResource of HyperbandStrategyConfig is required, since it cannot be inferred from the static "
            f"hyperparameters: none of {', '.join(_EPOCHS)} is a number there."
        )
    return given.get("MinResource", 1), most


def _check_limits(strategy: str, limits: dict[str, Any], different: float) -> None:
    wanted = limits.get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        if wanted is not None and wanted != different:
            raise ValidationException(
                f"With the Grid strategy MaxNumberOfTrainingJobs, {wanted}, must be the number of combinations of the "
                f"hyperparameter values, {different:g}, or be left out."
            )
        wanted = limits["MaxNumberOfTrainingJobs"] = int(different)
    elif wanted is not None and wanted > different:
        raise ValidationException(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(different)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{wanted}]. Provide additional ranges."
        )
    for what, number, most in (
        ("training jobs per hyperparameter tuning job", wanted or 0, MOST_JOBS),
        ("parallel training jobs per hyperparameter tuning job", limits["MaxParallelTrainingJobs"], MOST_PARALLEL),
    ):
        if number > most:
            raise ResourceLimitExceeded(
                f"The account-level service limit 'Number of {what}' is {most}, with a request of {number}."
            )


def job_limit(config: Mapping[str, Any], every: Sequence[Definition]) -> int:
    """How many training jobs a tuning job launches at most."""
    different = sum(combinations(each.ranges) for each in every)
    return int(config["ResourceLimits"].get("MaxNumberOfTrainingJobs") or min(MOST_JOBS, different))


def check_training(context: Context, transaction: Transaction, definition: Definition) -> None:
    """Refuse a definition whose training jobs would be refused, and an objective that they do not report.

    Raises ``ValidationException`` and what ``CreateTrainingJob`` raises.
    """
    role = definition.given["RoleArn"]
    if not context.passed and SAGEMAKER.principal:
        context.platform.identity.check_pass_role(context.caller, role, SAGEMAKER.principal, told=context.told)
    middle = [float(each.categories // 2) if each.categories else 0.5 for each in definition.ranges]
    request = definition.training_job("x" * _LONGEST_NAME, texts(definition.ranges, middle))
    if SCRIPT not in definition.static:
        _check_tunable(request["AlgorithmSpecification"].get("TrainingImage", ""), definition.ranges)
    check_training_job(context, transaction, request)
    metrics = request["AlgorithmSpecification"].get("MetricDefinitions", [])
    if definition.metric not in {each["Name"] for each in metrics}:
        raise ValidationException(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            f"definitions. The objective is {definition.metric}, and the metric definitions are: "
            f"{', '.join(each['Name'] for each in metrics) or 'none'}."
        )
    # Those of a built-in algorithm are shown, too.
    definition.given["AlgorithmSpecification"]["MetricDefinitions"] = metrics


def _check_tunable(image: str, ranges: Sequence[Range]) -> None:
    """Refuse ranges of a built-in algorithm that it does not let tune, or whose ends it does not take."""
    algorithm = find_algorithm(image)
    if algorithm is None:
        return
    specification = algorithm.specification
    for each in ranges:
        parameter = specification.parameters.get(specification.aliases.get(each.name, each.name))
        if parameter is None:
            continue  # said of all unknown ones at once, when the training job is checked
        if not parameter.tunable:
            raise ValidationException(f"The hyperparameter {each.name} of the algorithm is not tunable.")
        ends = range(each.categories) if each.categories else (0, 1)
        if not isinstance(parameter, Integer | Continuous) and not each.categories:
            raise ValidationException(f"The hyperparameter {each.name} must be {parameter.expectation}.")
        for text in (each.text(end) for end in ends):
            try:
                allowed = text in parameter.words or parameter.allows(parameter.parse(text))
            except ValueError:
                allowed = False
            if not allowed:
                raise ValidationException(
                    f"The range of the hyperparameter {each.name} is invalid: {text} is not {parameter.expectation}."
                )
