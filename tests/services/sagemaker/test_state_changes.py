"""State changes of SageMaker's resources on the default event bus, by the handlers and straight in the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clary.core.errors import ServiceError
from clary.services.events.changes import StateChanges
from clary.services.events.service import app as events_app
from clary.services.sagemaker.endpoints.lifecycle import SERVING
from clary.services.sagemaker.service import app as sagemaker_app
from clary.services.sqs.service import SERVICE as SQS
from clary.state.records import Query, Record

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:told"
SAGEMAKER, EVENTS = sagemaker_app(), events_app()
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
Call = Callable[..., Any]


@pytest.fixture
def call(installation: Any) -> Call:
    """Calls an operation of SageMaker's as the administrator; the event bus listens."""
    installation.database.watch(StateChanges(installation.platform, [SAGEMAKER, EVENTS]))

    def run(operation: str, **params: Any) -> Any:
        service = next(each for each in (SAGEMAKER, EVENTS, SQS) if operation in each.operations)
        return service.operations[operation](installation.context(), params)

    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    run("CreateQueue", QueueName="told", Attributes={"Policy": policy})
    return run


def listen(call: Call, pattern: dict[str, Any] | None = None) -> None:
    call("PutRule", Name="all", EventPattern=json.dumps(pattern or {"source": ["aws.sagemaker"]}))
    call("PutTargets", Rule="all", Targets=[{"Id": "1", "Arn": QUEUE}])


