"""What a role of each persona may do and what not, in the words of the documentation, as IAM decides it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.core.errors import AccessDenied
from clary.services.iam.api import Identities, Principal
from clary.services.iam.role_manager.api import documents_of
from clary.services.iam.role_manager.catalog import CUSTOMIZATIONS, parameters

ACCOUNT, REGION = "123456789012", "us-east-1"
COMPUTE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker-compute"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
PERSONAS = ("data-scientist", "mlops", "compute")
PARAMETERS: dict[str, dict[str, list[str]]] = {
    "data-scientist": {"S3Buckets": ["science"], "PassRoles": [COMPUTE]},
    "mlops": {"PassRoles": [COMPUTE]},
    "compute": {"S3Buckets": ["science"], "ECRRepoArns": [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ours"]},
}


class Roles:
    """Roles made of the documents, as the console makes them: with calls of IAM."""

    def __init__(self, installation: Any) -> None:
        self.identities: Identities = installation.identities
        self._installation = installation
        self._iam = installation.client("iam")
        self._sequence = 0
        self.last = ""

    def session(self, wish: Mapping[str, Any]) -> Principal:
        """Somebody who has taken on the role that is wished for."""
        self._sequence += 1
        body = json.dumps({"Name": f"role-{self._sequence}", **wish}).encode()
        made = documents_of(body, ACCOUNT, REGION)
        name = self.last = made["RoleName"]
        role = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(made["TrustPolicy"]))["Role"]
        for policy in made["Policies"]:
            document = json.dumps(policy["Document"])
            arn = self._iam.create_policy(
                PolicyName=policy["PolicyName"], Path=policy["Path"], PolicyDocument=document
            )["Policy"]["Arn"]
            self._iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        self.identities.refresh()
        minted = self.identities.mint_session(role["Arn"], "somebody", 3600)
        return self.identities.resolve(minted["AccessKeyId"], minted["SessionToken"]).principal

    def user(self, name: str) -> Principal:
        self._iam.create_user(UserName=name)
        key = self._iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        self.identities.refresh()
        return self.identities.resolve(key).principal

    def assume(self, caller: Principal) -> dict[str, Any]:
        """Take on the role that was made last."""
        sts = self._installation.client("sts", caller)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{self.last}"
        return dict(sts.assume_role(RoleArn=arn, RoleSessionName="her-own"))

    def may(self, caller: Principal, action: str, resource: str = "*", **context: Any) -> bool:
        try:
            self.identities.authorize(caller, action, resource, context)
        except AccessDenied:
            return False
        return True


@pytest.fixture(scope="module")
def roles(make_installation: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    installation = make_installation(tmp_path_factory.mktemp("roles"))
    yield Roles(installation)
    installation.database.close()


@pytest.fixture(scope="module")
def people(roles: Roles) -> dict[str, Principal]:
    return {name: roles.session({"Persona": name, "Parameters": PARAMETERS[name]}) for name in PERSONAS}


BUCKET, OTHERS = "arn:aws:s3:::science", "arn:aws:s3:::finance"
SCIENTIST, OPERATOR, JOB = ("data-scientist",), ("mlops",), ("compute",)
PEOPLE = (*SCIENTIST, *OPERATOR)

TABLE: dict[str, tuple[tuple[str, ...], str, str, Mapping[str, str]]] = {
    # Run Studio Applications
    "create an app": (PEOPLE, "sagemaker:CreateApp", f"{SAGEMAKER}app/d-1/ada/JupyterServer/default", {}),
    "describe a domain": (PEOPLE, "sagemaker:DescribeDomain", f"{SAGEMAKER}domain/d-1", {}),
    "create a domain": ((), "sagemaker:CreateDomain", f"{SAGEMAKER}domain/d-1", {}),
    # Manage ML Jobs
    "train": (SCIENTIST, "sagemaker:CreateTrainingJob", f"{SAGEMAKER}training-job/j", {}),
    "tune": (SCIENTIST, "sagemaker:CreateHyperParameterTuningJob", f"{SAGEMAKER}hyper-parameter-tuning-job/j", {}),
    "transform": (SCIENTIST, "sagemaker:CreateTransformJob", f"{SAGEMAKER}transform-job/j", {}),
    "stop a transform job": (SCIENTIST, "sagemaker:StopTransformJob", f"{SAGEMAKER}transform-job/j", {}),
    "list training jobs": (SCIENTIST, "sagemaker:ListTrainingJobs", "*", {}),
    "label": ((), "sagemaker:CreateLabelingJob", f"{SAGEMAKER}labeling-job/j", {}),
    # Manage Models
    "create a model": (PEOPLE, "sagemaker:CreateModel", f"{SAGEMAKER}model/m", {}),
    "register a model": (PEOPLE, "sagemaker:CreateModelPackage", f"{SAGEMAKER}model-package/g/1", {}),
    "delete a model": (PEOPLE, "sagemaker:DeleteModel", f"{SAGEMAKER}model/m", {}),
    # Manage Endpoints
    "configure an endpoint": (OPERATOR, "sagemaker:CreateEndpointConfig", f"{SAGEMAKER}endpoint-config/c", {}),
    "deploy": (OPERATOR, "sagemaker:CreateEndpoint", f"{SAGEMAKER}endpoint/e", {}),
    "delete an endpoint": (OPERATOR, "sagemaker:DeleteEndpoint", f"{SAGEMAKER}endpoint/e", {}),
    "invoke an endpoint": ((), "sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/e", {}),
    # Manage Pipelines
    "create a pipeline": (OPERATOR, "sagemaker:CreatePipeline", f"{SAGEMAKER}pipeline/p", {}),
    "update a pipeline": (OPERATOR, "sagemaker:UpdatePipeline", f"{SAGEMAKER}pipeline/p", {}),
    "start a pipeline": (OPERATOR, "sagemaker:StartPipelineExecution", f"{SAGEMAKER}pipeline/p", {}),
    # Manage Experiments, Search and Visualize Experiments
    "create an experiment": (SCIENTIST, "sagemaker:CreateExperiment", f"{SAGEMAKER}experiment/x", {}),
    "delete a trial": (SCIENTIST, "sagemaker:DeleteTrial", f"{SAGEMAKER}experiment-trial/t", {}),
    "look at an experiment": (PEOPLE, "sagemaker:DescribeExperiment", f"{SAGEMAKER}experiment/x", {}),
    "query lineage": (PEOPLE, "sagemaker:QueryLineage", "*", {}),
    "search": (PEOPLE, "sagemaker:Search", "*", {}),
    # S3 Bucket Access, and the objects of Access Required AWS Services
    "list its bucket": ((*SCIENTIST, *JOB), "s3:ListBucket", BUCKET, {}),
    "read its bucket": ((*SCIENTIST, *JOB), "s3:GetObject", f"{BUCKET}/data.csv", {}),
    "write to its bucket": ((*SCIENTIST, *JOB), "s3:PutObject", f"{BUCKET}/model.tar.gz", {}),
    "delete from its bucket": (SCIENTIST, "s3:DeleteObject", f"{BUCKET}/data.csv", {}),
    "list another bucket": ((), "s3:ListBucket", OTHERS, {}),
    "read another bucket": ((), "s3:GetObject", f"{OTHERS}/wages.csv", {}),
    "read a bucket whose name begins like its own": ((), "s3:GetObject", "arn:aws:s3:::science-private/x", {}),
    "create a bucket": ((), "s3:CreateBucket", "arn:aws:s3:::new", {}),
    # Access Required AWS Services
    "pull its image": (JOB, "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ours", {}),
    "pull another image": ((), "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/theirs", {}),
    "put SageMaker's metrics": (
        JOB,
        "cloudwatch:PutMetricData",
        "*",
        {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"},
    ),
    "put others' metrics": ((), "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Billing"}),
    "write SageMaker's logs": (
        JOB,
        "logs:PutLogEvents",
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs:log-stream:j",
        {},
    ),
    "write others' logs": ((), "logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app", {}),
    # The roles that may be passed
    "pass the compute role": (PEOPLE, "iam:PassRole", COMPUTE, TO_SAGEMAKER),
    "pass it to another service": ((), "iam:PassRole", COMPUTE, {"iam:PassedToService": "lambda.amazonaws.com"}),
    "pass it to nobody": ((), "iam:PassRole", COMPUTE, {}),
    "pass another role": ((), "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/Administrator", TO_SAGEMAKER),
    # What nobody of them is for
    "create a role": ((), "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/new", {}),
    "change its own policies": ((), "iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/sagemaker-role-1", {}),
    "become another role": ((), "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/Administrator", {}),
    "decrypt": ((), "kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", {}),
    "read the trail": ((), "cloudtrail:LookupEvents", "*", {}),
}


@pytest.mark.parametrize("what", TABLE)
@pytest.mark.parametrize("persona", PERSONAS)
def test_a_persona_may_do_what_is_documented(
    roles: Roles, people: dict[str, Principal], persona: str, what: str
) -> None:
    allowed, action, resource, context = TABLE[what]
    assert roles.may(people[persona], action, resource, **context) is (persona in allowed)


def test_a_network_must_be_the_one_that_was_named(roles: Roles) -> None:
    narrowed = {each: [parameters()[each].example] for each in CUSTOMIZATIONS["Network"]}
    caller = roles.session({"Activities": ["manage-jobs"], "Parameters": {"PassRoles": [COMPUTE], **narrowed}})
    subnet, group = (values[0] for values in narrowed.values())

    def trains(**context: Any) -> bool:
        return roles.may(caller, "sagemaker:CreateTrainingJob", f"{SAGEMAKER}training-job/j", **context)

    assert trains(**{"sagemaker:VpcSubnets": [subnet], "sagemaker:VpcSecurityGroupIds": [group]})
    assert not trains()
    assert not trains(**{"sagemaker:VpcSubnets": [subnet]})
    other = ["subnet-other", subnet]
    assert not trains(**{"sagemaker:VpcSubnets": other, "sagemaker:VpcSecurityGroupIds": [group]})
    assert roles.may(caller, "sagemaker:StopTrainingJob", f"{SAGEMAKER}training-job/j")


def test_keys_must_be_those_that_were_named(roles: Roles) -> None:
    narrowed = {each: [parameters()[each].example] for each in CUSTOMIZATIONS["Encryption"]}
    wish = {
        "Activities": ["manage-jobs", "manage-endpoints", "access-aws-services"],
        "Parameters": {"PassRoles": [COMPUTE], "S3Buckets": ["science"], **narrowed},
    }
    caller = roles.session(wish)
    key = narrowed["DataKmsKeys"][0]

    def may(action: str, resource: str, **context: Any) -> bool:
        return roles.may(caller, action, resource, **context)

    job = f"{SAGEMAKER}training-job/j"
    both = {"sagemaker:VolumeKmsKey": key, "sagemaker:OutputKmsKey": key}
    assert may("sagemaker:CreateTrainingJob", job, **both)
    assert not may("sagemaker:CreateTrainingJob", job)
    assert not may("sagemaker:CreateTrainingJob", job, **{**both, "sagemaker:OutputKmsKey": f"{key}0"})
    config = f"{SAGEMAKER}endpoint-config/c"
    assert may("sagemaker:CreateEndpointConfig", config, **{"sagemaker:VolumeKmsKey": key})
    assert not may("sagemaker:CreateEndpointConfig", config)
    assert may("kms:GenerateDataKey", key, **{"kms:ViaService": f"s3.{REGION}.amazonaws.com"})
    assert not may("kms:GenerateDataKey", key)
    assert not may("kms:Decrypt", f"{key}0", **{"kms:ViaService": f"s3.{REGION}.amazonaws.com"})


def test_mlflow_may_be_used_without_managing_its_servers(roles: Roles) -> None:
    server = f"{SAGEMAKER}mlflow-tracking-server/s"
    uses = roles.session({"Activities": ["use-mlflow"]})
    assert roles.may(uses, "sagemaker-mlflow:CreateRun", server)
    assert not roles.may(uses, "sagemaker:DeleteMlflowTrackingServer", server)
    manages = roles.session({"Activities": ["manage-mlflow-tracking-servers"], "Parameters": {"PassRoles": [COMPUTE]}})
    assert roles.may(manages, "sagemaker:CreateMlflowTrackingServer", server)
    assert roles.may(manages, "sagemaker:AddTags", server, **{"sagemaker:TaggingAction": "CreateMlflowTrackingServer"})
    assert not roles.may(manages, "sagemaker:AddTags", server)
    assert not roles.may(manages, "sagemaker-mlflow:CreateRun", server)


def test_only_sagemaker_takes_on_a_role_unless_others_are_named(roles: Roles) -> None:
    ada = roles.user("ada")
    wish = {"Activities": ["s3-full-access"]}
    roles.session(wish)
    with pytest.raises(ClientError, match="AccessDenied"):
        roles.assume(ada)
    roles.session({**wish, "TrustedArns": [ada.arn]})
    assert roles.assume(ada)["AssumedRoleUser"]["Arn"].endswith(f":assumed-role/{roles.last}/her-own")
    with pytest.raises(ClientError, match="AccessDenied"):
        roles.assume(roles.user("grace"))
