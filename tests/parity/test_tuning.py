"""Automatic model tuning: real training jobs, searched in every documented way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import LINEAR_LEARNER, SKLEARN, XGBOOST, Lab, channel, eventually, labelled_rows

pytestmark = pytest.mark.slow("training")

HILL = """
    import argparse, time

    parser = argparse.ArgumentParser()
    parser.add_argument("-x", type=float)
    parser.add_argument("--kind", default="plain")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0)
    given, _ = parser.parse_known_args()
    top = 1 - (given.x - 0.3) ** 2 + (given.kind == "good")
    for epoch in range(given.epochs):
        print(f"score={top * (epoch + 1) / given.epochs:.6f};", flush=True)
        time.sleep(given.pause)
    """
SCORE = [{"Name": "score", "Regex": "score=(.*?);"}]
MAXIMIZE = {"Type": "Maximize", "MetricName": "score"}
X = {"Name": "x", "MinValue": "0", "MaxValue": "1"}
KIND = {"Name": "kind", "Values": ['"plain"', '"good"']}


def definition(lab: Lab, script: str = HILL, **static: Any) -> dict[str, Any]:
    """The training jobs of a script, as the SDK's framework estimators ask for them."""
    hyperparameters = {
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(lab.script(script)),
        **{name: json.dumps(value) for name, value in static.items()},
    }
    return {
        "StaticHyperParameters": hyperparameters,
        "AlgorithmSpecification": {
            "TrainingImage": SKLEARN,
            "TrainingInputMode": "File",
            "MetricDefinitions": SCORE,
        },
        "RoleArn": lab.role,
        "OutputDataConfig": {"S3OutputPath": "s3://parity/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 5,
            "KeepAlivePeriodInSeconds": 60,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def config(strategy: str, jobs: int | None, parallel: int = 2, **changes: Any) -> dict[str, Any]:
    limits = {"MaxParallelTrainingJobs": parallel} | ({} if jobs is None else {"MaxNumberOfTrainingJobs": jobs})
    return {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": MAXIMIZE,
        "ResourceLimits": limits,
        "ParameterRanges": {"ContinuousParameterRanges": [X]},
        "RandomSeed": 7,
        **changes,
    }


def tune(lab: Lab, name: str, config: dict[str, Any], training: dict[str, Any] | None, **more: Any) -> None:
    request: dict[str, Any] = {"HyperParameterTuningJobName": name, "HyperParameterTuningJobConfig": config, **more}
    if training is not None:
        request["TrainingJobDefinition"] = training
    lab.sagemaker.create_hyper_parameter_tuning_job(**request)


def ended(lab: Lab, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = lab.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return None if job["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping") else job

    return dict(eventually(look, f"{name} has ended"))


def completed(lab: Lab, name: str) -> dict[str, Any]:
    job = ended(lab, name)
    why = [(each.get("FailureReason"), lab.log_of(each["TrainingJobName"])) for each in trials(lab, name)]
    assert job["HyperParameterTuningJobStatus"] == "Completed", (job.get("FailureReason"), why)
    return job


def trials(lab: Lab, name: str, **arguments: Any) -> list[dict[str, Any]]:
    pages = lab.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, **arguments
    )
    return [each for page in pages for each in page["TrainingJobSummaries"]]


def value(trial: dict[str, Any]) -> float:
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def test_bayesian_search_climbs_a_hill(lab: Lab) -> None:
    ranges = {"ContinuousParameterRanges": [X], "CategoricalParameterRanges": [KIND]}
    tune(
        lab,
        "hill",
        config("Bayesian", 12, ParameterRanges=ranges),
        definition(lab),
        Tags=[{"Key": "team", "Value": "a"}],
    )
    job = completed(lab, "hill")
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 12, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0
    }  # fmt: skip
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 12, "Pending": 0, "Failed": 0}
    assert job["ConsumedResources"]["RuntimeInSeconds"] > 0 and "FailureReason" not in job
    assert job["HyperParameterTuningEndTime"] >= job["CreationTime"]
    assert job["HyperParameterTuningJobConfig"]["ParameterRanges"]["ContinuousParameterRanges"] == [
        X | {"ScalingType": "Auto"}
    ]

    page = lab.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="hill")
    assert len(page["TrainingJobSummaries"]) == 10 and "NextToken" in page
    every = trials(lab, "hill", MaxResults=5)
    assert [each["TrainingJobName"][:9] for each in every] == [f"hill-{number:03d}-" for number in range(1, 13)]
    assert len({tuple(each["TunedHyperParameters"].items()) for each in every}) == 12
    best = job["BestTrainingJob"]
    assert best == trials(lab, "hill", SortBy="FinalObjectiveMetricValue", SortOrder="Descending")[0]
    assert best["TunedHyperParameters"]["kind"] == '"good"' and value(best) > 1.95
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "score"
    assert (best["ObjectiveStatus"], best["TrainingJobStatus"]) == ("Succeeded", "Completed")

    training = lab.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert training["TrainingJobArn"] == best["TrainingJobArn"]
    assert training["HyperParameters"].items() >= best["TunedHyperParameters"].items()
    assert training["HyperParameters"]["_tuning_objective_metric"] == "score"
    assert value(best) == training["FinalMetricDataList"][0]["Value"]
    tags = lab.sagemaker.list_tags(ResourceArn=best["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]
    listed = lab.sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="Completed")[
        "HyperParameterTuningJobSummaries"
    ]
    assert [(each["Strategy"], each["ResourceLimits"]) for each in listed] == [
        ("Bayesian", {"MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 2})
    ]
    assert listed[0]["TrainingJobStatusCounters"]["Completed"] == 12
    wanted = {"Name": "HyperParameterTuningJobConfig.Strategy", "Operator": "Equals", "Value": "Bayesian"}
    results = lab.sagemaker.search(Resource="HyperParameterTuningJob", SearchExpression={"Filters": [wanted]})[
        "Results"
    ]
    assert [each["HyperParameterTuningJob"]["BestTrainingJob"] for each in results] == [best]
    lab.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="hill")
    with pytest.raises(ClientError, match="can't find a tuning job called hill"):
        lab.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="hill")
    lab.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])