def heard(call: Call) -> list[dict[str, Any]]:
    """What came since it was last asked, in any order."""
    found: list[dict[str, Any]] = []
    url = f"http://h/{ACCOUNT}/told"
    while messages := call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            call("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    return found


def model(call: Call, name: str = "m") -> str:
    container = {"Image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/own:1"}
    made = call(
        "CreateModel",
        ModelName=name,
        PrimaryContainer=container,
        ExecutionRoleArn=ROLE,
        Tags=[{"Key": "team", "Value": "a"}],
    )
    return str(made["ModelArn"])


def test_a_model_is_told_when_it_is_made_and_when_it_goes(call: Call, installation: Any) -> None:
    listen(call)
    arn = model(call)
    [event] = heard(call)
    assert (event["source"], event["detail-type"]) == ("aws.sagemaker", "SageMaker Model State Change")
    assert (event["account"], event["region"], event["resources"]) == (ACCOUNT, "us-east-1", [arn])
    detail = event["detail"]
    assert (detail["ModelName"], detail["ModelArn"], detail["Tags"]) == ("m", arn, {"team": "a"})
    assert detail["CreationTime"] == round(installation.now * 1000)
    call("DeleteModel", ModelName="m")
    [event] = heard(call)
    assert (event["detail-type"], event["detail"]["Tags"]) == ("SageMaker Model State Change", {"team": "a"})


def test_nothing_is_told_without_a_rule_or_to_one_that_is_disabled(call: Call) -> None:
    model(call, "before")
    listen(call, {"source": ["aws.sagemaker"], "detail": {"ModelName": ["wanted"]}})
    model(call, "unwanted")
    assert heard(call) == []
    call("DisableRule", Name="all")
    model(call, "wanted")
    assert heard(call) == []
    call("EnableRule", Name="all")
    call("DeleteModel", ModelName="wanted")
    assert len(heard(call)) == 1


def test_what_is_refused_tells_nothing(call: Call) -> None:
    listen(call)
    model(call)
    heard(call)
    with pytest.raises(ServiceError):
        model(call)
    with pytest.raises(ServiceError):
        call("DeleteModel", ModelName="other")
    assert heard(call) == []


def test_what_is_rolled_back_tells_nothing(call: Call, installation: Any) -> None:
    listen(call)
    model(call)
    heard(call)
    with pytest.raises(LookupError), installation.database.write() as transaction:
        record = transaction.by_arn(f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/m")
        transaction.delete(record)
        raise LookupError
    assert heard(call) == []


def training_job(installation: Any, name: str = "t") -> Record:
    """A job as its handler stores it; the compute layer has no part in this."""
    resource = SAGEMAKER.telling["TrainingJob"]
    context = installation.context()
    document = {
        "TrainingJobName": name,
        "SecondaryStatus": "Starting",
        "HyperParameters": {"a": "1"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/p"},
    }
    key = resource.key(context, name)
    with installation.database.write() as transaction:
        return transaction.insert(  # type: ignore[no-any-return]
            Record(key, resource.make_arn(context, name), installation.now, installation.now, document, "InProgress")
        )


def test_each_status_of_a_job_is_told_once(call: Call, installation: Any) -> None:
    listen(call)
    record = training_job(installation)
    [event] = heard(call)
    assert event["detail"]["TrainingJobStatus"] == "InProgress"
    told = []
    for status, secondary in [("InProgress", "Starting"), ("InProgress", "Training"), ("Completed", "Completed")]:
        record.status, record.document["SecondaryStatus"] = status, secondary
        record.document["LastModifiedTime"] = installation.now
        with installation.database.write() as transaction:
            transaction.update(record)
            transaction.update(record)  # stored twice, changed once
        told += [(each["detail"]["TrainingJobStatus"], each["detail"]["SecondaryStatus"]) for each in heard(call)]
    assert told == [("InProgress", "Training"), ("Completed", "Completed")]
    assert event["detail"]["HyperParameters"] == {"a": "1"}
    assert event["detail"]["CreationTime"] == round(installation.now * 1000)


def test_what_is_made_and_deleted_at_once_was_never_there(call: Call, installation: Any) -> None:
    listen(call)
    resource, context = SAGEMAKER.telling["Model"], installation.context()
    with installation.database.write() as transaction:
        record = Record(resource.key(context, "x"), resource.make_arn(context, "x"), 1.0, 1.0, {})
        transaction.insert(record)
        transaction.delete(record)
    assert heard(call) == []


def test_approval_of_a_package(call: Call) -> None:
    listen(call)
    call("CreateModelPackageGroup", ModelPackageGroupName="g")
    arn = call("CreateModelPackage", ModelPackageGroupName="g")["ModelPackageArn"]
    [event] = heard(call)
    assert event["detail-type"] == "SageMaker Model Package State Change"
    assert event["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert "UpdatedModelPackageFields" not in event["detail"]
    call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="fine")
    [event] = heard(call)
    detail = event["detail"]
    assert (detail["ModelPackageGroupName"], detail["ModelPackageVersion"]) == ("g", 1)
    assert (detail["ModelApprovalStatus"], detail["ApprovalDescription"]) == ("Approved", "fine")
    assert detail["UpdatedModelPackageFields"] == ["ModelApprovalStatus", "ApprovalDescription"]
    assert detail["CreationTime"].endswith("Z") and event["resources"] == [arn]
    call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"a": "b"})
    [event] = heard(call)
    assert event["detail"]["UpdatedModelPackageFields"] == ["CustomerMetadataProperties"]


def test_a_model_card_is_told_without_its_content(call: Call) -> None:
    listen(call)
    content = json.dumps({"model_overview": {"model_id": "example-model", "model_name": "secret"}})
    call("CreateModelCard", ModelCardName="c", Content=content, ModelCardStatus="Draft")
    [event] = heard(call)
    detail = event["detail"]
    assert (event["detail-type"], detail["ModelCardStatus"]) == ("SageMaker Model Card State Change", "Draft")
    assert (detail["AccountId"], detail["ModelId"], detail["ModelCardVersion"]) == (ACCOUNT, "example-model", 1)
    assert "Content" not in detail and "secret" not in json.dumps(event)
    call("UpdateModelCard", ModelCardName="c", ModelCardStatus="Approved")
    [event] = heard(call)
    assert event["detail"]["ModelCardStatus"] == "Approved"


def test_an_endpoint_shouts_its_status_and_tells_the_deployment(call: Call, installation: Any) -> None:
    listen(call)
    model(call)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    kinds = {event["detail-type"]: event for event in heard(call)}
    assert set(kinds) == {f"SageMaker {each} State Change" for each in ("Model", "Endpoint Config", "Endpoint")}
    assert kinds["SageMaker Endpoint State Change"]["detail"]["EndpointStatus"] == "CREATING"
    with installation.database.write() as transaction:
        [record] = transaction.find(Query(ACCOUNT, "us-east-1", "sagemaker", "Endpoint"))
        record.status = "InService"
        transaction.update(record)
    [event] = heard(call)
    assert event["detail"]["EndpointStatus"] == "IN_SERVICE"
    call("DeleteEndpoint", EndpointName="e")
    [event] = heard(call)
    assert event["detail"]["EndpointStatus"] == "DELETING"


def test_a_deployment_tells_its_steps(call: Call, installation: Any) -> None:
    listen(call, {"detail-type": ["SageMaker Endpoint Deployment State Change"]})
    model(call)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert heard(call) == []
    container = {"PrimaryContainer": {"Image": "own:1"}}
    fleet = {"variant": variant, "model": container, "weight": 1.0, "count": 1}
    deployment = {"config": "c", "since": installation.now, "variants": [fleet], "servers": {}}
    steps: list[tuple[dict[str, Any], list[str]]] = [
        ({"current": deployment}, []),
        ({"current": deployment, "next": {**deployment, "config": "d"}}, ["Creating"]),
        ({"current": deployment, "next": {**deployment, "config": "d"}, "shift": {"step": 1}}, ["Baking"]),
        ({"current": deployment, "next": {**deployment, "config": "d"}, "shift": {"step": 2}}, []),
        ({"current": {**deployment, "config": "d"}}, []),
    ]
    for serving, expected in steps:
        with installation.database.write() as transaction:
            [record] = transaction.find(Query(ACCOUNT, "us-east-1", "sagemaker", "Endpoint"))
            record.document[SERVING], record.status = serving, "Updating"
            transaction.update(record)
        details = [event["detail"] for event in heard(call)]
        pending = [detail["PendingDeploymentSummary"] for detail in details]
        assert [each["ProductionVariants"][0]["VariantStatus"][0]["Status"] for each in pending] == expected
        for detail, each in zip(details, pending, strict=True):
            assert (detail["EndpointStatus"], each["EndpointConfigName"]) == ("UPDATING", "d")
            assert each["StartTime"] == round(installation.now * 1000)


def test_a_tracking_server_has_an_event_for_each_status(call: Call, installation: Any) -> None:
    listen(call)
    resource, context = SAGEMAKER.telling["MlflowTrackingServer"], installation.context()
    key, now = resource.key(context, "t"), installation.now
    document = {"TrackingServerName": "t", "_id": "abc"}
    with installation.database.write() as transaction:
        record = transaction.insert(Record(key, resource.make_arn(context, "t"), now, now, document, resource.initial))
    told = [event["detail-type"] for event in heard(call)]
    for status in ("CreateFailed", "Deleting"):
        record.status = status
        with installation.database.write() as transaction:
            transaction.update(record)
        told += [event["detail-type"] for event in heard(call)]
    assert told == [f"SageMaker Tracking Server {step}" for step in ("Creating", "Create Failed", "Deleting")]


def test_a_fault_in_what_is_told_is_none_of_the_job(
    call: Call, installation: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listen(call)
    record = training_job(installation)
    heard(call)
    record.document["CreationTime"] = "yesterday"  # no Create handler stores such a time
    record.status = "Failed"
    with installation.database.write() as transaction:
        transaction.update(record)
    with installation.database.read() as transaction:
        assert transaction.by_id(record.id).status == "Failed"
    assert heard(call) == [] and f"{record.arn} is not told" in caplog.text


def test_images_and_their_versions(call: Call) -> None:
    listen(call)
    call("CreateImage", ImageName="i", RoleArn=ROLE)
    call("CreateImageVersion", ImageName="i", BaseImage=f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/own:1")
    kinds = {event["detail-type"]: event["detail"] for event in heard(call)}
    assert kinds["SageMaker Image State Change"]["ImageStatus"] == "CREATED"
    version = kinds["SageMaker Image Version State Change"]
    assert (version["ImageVersionStatus"], version["Version"]) == ("CREATED", 1)


DETAIL_TYPES = [
    (noun, telling.detail_type) for noun, resource in SAGEMAKER.telling.items() for telling in resource.tells
]


@pytest.mark.parametrize(("noun", "detail_type"), DETAIL_TYPES, ids=[each[1] for each in DETAIL_TYPES])
def test_every_detail_type_is_a_documented_one(noun: str, detail_type: str) -> None:
    """By the list of https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-sagemaker.html"""
    words = {
        "Training Job", "HyperParameter Tuning Job", "Transform Job", "Processing Job", "Endpoint Config", "Endpoint",
        "Endpoint Deployment", "Model", "Notebook Lifecycle Config", "Algorithm", "Model Package", "Feature Group",
        "Image", "Image Version", "Model Card", "Model Card Export Job",
    }  # fmt: skip
    steps = ("Creating", "Created", "Create Failed", "Updating", "Updated", "Update Failed", "Deleting", "Starting")
    servers = {
        f"SageMaker Tracking Server {step}" for step in (*steps, "Started", "Start Failed", "Stopping", "Stopped")
    }
    assert detail_type in {f"SageMaker {each} State Change" for each in words} | servers
