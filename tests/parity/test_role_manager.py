"""Personas at work: what the roles of Role Manager let people and jobs do against a running server, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, XGBOOST, Lab, labelled_rows

from clary.cli import roles
from clary.cli.client import Client
from clary.cli.installation import Installation
from clary.core.settings import load

pytestmark = pytest.mark.slow("iam")
PIPELINE = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": []})


class Team:
    """The roles of a team, each made as ``clary roles create`` makes it; the account may take them on too."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._client: Client = Installation(load(lab.server.home, {})).client()
        self.compute = self.make("compute", "compute", S3Buckets=[BUCKET])
        self.scientist = self.make("ada", "data-scientist", S3Buckets=[BUCKET], PassRoles=[self.compute])
        self.operator = self.make("grace", "mlops", PassRoles=[self.compute])

    def make(self, name: str, persona: str, **values: list[str]) -> str:
        account = f"arn:aws:iam::{self._lab.server.account}:root"
        wish = {"Name": name, "Persona": persona, "Parameters": values, "TrustedArns": [account]}
        return roles.create(self._client, roles.documents(self._client, wish))

    def acts(self, role: str, service: str) -> Any:
        """A plain boto3 client of somebody who has taken on the role."""
        return self._lab.server.session(role).client(service)


@pytest.fixture
def team(lab: Lab) -> Team:
    lab.s3.create_bucket(Bucket="finance")
    lab.s3.put_object(Bucket="finance", Key="wages.csv", Body=b"1,2,3")
    return Team(lab)


def refused(action: str, call: Callable[..., Any], **members: Any) -> None:
    """The call is refused for the lack of this permission."""
    with pytest.raises(ClientError) as error:
        call(**members)
    told = error.value.response["Error"]
    assert told["Code"] in ("AccessDenied", "AccessDeniedException"), told
    assert action in told["Message"], told


def test_a_data_scientist_trains_and_an_operator_deploys(lab: Lab, team: Team) -> None:
    sagemaker, s3 = team.acts(team.scientist, "sagemaker"), team.acts(team.scientist, "s3")
    s3.put_object(Bucket=BUCKET, Key="train/rows.csv", Body="\n".join(labelled_rows(200)).encode())
    refused("s3:GetObject", s3.get_object, Bucket="finance", Key="wages.csv")
    refused("s3:PutObject", s3.put_object, Bucket="finance", Key="x", Body=b"")
    refused("s3:CreateBucket", s3.create_bucket, Bucket="another")

    # Trains, as the compute role and as no other.
    job = lab.training(
        "by-ada",
        XGBOOST,
        channels={"train": f"s3://{BUCKET}/train/"},
        hyperparameters={"objective": "binary:logistic", "num_round": 3},
    )
    refused("iam:PassRole", sagemaker.create_training_job, **{**job, "RoleArn": lab.role})
    sagemaker.create_training_job(**{**job, "RoleArn": team.compute})
    trained = lab.completed("by-ada")
    assert trained["RoleArn"] == team.compute
    artifact = trained["ModelArtifacts"]["S3ModelArtifacts"]
    assert "train-error" in lab.log_of("by-ada") or "train-logloss" in lab.log_of("by-ada")

    # Registers the model, and leaves deploying to others.
    image = {"Image": XGBOOST, "ModelDataUrl": artifact}
    refused("iam:PassRole", sagemaker.create_model, ModelName="m", PrimaryContainer=image, ExecutionRoleArn=lab.role)
    sagemaker.create_model(ModelName="m", PrimaryContainer=image, ExecutionRoleArn=team.compute)
    sagemaker.create_experiment(ExperimentName="x")
    assert [each["ExperimentName"] for each in sagemaker.list_experiments()["ExperimentSummaries"]] == ["x"]
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    refused("sagemaker:CreateEndpointConfig", sagemaker.create_endpoint_config, **config)

    # The operator deploys it and runs pipelines, and trains nothing and reads no data.
    operates = team.acts(team.operator, "sagemaker")
    refused("sagemaker:CreateTrainingJob", operates.create_training_job, **{**job, "RoleArn": team.compute})
    refused("s3:GetObject", team.acts(team.operator, "s3").get_object, Bucket=BUCKET, Key="train/rows.csv")
    operates.create_endpoint_config(**config)
    operates.create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert lab.endpoint_settled("e")["EndpointStatus"] == "InService"
    pipeline = {"PipelineName": "p", "PipelineDefinition": PIPELINE, "ClientRequestToken": "t" * 32}
    refused("iam:PassRole", operates.create_pipeline, **pipeline, RoleArn=lab.role)
    operates.create_pipeline(**pipeline, RoleArn=team.compute)
    operates.update_pipeline(PipelineName="p", PipelineDescription="nightly")
    refused("sagemaker:DeletePipeline", sagemaker.delete_pipeline, PipelineName="p", ClientRequestToken="t" * 32)
    refused("sagemaker:DeleteEndpoint", sagemaker.delete_endpoint, EndpointName="e")
    operates.delete_endpoint(EndpointName="e")