def test_a_grid_is_tried_whole(lab: Lab) -> None:
    colours = {"Name": "x", "Values": ["0.1", "0.2", "0.3"]}
    tune(
        lab,
        "grid",
        config("Grid", None, 3, ParameterRanges={"CategoricalParameterRanges": [colours, KIND]}),
        definition(lab),
    )
    job = completed(lab, "grid")
    assert job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 6
    tried = [tuple(each["TunedHyperParameters"].values()) for each in trials(lab, "grid")]
    assert tried == [(x, kind) for x in colours["Values"] for kind in KIND["Values"]]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "0.3", "kind": '"good"'}


def test_random_search_is_repeated_by_its_seed(lab: Lab) -> None:
    for name, parallel in (("first", 1), ("second", 3)):
        tune(lab, name, config("Random", 3, parallel), definition(lab))
        completed(lab, name)
    first, second = ([each["TunedHyperParameters"] for each in trials(lab, name)] for name in ("first", "second"))
    assert first == second and len({each["x"] for each in first}) == 3


def test_jobs_that_do_worse_than_the_median_are_stopped(lab: Lab) -> None:
    # The first four are as good as it gets, and the rest is far away from that.
    script = HILL.replace(
        "top = 1", "import os; top = 1 - 10 * (int(os.environ['TRAINING_JOB_NAME'].split('-')[1]) > 4)"
    )
    changes: dict[str, Any] = {"TrainingJobEarlyStoppingType": "Auto"}
    tune(lab, "early", config("Random", 6, 1, **changes), definition(lab, script, epochs=20, pause=0.1))
    job = completed(lab, "early")
    status = [each["TrainingJobStatus"] for each in trials(lab, "early")]
    assert status == ["Completed"] * 4 + ["Stopped"] * 2
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 6


def test_hyperband_gives_the_time_to_the_better_ones(lab: Lab) -> None:
    changes = {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}}
    tune(lab, "band", config("Hyperband", 9, 3, **changes), definition(lab, epochs=30, pause=0.15))
    job = completed(lab, "band")
    every = trials(lab, "band")
    # None goes on after nine epochs, and of some less than that is seen.
    assert [each["TrainingJobStatus"] for each in every] == ["Stopped"] * 9
    seen = [lab.log_of(each["TrainingJobName"]).count("score=") for each in every]
    assert max(seen) >= 9 and min(seen) < max(seen) < 30
    assert job["BestTrainingJob"]["ObjectiveStatus"] == "Succeeded"


