"""Jobs that ended long ago go with all that tells of them, where the settings say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clary.compute.placement.local import LocalPlacement
from clary.core import clock
from clary.core.settings import load
from clary.resources.context import Platform
from clary.services.catalog import services
from clary.services.sagemaker.execution.api import KINDS
from clary.services.sagemaker.execution.forgetting import forget_old_jobs
from clary.state.database import Database
from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server, server

GROUP = "/aws/sagemaker/TrainingJobs"
DAY = 86_400.0


def train(aws: Server, name: str, **members: Any) -> None:
    sagemaker = aws.client("sagemaker")
    write = "import os; print('loss=0.5'); open(os.environ['CLARY_ML_ROOT'] + '/model/m', 'w').write('m')"
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=aws.role_arn,
        AlgorithmSpecification={
            "TrainingImage": "clary/python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", write],
            "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([\d.]+)"}],
        },
        OutputDataConfig={"S3OutputPath": "s3://forgetting/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        Tags=[{"Key": "of", "Value": name}],
        **members,
    )

    def ended() -> bool:
        return bool(sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Completed")

    wait_for(ended)


def left(aws: Server, name: str) -> dict[str, Any]:
    """What there is of a job."""
    sagemaker = aws.client("sagemaker")
    streams = aws.client("logs").describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    metrics = aws.client("cloudwatch").list_metrics(Namespace=GROUP)["Metrics"]
    artifacts = sagemaker.list_artifacts(ArtifactType="Model")["ArtifactSummaries"]
    return {
        "job": len(sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]),
        "streams": len(streams),
        "usage": sum(metric["Dimensions"][0]["Value"].startswith(f"{name}/") for metric in metrics),
        "component": sum(
            each["TrialComponentName"].startswith(name)
            for each in sagemaker.list_trial_components()["TrialComponentSummaries"]
        ),
        "artifact": sum(f"/{name}/" in each["Source"]["SourceUri"] for each in artifacts),
        "model": aws.client("s3").list_objects_v2(Bucket="forgetting", Prefix=f"models/{name}/")["KeyCount"],
    }


def test_a_job_goes_with_what_tells_of_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as aws:
        sagemaker = aws.client("sagemaker")
        aws.client("s3").create_bucket(Bucket="forgetting")
        train(aws, "plain")
        sagemaker.create_experiment(ExperimentName="mine")
        train(aws, "kept", ExperimentConfig={"ExperimentName": "mine"})
        whole = {"job": 1, "streams": 1, "usage": 3, "component": 1, "artifact": 1, "model": 1}
        assert left(aws, "plain") == left(aws, "kept") == whole

        settings = load(home, {}, keep_jobs_days=1)
        platform = platform_of(settings, ahead=0.9 * DAY)
        assert forget_old_jobs(platform, kinds()) == 0
        assert left(aws, "plain") == whole
        never = replace(platform, settings=replace(settings, keep_jobs_days=0), clock=lambda: clock.now() + 9999 * DAY)
        assert forget_old_jobs(never, kinds()) == 0

        assert forget_old_jobs(platform_of(settings, ahead=1.1 * DAY), kinds()) == 2
        # What was written to S3 is the user's, and so is the component of an experiment of his.
        gone = {"job": 0, "streams": 0, "usage": 0, "component": 0, "artifact": 0, "model": 1}
        assert left(aws, "plain") == gone
        assert left(aws, "kept") == {**gone, "component": 1, "artifact": 1}
        assert not list(settings.jobs.glob("TrainingJob-*"))
        with pytest.raises(sagemaker.exceptions.ClientError, match="Requested resource not found"):
            sagemaker.describe_training_job(TrainingJobName="plain")
        arn = f"arn:aws:sagemaker:{aws.region}:{aws.account}:training-job/plain"
        tagged = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "of"}])
        assert not [each for each in tagged["ResourceTagMappingList"] if each["ResourceARN"] == arn]
        train(aws, "plain")  # the name is free again


def platform_of(settings: Any, ahead: float) -> Platform:
    """A platform on the same database whose clock is ahead."""
    nothing: Any = None
    return Platform(
        settings=settings,
        database=Database(settings.database_url),
        identity=nothing,
        placement=LocalPlacement(settings, "test"),
        images=nothing,
        programs=nothing,
        functions=nothing,
        wake=lambda row: None,
        clock=lambda: clock.now() + ahead,
        calls=nothing,
    )


def kinds() -> dict[str, Any]:
    reconcilers = services()["sagemaker"].reconcilers
    return {kind: reconcilers[kind] for kind in KINDS}