def test_the_compute_role_is_for_jobs_only(lab: Lab, team: Team) -> None:
    lab.put("train/rows.csv", "a,b")
    s3, sagemaker = team.acts(team.compute, "s3"), team.acts(team.compute, "sagemaker")
    assert s3.get_object(Bucket=BUCKET, Key="train/rows.csv")["Body"].read() == b"a,b"
    refused("s3:GetObject", s3.get_object, Bucket="finance", Key="wages.csv")
    refused("s3:DeleteObject", s3.delete_object, Bucket=BUCKET, Key="train/rows.csv")
    refused("sagemaker:CreateEndpoint", sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="c")
    refused("sagemaker:ListTrainingJobs", sagemaker.list_training_jobs)


@pytest.mark.parametrize("who", ["scientist", "operator", "compute"])
def test_nobody_gives_himself_more(lab: Lab, team: Team, who: str) -> None:
    role = getattr(team, who)
    name = role.rpartition("/")[2]
    iam, sts = team.acts(role, "iam"), team.acts(role, "sts")
    trust = json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}})
    refused("iam:CreateRole", iam.create_role, RoleName="mine", AssumeRolePolicyDocument=trust)
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    refused("iam:AttachRolePolicy", iam.attach_role_policy, RoleName=name, PolicyArn=admin)
    (policy, *_) = lab.server.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    everything = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    refused(
        "iam:CreatePolicyVersion",
        iam.create_policy_version,
        PolicyArn=policy["PolicyArn"],
        PolicyDocument=everything,
        SetAsDefault=True,
    )
    refused("iam:UpdateAssumeRolePolicy", iam.update_assume_role_policy, RoleName=name, PolicyDocument=trust)
    refused("iam:DeleteRole", iam.delete_role, RoleName="ClaryExecutionRole")
    own = sts.get_caller_identity()["Arn"]
    assert f":assumed-role/{name}/" in own


def test_a_network_that_was_named_is_the_only_one(lab: Lab, team: Team) -> None:
    lab.put("train/rows.csv", "\n".join(labelled_rows(60)))
    named = {"VpcSubnets": ["subnet-0a1b2c3d"], "VpcSecurityGroups": ["sg-0a1b2c3d"]}
    inside = team.make("inside", "data-scientist", S3Buckets=[BUCKET], PassRoles=[team.compute], **named)
    sagemaker = team.acts(inside, "sagemaker")
    job = lab.training("inside", XGBOOST, channels={"train": f"s3://{BUCKET}/train/"}, RoleArn=team.compute)
    job["HyperParameters"] = {"num_round": "1"}
    refused("sagemaker:CreateTrainingJob", sagemaker.create_training_job, **job)
    other = {"Subnets": ["subnet-0a1b2c3d", "subnet-other"], "SecurityGroupIds": ["sg-0a1b2c3d"]}
    refused("sagemaker:CreateTrainingJob", sagemaker.create_training_job, **job, VpcConfig=other)
    right = {"Subnets": named["VpcSubnets"], "SecurityGroupIds": named["VpcSecurityGroups"]}
    sagemaker.create_training_job(**job, VpcConfig=right)
    sagemaker.stop_training_job(TrainingJobName="inside")
    lab.ended("inside")


def test_keys_that_were_named_are_the_only_ones(lab: Lab, team: Team) -> None:
    lab.put("train/rows.csv", "\n".join(labelled_rows(60)))
    kms = lab.server.client("kms")
    data, volume, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3))
    named = {"DataKmsKeys": [data], "VolumeKmsKeys": [volume]}
    compute = team.make("sealed-compute", "compute", S3Buckets=[BUCKET], **named)
    sealed = team.make("sealed", "data-scientist", S3Buckets=[BUCKET], PassRoles=[compute], **named)
    sagemaker = team.acts(sealed, "sagemaker")
    job = lab.training("sealed", XGBOOST, channels={"train": f"s3://{BUCKET}/train/"}, RoleArn=compute)
    job["HyperParameters"] = {"num_round": "1"}
    refused("sagemaker:CreateTrainingJob", sagemaker.create_training_job, **job)
    job["ResourceConfig"]["VolumeKmsKeyId"] = volume
    job["OutputDataConfig"]["KmsKeyId"] = other
    refused("sagemaker:CreateTrainingJob", sagemaker.create_training_job, **job)
    job["OutputDataConfig"]["KmsKeyId"] = data
    sagemaker.create_training_job(**job)
    artifact = lab.completed("sealed")["ModelArtifacts"]["S3ModelArtifacts"]
    key = artifact.removeprefix(f"s3://{BUCKET}/")
    assert lab.s3.head_object(Bucket=BUCKET, Key=key)["SSEKMSKeyId"] == data
    refused("kms:Decrypt", team.acts(compute, "kms").decrypt, CiphertextBlob=sealed_by(kms, data))


def sealed_by(kms: Any, key: str) -> bytes:
    return bytes(kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"])