def test_two_algorithms_in_one_search(lab: Lab) -> None:
    lab.put("train/rows.csv", "\n".join(labelled_rows(300)))
    lab.put("validation/rows.csv", "\n".join(labelled_rows(100, seed=1)))
    channels = [channel(name, f"s3://parity/{name}/") for name in ("train", "validation")]

    def built_in(name: str, image: str, metric: str, ranges: dict[str, Any], **static: str) -> dict[str, Any]:
        plain = definition(lab)
        return plain | {
            "DefinitionName": name,
            "TuningObjective": {"Type": "Maximize", "MetricName": metric},
            "HyperParameterRanges": ranges,
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "InputDataConfig": channels,
        }

    trees = {"IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "5"}]}
    lines = {"ContinuousParameterRanges": [{"Name": "wd", "MinValue": "0.0001", "MaxValue": "1"}]}
    tune(
        lab,
        "both",
        {"Strategy": "Bayesian", "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}},
        None,
        TrainingJobDefinitions=[
            built_in(
                "trees", XGBOOST, "validation:auc", trees, objective="binary:logistic", num_round="3", eval_metric="auc"
            ),
            built_in(
                "lines",
                LINEAR_LEARNER,
                "validation:roc_auc_score",
                lines,
                predictor_type="binary_classifier",
                epochs="1",
                mini_batch_size="100",
            ),
        ],
    )
    job = completed(lab, "both")
    every = trials(lab, "both")
    assert sorted(each["TrainingJobDefinitionName"] for each in every) == ["lines", "lines", "trees", "trees"]
    assert job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Type"] == "Maximize"
    assert value(job["BestTrainingJob"]) == max(map(value, every)) > 0.8
    assert "TrainingJobDefinition" not in job and len(job["TrainingJobDefinitions"]) == 2


def test_warm_start_knows_what_its_parents_found(lab: Lab) -> None:
    training = definition(lab)
    tune(lab, "parent", config("Bayesian", 6), training)
    parent = completed(lab, "parent")
    start = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}]}
    narrow = {"ContinuousParameterRanges": [X | {"MinValue": "0.9"}]}
    identical = {"WarmStartType": "IdenticalDataAndAlgorithm", **start}
    tune(lab, "child", config("Bayesian", 1, ParameterRanges=narrow), training, WarmStartConfig=identical)
    child = completed(lab, "child")
    assert child["WarmStartConfig"] == identical
    assert value(child["BestTrainingJob"]) < value(child["OverallBestTrainingJob"])
    assert child["OverallBestTrainingJob"] == parent["BestTrainingJob"]

    other_image = json.loads(json.dumps(training).replace("scikit-learn:1.2-1", "scikit-learn:1.4-2"))
    with pytest.raises(ClientError, match="Use TransferLearning for another version"):
        tune(lab, "wrong", config("Bayesian", 1), other_image, WarmStartConfig=identical)
    transfer = identical | {"WarmStartType": "TransferLearning"}
    other = definition(lab, HILL + "# another version\n")
    with pytest.raises(ClientError, match="number of static plus tunable hyperparameters must remain the same"):
        tune(lab, "wrong", config("Bayesian", 1), definition(lab, epochs=2), WarmStartConfig=transfer)
    tune(lab, "transferred", config("Bayesian", 1), other, WarmStartConfig=transfer)
    found = completed(lab, "transferred")
    assert "OverallBestTrainingJob" not in found
    # One job is enough to come near to where the parent's best was.
    assert value(found["BestTrainingJob"]) > 0.9

    slow = definition(lab, epochs=1000, pause=0.1)
    tune(lab, "running", config("Bayesian", 1), slow)
    running = {**transfer, "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "running"}]}
    with pytest.raises(ClientError, match="running is in status InProgress"):
        tune(lab, "early", config("Bayesian", 1), slow, WarmStartConfig=running)


def test_stop_ends_the_training_jobs_too(lab: Lab) -> None:
    tune(lab, "stopped", config("Random", 9), definition(lab, epochs=1000, pause=0.1))
    eventually(lambda: len(trials(lab, "stopped")) == 2, "two training jobs")
    with pytest.raises(ClientError, match=r"in status InProgress. Stop it first"):
        lab.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")
    lab.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")
    job = ended(lab, "stopped")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert [each["TrainingJobStatus"] for each in trials(lab, "stopped")] == ["Stopped"] * 2
    assert lab.ended(trials(lab, "stopped")[0]["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="in status Stopped"):
        lab.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise SystemExit('no luck')", "No training job succeeded after 5 attempts."),
        ("print('nothing to tell')", "No objective metrics found after running 5 training jobs."),
    ],
)
def test_a_search_that_comes_to_nothing_gives_up(lab: Lab, script: str, reason: str) -> None:
    tune(lab, "vain", config("Random", 50, 1), definition(lab, script))
    job = ended(lab, "vain")
    assert job["HyperParameterTuningJobStatus"] == "Failed" and job["FailureReason"].startswith(reason)
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 5}
    assert "BestTrainingJob" not in job
    assert trials(lab, "vain", SortBy="FinalObjectiveMetricValue") == []


def test_the_target_ends_it(lab: Lab) -> None:
    criteria = {"TargetObjectiveMetricValue": 0.6}
    tune(lab, "target", config("Random", 50, 2, TuningJobCompletionCriteria=criteria), definition(lab))
    job = completed(lab, "target")
    assert len(trials(lab, "target")) < 10 and value(job["BestTrainingJob"]) >= 0.6


def test_one_of_several_instance_types_is_taken(lab: Lab) -> None:
    training = definition(lab)
    del training["ResourceConfig"]
    training["HyperParameterTuningResourceConfig"] = {
        "AllocationStrategy": "Prioritized",
        "InstanceConfigs": [
            {"InstanceType": f"ml.{kind}.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 7} for kind in ("c5", "m5")
        ],
    }
    tune(lab, "flexible", config("Random", 1), training)
    completed(lab, "flexible")
    job = lab.sagemaker.describe_training_job(TrainingJobName=trials(lab, "flexible")[0]["TrainingJobName"])
    assert job["ResourceConfig"] == {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 7}
