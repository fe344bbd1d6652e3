"""What people may do whose policies name resources, instance types, keys and tags: plain boto3, a running server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from clary.core.suites import S3_ACCOUNTS
from clary.testing.server import Server, server

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
Client = Callable[[str], Any]


def allow(action: Any, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def clients(url: str, key: str, secret: str) -> Client:
    def client(service: str) -> Any:
        return boto3.client(
            service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
        )

    return client


@pytest.fixture
def user(clary_aws: Server) -> Callable[..., Client]:
    """Makes a user with these statements, and clients of hers."""

    def make(name: str, *statements: dict[str, Any]) -> Client:
        iam = clary_aws.client("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return clients(clary_aws.url, key["AccessKeyId"], key["SecretAccessKey"])

    return make


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error, status = caught.value.response["Error"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    return f"{error['Code']} {status} {error['Message']}"


def is_denied(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return False


def config(name: str, instance: str = "ml.m5.large", **more: Any) -> dict[str, Any]:
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": instance, "InitialInstanceCount": 1}
    return {"EndpointConfigName": name, "ProductionVariants": [variant], **more}


@pytest.fixture
def model(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=clary_aws.role_arn)


def arn(kind: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:{kind}"


@pytest.mark.usefixtures("model")
def test_one_type_of_instance(user: Callable[..., Client]) -> None:
    only = {"ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.m5.large"]}}
    sagemaker = user("ann", allow("sagemaker:CreateEndpointConfig", **only))("sagemaker")
    sagemaker.create_endpoint_config(**config("small"))
    assert is_denied(sagemaker.create_endpoint_config, **config("large", "ml.p4d.24xlarge"))
    both = config("both")
    both["ProductionVariants"].append(
        {**both["ProductionVariants"][0], "VariantName": "b", "InstanceType": "ml.c5.large"}
    )
    assert is_denied(sagemaker.create_endpoint_config, **both)


@pytest.mark.usefixtures("model")
def test_encrypted_volumes_only(user: Callable[..., Client], clary_aws: Server) -> None:
    key = clary_aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    missing = {"Effect": "Deny", "Action": "sagemaker:CreateEndpointConfig", "Resource": "*"}
    no_key = missing | {"Condition": {"Null": {"sagemaker:VolumeKmsKey": "true"}}}
    other_key = missing | {"Condition": {"ArnNotEquals": {"sagemaker:VolumeKmsKeyArn": key}}}
    sagemaker = user("ann", allow(["sagemaker:*", "kms:*"]), no_key, other_key)("sagemaker")
    said = refused(sagemaker.create_endpoint_config, **config("plain"))
    assert said == (
        "AccessDeniedException 400 User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
        f"sagemaker:CreateEndpointConfig on resource: {arn('endpoint-config/plain')} with an explicit deny in an "
        "identity-based policy"
    )
    sagemaker.create_endpoint_config(**config("sealed", KmsKeyId=key))
    assert is_denied(sagemaker.create_endpoint_config, **config("other", KmsKeyId=f"{key[:-1]}x"))


@pytest.mark.usefixtures("model")
def test_each_of_several_models_must_be_allowed(user: Callable[..., Client], clary_aws: Server) -> None:
    clary_aws.client("sagemaker").create_model(
        ModelName="n", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=clary_aws.role_arn
    )
    two = config("two")
    two["ProductionVariants"].append({**two["ProductionVariants"][0], "VariantName": "b", "ModelName": "n"})
    allowed = user("ann", allow("sagemaker:*", ArnEquals={"sagemaker:ModelArn": arn("model/m")}))("sagemaker")
    allowed.create_endpoint_config(**config("one"))
    assert is_denied(allowed.create_endpoint_config, **two)
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"ArnLike": {"sagemaker:ModelArn": arn("model/n")}},
    }
    denied = user("bob", allow("sagemaker:*"), deny)("sagemaker")
    assert is_denied(denied.create_endpoint_config, **two)
    denied.create_endpoint_config(**config("another"))


def test_her_own_tagged_resources(user: Callable[..., Client], clary_aws: Server) -> None:
    own = {"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}}
    hers = {"StringEquals": {"aws:RequestTag/owner": "${aws:username}"}}
    making = allow(["sagemaker:CreateExperiment", "sagemaker:AddTags"], **hers)
    sagemaker = user("ann", allow("sagemaker:*Experiment", **own), making)("sagemaker")
    tags = {"ann": [{"Key": "owner", "Value": "ann"}], "bob": [{"Key": "owner", "Value": "bob"}]}
    sagemaker.create_experiment(ExperimentName="mine", Tags=tags["ann"])
    clary_aws.client("sagemaker").create_experiment(ExperimentName="his", Tags=tags["bob"])
    assert sagemaker.describe_experiment(ExperimentName="mine")["ExperimentName"] == "mine"
    assert is_denied(sagemaker.describe_experiment, ExperimentName="his")
    assert is_denied(sagemaker.describe_experiment, ExperimentName="nobodys")
    assert is_denied(sagemaker.create_experiment, ExperimentName="more", Tags=tags["bob"])
    assert is_denied(sagemaker.create_experiment, ExperimentName="more")
    sagemaker.delete_experiment(ExperimentName="mine")


def test_tags_on_create_need_their_own_permission(user: Callable[..., Client]) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    making = user("ann", allow("sagemaker:CreateExperiment"))("sagemaker")
    making.create_experiment(ExperimentName="bare")
    assert "perform: sagemaker:AddTags on" in refused(making.create_experiment, ExperimentName="e", Tags=tags)
    on_create = {"StringEquals": {"sagemaker:TaggingAction": "CreateExperiment"}}
    tagging = user("bob", allow("sagemaker:CreateExperiment"), allow("sagemaker:AddTags", **on_create))("sagemaker")
    tagging.create_experiment(ExperimentName="tagged", Tags=tags)
    assert is_denied(tagging.add_tags, ResourceArn=arn("experiment/bare"), Tags=tags)
    queues = user("cyd", allow("sqs:CreateQueue"))("sqs")
    assert "sqs:TagQueue" in refused(queues.create_queue, QueueName="q", tags={"team": "a"})


def test_tags_across_services_need_the_service_s_permission(user: Callable[..., Client], clary_aws: Server) -> None:
    name = clary_aws.client("sagemaker").create_experiment(ExperimentName="e")["ExperimentArn"]
    one = {"ResourceARNList": [name], "Tags": {"team": "a"}}
    failed = user("ann", allow("tag:*"))("resourcegroupstaggingapi").tag_resources(**one)["FailedResourcesMap"]
    assert failed[name]["ErrorCode"] == "AccessDeniedException"
    only = {"StringEquals": {"aws:RequestTag/team": "a"}}
    tagging = user("bob", allow("tag:*"), allow("sagemaker:AddTags", name, **only))("resourcegroupstaggingapi")
    assert tagging.tag_resources(**one)["FailedResourcesMap"] == {}
    assert list(tagging.tag_resources(ResourceARNList=[name], Tags={"team": "b"})["FailedResourcesMap"]) == [name]


def test_a_prefix_of_names(user: Callable[..., Client]) -> None:
    sagemaker = user("ann", allow("sagemaker:*", [arn("experiment/ann-*"), arn("experiment-trial/ann-*")]))("sagemaker")
    sagemaker.create_experiment(ExperimentName="ann-1")
    assert is_denied(sagemaker.create_experiment, ExperimentName="bob-1")
    sagemaker.create_trial(TrialName="ann-t", ExperimentName="ann-1")
    # A trial is made in an experiment, which must be allowed too.
    assert is_denied(sagemaker.create_trial, TrialName="ann-u", ExperimentName="bob-1")
    assert is_denied(sagemaker.list_experiments)


def test_irregular_operations_name_what_they_act_on(user: Callable[..., Client]) -> None:
    mine = [arn("hyper-parameter-tuning-job/ann-*"), arn("pipeline/ann-*"), arn("model-package/ann-*")]
    sagemaker = user("ann", allow("sagemaker:*", mine))("sagemaker")
    name = "HyperParameterTuningJobName"
    tried = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    assert not is_denied(tried, **{name: "ann-1"})
    assert is_denied(tried, **{name: "bob-1"})
    assert not is_denied(sagemaker.list_model_packages, ModelPackageGroupName="ann-g")
    assert is_denied(sagemaker.list_model_packages, ModelPackageGroupName="bob-g")
    assert is_denied(sagemaker.list_model_packages)
    packages = [arn("model-package/ann-g/1"), arn("model-package/bob-g/1")]
    assert not is_denied(sagemaker.batch_describe_model_package, ModelPackageArnList=packages[:1])
    assert is_denied(sagemaker.batch_describe_model_package, ModelPackageArnList=packages)


def test_how_a_request_comes(user: Callable[..., Client]) -> None:
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    own = user("ann", allow("*", StringLike={"aws:UserAgent": "*Boto3*"}, **here))
    own("sagemaker").list_experiments()
    own("kms").list_keys()
    away = user("bob", allow("*", IpAddress={"aws:SourceIp": "10.0.0.0/8"}))
    assert is_denied(away("sagemaker").list_experiments)
    assert is_denied(away("kms").list_keys)
    safe = user("cyd", allow("*", Bool={"aws:SecureTransport": "true"}))
    assert is_denied(safe("sagemaker").list_experiments)


def test_delegation_stays_within_a_boundary(user: Callable[..., Client], clary_aws: Server) -> None:
    bound = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    within = {"StringEquals": {"iam:PermissionsBoundary": bound}}
    reading = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}
    creating = allow(["iam:CreateUser", "iam:PutUserPolicy"], **within)
    iam = user("ann", creating, allow("iam:AttachUserPolicy", **reading))("iam")
    assert is_denied(iam.create_user, UserName="free")
    iam.create_user(UserName="bound", PermissionsBoundary=bound)
    iam.put_user_policy(UserName="bound", PolicyName="p", PolicyDocument=document(allow("*")))
    clary_aws.client("iam").create_user(UserName="free")
    assert is_denied(iam.put_user_policy, UserName="free", PolicyName="p", PolicyDocument=document(allow("*")))
    iam.attach_user_policy(UserName="bound", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert is_denied(iam.attach_user_policy, UserName="bound", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_objects_by_their_tags(user: Callable[..., Client], clary_aws: Server) -> None:
    s3 = clary_aws.client("s3")
    s3.create_bucket(Bucket="data")
    for key in ("open", "closed"):
        s3.put_object(Bucket="data", Key=key, Body=b"x", Tagging=f"access={key}")
    reading = user("ann", allow("s3:GetObject", StringEquals={"s3:ExistingObjectTag/access": "open"}))("s3")
    assert reading.get_object(Bucket="data", Key="open")["Body"].read() == b"x"
    assert is_denied(reading.get_object, Bucket="data", Key="closed")
    assert is_denied(reading.get_object, Bucket="data", Key="none")


CALLS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "sagemaker": (
        "describe_training_job",
        {"TrainingJobName": "t"},
        "AccessDeniedException 400",
        "sagemaker:DescribeTrainingJob on resource: arn:aws:sagemaker:us-east-1:123456789012:training-job/t",
    ),
    "sagemaker-runtime": (
        "invoke_endpoint",
        {"EndpointName": "e", "Body": b""},
        "AccessDeniedException 403",
        "sagemaker:InvokeEndpoint on resource: arn:aws:sagemaker:us-east-1:123456789012:endpoint/e",
    ),
    "sagemaker-metrics": (
        "batch_put_metrics",
        {"TrialComponentName": "t", "MetricData": [{"MetricName": "m", "Timestamp": 0, "Value": 1}]},
        "AccessDeniedException 403",
        "sagemaker:BatchPutMetrics on resource: arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/t",
    ),
    "s3": ("list_buckets", {}, "AccessDenied 403", "s3:ListAllMyBuckets on resource: arn:aws:s3:::*"),
    "iam": ("list_users", {}, "AccessDenied 403", "iam:ListUsers on resource: "),
    "sts": (
        "assume_role",
        {"RoleArn": "arn:aws:iam::123456789012:role/nobodys", "RoleSessionName": "some"},
        "AccessDenied 403",
        "sts:AssumeRole on resource: arn:aws:iam::123456789012:role/nobodys",
    ),
    "kms": ("list_keys", {}, "AccessDeniedException 400", "kms:ListKeys on resource: *"),
    "logs": (
        "create_log_group",
        {"logGroupName": "g"},
        "AccessDeniedException 400",
        "logs:CreateLogGroup on resource: arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:",
    ),
    "cloudwatch": ("list_metrics", {}, "AccessDenied 403", "cloudwatch:ListMetrics on resource: *"),
    "ecr": (
        "create_repository",
        {"repositoryName": "re"},
        "AccessDeniedException 400",
        "ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:123456789012:repository/re",
    ),
    "events": (
        "describe_rule",
        {"Name": "r"},
        "AccessDeniedException 400",
        "events:DescribeRule on resource: arn:aws:events:us-east-1:123456789012:rule/r",
    ),
    "scheduler": (
        "get_schedule",
        {"Name": "s"},
        "AccessDeniedException 403",
        "scheduler:GetSchedule on resource: arn:aws:scheduler:us-east-1:123456789012:schedule/default/s",
    ),
    "glue": (
        "get_database",
        {"Name": "d"},
        "AccessDeniedException 400",
        "glue:GetDatabase on resource: arn:aws:glue:us-east-1:123456789012:database/d",
    ),
    "application-autoscaling": (
        "describe_scalable_targets",
        {"ServiceNamespace": "sagemaker"},
        "AccessDeniedException 400",
        "application-autoscaling:DescribeScalableTargets on resource: *",
    ),
    "resource-groups": (
        "get_group",
        {"Group": "g"},
        "AccessDeniedException 403",
        "resource-groups:GetGroup on resource: arn:aws:resource-groups:us-east-1:123456789012:group/g",
    ),
    "resourcegroupstaggingapi": ("get_tag_keys", {}, "AccessDeniedException 400", "tag:GetTagKeys on resource: *"),
    "sqs": (
        "create_queue",
        {"QueueName": "q"},
        "AccessDenied 403",
        "sqs:CreateQueue on resource: arn:aws:sqs:us-east-1:123456789012:q",
    ),
    "sns": (
        "create_topic",
        {"Name": "t"},
        "AuthorizationError 403",
        "sns:CreateTopic on resource: arn:aws:sns:us-east-1:123456789012:t",
    ),
}


def test_a_user_with_no_policies_may_do_nothing_at_any_service(user: Callable[..., Client]) -> None:
    own = user("nobody")
    said = {name: refused(getattr(own(name), call), **params) for name, (call, params, _, _) in CALLS.items()}
    who = "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform:"
    # Of a role, nobody is told why.
    said["sts"] += " because no identity-based policy allows"
    wrong = {
        name: said[name]
        for name, (_, _, code, what) in CALLS.items()
        if not said[name].startswith(f"{code} {who} {what}")
        or "because no identity-based policy allows" not in said[name]
    }
    assert not wrong
    assert own("sts").get_caller_identity()["Arn"].endswith("user/nobody")


@pytest.fixture(scope="module")
def two_accounts() -> Iterator[tuple[Client, Client]]:
    with server(test_mode=True) as running:
        yield clients(running.url, *S3_ACCOUNTS["main"][1:]), clients(running.url, *S3_ACCOUNTS["alt"][1:])


def test_a_registry_is_shared_with_another_account(two_accounts: tuple[Client, Client]) -> None:
    owner, other = (client("sagemaker") for client in two_accounts)
    account, stranger = S3_ACCOUNTS["main"][0], S3_ACCOUNTS["alt"][0]
    group = owner.create_model_package_group(ModelPackageGroupName="shared")["ModelPackageGroupArn"]
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    asked = {"ModelPackageGroupName": group, "InferenceSpecification": specification}
    package = owner.create_model_package(**asked)["ModelPackageArn"]
    for call, arguments in (
        (other.describe_model_package, {"ModelPackageName": package}),
        (other.list_model_packages, {"ModelPackageGroupName": group}),
        (other.create_model_package, asked),
    ):
        assert "because no resource-based policy allows" in refused(call, **arguments)
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made_by = two_accounts[1]("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document(trust))
    role = made_by["Role"]["Arn"]
    made = {"ModelName": "theirs", "PrimaryContainer": {"ModelPackageName": package}, "ExecutionRoleArn": role}
    assert is_denied(other.create_model, **made)

    actions = [f"sagemaker:{name}ModelPackage" for name in ("Describe", "Create", "Update")]
    sharing = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{stranger}:root"},
        "Action": [*actions, "sagemaker:ListModelPackages", "sagemaker:CreateModel"],
        "Resource": f"arn:aws:sagemaker:us-east-1:{account}:model-package/shared/*",
    }
    owner.put_model_package_group_policy(ModelPackageGroupName="shared", ResourcePolicy=document(sharing))
    assert other.describe_model_package(ModelPackageName=package)["ModelPackageArn"] == package
    second = other.create_model_package(**asked)["ModelPackageArn"]
    assert second == package.replace("/1", "/2")
    listed = other.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert {each["ModelPackageArn"] for each in listed} == {package, second}
    other.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    assert owner.describe_model_package(ModelPackageName=package)["ModelApprovalStatus"] == "Approved"
    # A model is the stranger's own, of the owner's package.
    assert other.create_model(**made)["ModelArn"].split(":")[4] == stranger
    assert is_denied(other.delete_model_package, ModelPackageName=package)
    assert is_denied(other.describe_model_package_group, ModelPackageGroupName=group)
    # By its name, a group is the caller's own.
    assert other.list_model_packages(ModelPackageGroupName="shared")["ModelPackageSummaryList"] == []


def test_a_repository_is_shared_with_another_account(two_accounts: tuple[Client, Client]) -> None:
    owner, other = (client("ecr") for client in two_accounts)
    account, stranger = S3_ACCOUNTS["main"][0], S3_ACCOUNTS["alt"][0]
    owner.create_repository(repositoryName="images")
    asked = {"registryId": account, "repositoryName": "images"}
    assert is_denied(other.list_images, **asked)
    sharing = {"Effect": "Allow", "Principal": {"AWS": stranger}, "Action": "ecr:ListImages"}
    owner.set_repository_policy(repositoryName="images", policyText=document(sharing))
    assert other.list_images(**asked)["imageIds"] == []
    assert is_denied(other.delete_repository, **asked)
    assert "RepositoryNotFoundException" in refused(other.list_images, repositoryName="images")
