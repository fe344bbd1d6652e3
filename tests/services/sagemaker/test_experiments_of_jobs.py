"""The trial components of jobs: made with the job, told of its end, of its metrics and to its run."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server

IMAGE = "clary/python:3.11"
REPORTS = "for n in range(4): print('loss=' + str(4 - n), 'acc=0.5')"


def train(
    aws: Server, name: str, config: dict[str, str] | None, command: str = "print('trained')", **others: Any
) -> str:
    made = aws.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=aws.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", command],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(\\S+)"}, {"Name": "acc", "Regex": "acc=(\\S+)"}],
        },
        HyperParameters={"rate": "0.5", "name": '"gloo"', "count": "1_000"},
        OutputDataConfig={"S3OutputPath": "s3://jobs/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        **({"ExperimentConfig": config} if config else {}),
        **others,
    )
    return str(made["TrainingJobArn"])


@pytest.fixture
def aws(clary_aws: Server) -> Server:
    clary_aws.client("s3").create_bucket(Bucket="jobs")
    clary_aws.client("sagemaker").create_experiment(ExperimentName="Exp")
    clary_aws.client("sagemaker").create_trial(TrialName="Trial", ExperimentName="Exp")
    return clary_aws


def ended(aws: Server, job: str) -> str:
    def status() -> str:
        found = str(aws.client("sagemaker").describe_training_job(TrainingJobName=job)["TrainingJobStatus"])
        return found if found in ("Completed", "Failed", "Stopped") else ""

    return str(wait_for(status, timeout=240))


def component(aws: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("sagemaker").describe_trial_component(TrialComponentName=name)
    return found


def test_a_training_job_gets_a_component(aws: Server) -> None:
    sagemaker = aws.client("sagemaker")
    aws.client("s3").put_object(Bucket="jobs", Key="in/x.csv", Body=b"1")
    place = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://jobs/in"}}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": place}
    before = time.time()
    config = {"ExperimentName": "exp", "TrialName": "trial", "TrialComponentDisplayName": "Training"}
    arn = train(aws, "Job-1", config, REPORTS, InputDataConfig=[channel])
    source = {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    started = component(aws, "Job-1-aws-training-job")
    assert (started["DisplayName"], started["Source"], started["Sources"]) == ("Training", source, [source])
    [row] = sagemaker.list_trial_components(TrialName="Trial")["TrialComponentSummaries"]
    assert (row["TrialComponentName"], row["TrialComponentSource"]) == ("Job-1-aws-training-job", source)
    assert ended(aws, "Job-1") == "Completed"

    told = component(aws, "Job-1-aws-training-job")
    message = "Status: Completed, secondary status: Completed, failure reason: ."
    assert told["Status"] == {"PrimaryStatus": "Completed", "Message": message}
    assert before <= told["StartTime"].timestamp() <= told["EndTime"].timestamp()
    assert told["Parameters"] == {
        "rate": {"NumberValue": 0.5},
        "name": {"StringValue": '"gloo"'},
        "count": {"StringValue": "1_000"},
        "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 2.0},
    }
    assert told["InputArtifacts"] == {
        "SageMaker.ImageUri": {"Value": IMAGE},
        "train": {"Value": "s3://jobs/in", "MediaType": "text/csv"},
    }
    assert told["OutputArtifacts"] == {
        "SageMaker.ModelArtifact": {"Value": "s3://jobs/output/Job-1/output/model.tar.gz"}
    }
    loss, accuracy = sorted(told["Metrics"], key=lambda metric: str(metric["MetricName"]), reverse=True)
    assert (loss["SourceArn"], loss["Count"], loss["Min"], loss["Max"], loss["Last"]) == (arn, 4, 1.0, 4.0, 1.0)
    assert (loss["Avg"], round(loss["StdDev"], 6)) == (2.5, 1.118034)
    assert (accuracy["MetricName"], accuracy["StdDev"]) == ("acc", 0.0)

    # The list takes the ARN as the SDK writes it, and lineage knows the kind of job.
    for spelled in (arn, arn.lower()):
        [row] = sagemaker.list_trial_components(SourceArn=spelled)["TrialComponentSummaries"]
        assert row["DisplayName"] == "Training"
    vertices = sagemaker.query_lineage(StartArns=[told["TrialComponentArn"]])["Vertices"]
    [own] = [vertex for vertex in vertices if vertex["LineageType"] == "TrialComponent"]
    assert own["Type"] == "TrainingJob"

    # All values are there for the job.
    query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": "Last"}
    steps = {"Period": "IterationNumber", "XAxisType": "IterationNumber"}
    [series] = aws.client("sagemaker-metrics").batch_get_metrics(MetricQueries=[query | steps])["MetricQueryResults"]
    assert series == {"Status": "Complete", "XAxisValues": [0, 1, 2, 3], "MetricValues": [4.0, 3.0, 2.0, 1.0]}


def test_without_a_trial_the_experiment_gets_one(aws: Server) -> None:
    sagemaker = aws.client("sagemaker")
    train(aws, "fails", {"ExperimentName": "Exp"}, "raise SystemExit('no luck')")
    [made] = [
        row for row in sagemaker.list_trials(ExperimentName="Exp")["TrialSummaries"] if row["TrialName"] != "Trial"
    ]
    [row] = sagemaker.list_trial_components(TrialName=made["TrialName"])["TrialComponentSummaries"]
    assert row["TrialComponentName"] == "fails-aws-training-job"
    assert ended(aws, "fails") == "Failed"
    told = component(aws, "fails-aws-training-job")
    assert told["Status"]["PrimaryStatus"] == "Failed"
    assert "secondary status: Failed, failure reason: AlgorithmError" in told["Status"]["Message"]
    assert told["OutputArtifacts"] == {}

    # Another job of the name starts anew.
    sagemaker.delete_training_job(TrainingJobName="fails")
    train(aws, "fails", {"ExperimentName": "Exp"}, "import time; time.sleep(600)")
    told = component(aws, "fails-aws-training-job")
    assert told["Status"] == {"PrimaryStatus": "InProgress"}
    assert "EndTime" not in told
    sagemaker.stop_training_job(TrainingJobName="fails")
    assert ended(aws, "fails") == "Stopped"


def test_a_run_is_told_of_its_job(aws: Server) -> None:
    sagemaker = aws.client("sagemaker")
    own = {"rate": {"NumberValue": 9.0}}
    sagemaker.create_trial_component(TrialComponentName="exp-run", Parameters=own)
    sagemaker.associate_trial_component(TrialComponentName="exp-run", TrialName="Trial")
    config = {"ExperimentName": "Exp", "TrialName": "Trial", "RunName": "Exp-run"}
    arn = train(aws, "in-run", config, REPORTS)
    assert component(aws, "exp-run")["Sources"] == [{"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}]
    rows = sagemaker.list_trial_components(TrialName="Trial")["TrialComponentSummaries"]
    assert [row["TrialComponentName"] for row in rows] == ["exp-run"]
    names = {
        row["TrialComponentName"] for row in sagemaker.list_trial_components(SourceArn=arn)["TrialComponentSummaries"]
    }
    assert names == {"exp-run", "in-run-aws-training-job"}
    assert ended(aws, "in-run") == "Completed"
    run = component(aws, "exp-run")
    assert run["Parameters"]["rate"] == own["rate"]
    assert run["Parameters"]["SageMaker.InstanceType"] == {"StringValue": "ml.m5.large"}
    assert {metric["MetricName"] for metric in run["Metrics"]} == {"loss", "acc"}
    assert "Status" not in run


def test_a_processing_job_gets_a_component(aws: Server) -> None:
    sagemaker = aws.client("sagemaker")
    aws.client("s3").put_object(Bucket="jobs", Key="in/x.csv", Body=b"1")
    given = {
        "S3Uri": "s3://jobs/in",
        "LocalPath": "/opt/ml/processing/in",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    result = {"S3Uri": "s3://jobs/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    arn = sagemaker.create_processing_job(
        ProcessingJobName="prepare",
        RoleArn=aws.role_arn,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python", "-c", "print('done')"]},
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingInputs=[{"InputName": "rows", "S3Input": given}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "result", "S3Output": result}]},
        ExperimentConfig={"TrialName": "Trial"},
    )["ProcessingJobArn"]
    name = "prepare-aws-processing-job"
    wait_for(lambda: component(aws, name)["Status"]["PrimaryStatus"] != "InProgress", timeout=240)
    told = component(aws, name)
    assert told["Status"]["PrimaryStatus"] == "Completed", told["Status"]
    assert told["Source"] == {"SourceArn": arn, "SourceType": "SageMakerProcessingJob"}
    assert told["InputArtifacts"]["rows"] == {"Value": "s3://jobs/in"}
    assert told["OutputArtifacts"] == {"result": {"Value": "s3://jobs/out"}}
    assert told["Parameters"]["SageMaker.VolumeSizeInGB"] == {"NumberValue": 1.0}
    [row] = sagemaker.list_trial_components(TrialName="Trial")["TrialComponentSummaries"]
    assert row["TrialComponentName"] == name


def lineage(aws: Server, component: str) -> dict[str, set[tuple[str, str, str]]]:
    """What came in and what went out: association, type and source of each artifact."""
    sagemaker = aws.client("sagemaker")
    arn = sagemaker.describe_trial_component(TrialComponentName=component)["TrialComponentArn"]

    def artifact(edge: dict[str, Any], end: str) -> tuple[str, str, str]:
        shown = sagemaker.describe_artifact(ArtifactArn=edge[f"{end}Arn"])
        return edge["AssociationType"], shown["ArtifactType"], shown["Source"]["SourceUri"]

    return {
        "in": {artifact(e, "Source") for e in sagemaker.list_associations(DestinationArn=arn)["AssociationSummaries"]},
        "out": {artifact(e, "Destination") for e in sagemaker.list_associations(SourceArn=arn)["AssociationSummaries"]},
    }


def test_every_job_tells_of_itself_and_of_its_data(aws: Server) -> None:
    sagemaker = aws.client("sagemaker")
    aws.client("s3").put_object(Bucket="jobs", Key="in/x.csv", Body=b"1")
    place = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://jobs/in"}}
    data = {"InputDataConfig": [{"ChannelName": "train", "DataSource": place}]}
    checkpoints = {"CheckpointConfig": {"S3Uri": "s3://jobs/checkpoints"}}
    for name, command in (("first", "print('trained')"), ("second", "raise SystemExit(1)")):
        train(aws, name, None, command, **data, **checkpoints)
        ended(aws, name)
    came_in = {("ContributedTo", "Image", IMAGE), ("ContributedTo", "DataSet", "s3://jobs/in")}
    kept = ("Produced", "Checkpoint", "s3://jobs/checkpoints")
    model = "s3://jobs/output/first/output/model.tar.gz"
    assert lineage(aws, "first-aws-training-job") == {"in": came_in, "out": {kept, ("Produced", "Model", model)}}
    # What failed has made no model.
    assert lineage(aws, "second-aws-training-job") == {"in": came_in, "out": {kept}}
    # A source is one artifact, and it belongs to no trial that nobody named.
    assert len(sagemaker.list_artifacts()["ArtifactSummaries"]) == 4
    assert sagemaker.list_trials()["TrialSummaries"][0]["TrialName"] == "Trial"
    assert sagemaker.list_trial_components(TrialName="Trial")["TrialComponentSummaries"] == []
    assert len(sagemaker.list_trial_components()["TrialComponentSummaries"]) == 2

    # What the model was made of, from the model's side.
    [made] = sagemaker.list_artifacts(SourceUri=model)["ArtifactSummaries"]
    found = sagemaker.query_lineage(StartArns=[made["ArtifactArn"]], Direction="Ascendants", IncludeEdges=False)
    assert sorted(vertex["Type"] for vertex in found["Vertices"]) == ["DataSet", "Image", "Model", "TrainingJob"]

    # The same name again, once the first one was deleted: its component tells of the new job.
    sagemaker.delete_training_job(TrainingJobName="first")
    train(aws, "first", None)
    ended(aws, "first")
    assert lineage(aws, "first-aws-training-job")["out"] == {kept, ("Produced", "Model", model)}


def test_names_that_are_not_there_are_refused(aws: Server) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="other")
    for config in ({"ExperimentName": "none"}, {"TrialName": "none"}, {"TrialName": "Trial", "RunName": "none"}):
        with pytest.raises(ClientError, match="/none' does not exist") as refused:
            train(aws, "job", config)
        assert refused.value.response["Error"]["Code"] == "ResourceNotFound"
    with pytest.raises(ClientError, match="does not belong to experiment 'other'") as refused:
        train(aws, "job", {"ExperimentName": "other", "TrialName": "Trial"})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert sagemaker.list_trial_components()["TrialComponentSummaries"] == []
