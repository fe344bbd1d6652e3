"""Further accounts: made by Organizations, entered by a role, and each with resources of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from parity_lab import Lab, channel, eventually, labelled_rows, without_label

pytestmark = pytest.mark.slow("iam")
BUCKET = "branch-data"
ENTRANCE = "arn:aws:iam::{}:role/OrganizationAccountAccessRole"


def allow(principal: object, actions: object, resource: str = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": resource, **more}


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def account(lab: Lab) -> str:
    """The id of a further account."""
    created = lab.server.client("organizations").create_account(AccountName="Branch", Email="branch@example.com")
    return str(created["CreateAccountStatus"]["AccountId"])


@pytest.fixture
def session(lab: Lab, account: str) -> boto3.Session:
    """The administrator in that account."""
    return lab.server.session(ENTRANCE.format(account))


@pytest.fixture
def branch(lab: Lab, session: boto3.Session) -> Lab:
    """The lab in that account."""
    return Lab(lab.server, BUCKET, session)


def test_whoever_manages_the_organization_may_do_everything_in_its_accounts(lab: Lab, account: str) -> None:
    entered = lab.server.session(ENTRANCE.format(account))
    assert entered.client("sts").get_caller_identity()["Account"] == account
    iam = entered.client("iam")
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} == {
        "ClaryExecutionRole",
        "OrganizationAccountAccessRole",
    }
    iam.create_user(UserName="ann")
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = lab.server.session().client(
        "sts", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"]
    )
    assert ann.get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:user/ann"
    assert refused(lab.server.client("iam").get_user, UserName="ann") == "NoSuchEntity"
    # Only with permission to: the execution role of the first account has none.
    jobs = lab.server.session("ClaryExecutionRole").client("sts")
    assert refused(jobs.assume_role, RoleArn=ENTRANCE.format(account), RoleSessionName="job") == "AccessDenied"


def test_a_profile_with_a_role_enters_an_account(lab: Lab, account: str, tmp_path: Path) -> None:
    # As the AWS CLI and boto3 document it: a source profile, here the one that `clary env --write-profile` writes.
    environment = {**lab.server.environment, "AWS_CONFIG_FILE": str(tmp_path / "config"), "HOME": str(tmp_path)}
    keys = {name: environment.pop(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    role = f"arn:aws:iam::{lab.server.account}:role/Visitor"
    iam = lab.server.client("iam")
    trust = allow({"AWS": lab.server.account}, "sts:AssumeRole")
    del trust["Resource"]
    iam.create_role(RoleName="Visitor", AssumeRolePolicyDocument=document(trust))
    visit = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ENTRANCE.format(account)}
    iam.put_role_policy(RoleName="Visitor", PolicyName="visit", PolicyDocument=document(visit))
    clary = [sys.executable, "-m", "clary.cli", "env", "--home", str(lab.server.home)]
    subprocess.run([*clary, "--write-profile", "clary", "--role", role], env=environment | keys, check=True)
    with (tmp_path / "config").open("a") as file:
        file.write(
            f"\n[profile branch]\nrole_arn = {ENTRANCE.format(account)}\nsource_profile = clary\n"
            f"region = {environment.pop('AWS_REGION')}\nendpoint_url = {environment.pop('AWS_ENDPOINT_URL')}\n"
        )
    del environment["AWS_DEFAULT_REGION"]
    ask = "import boto3; print(boto3.client('s3').create_bucket(Bucket='branch')['Location'])"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env={**environment, "AWS_PROFILE": "branch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("/branch\n", "")
    entered = lab.server.session(ENTRANCE.format(account))
    assert [bucket["Name"] for bucket in entered.client("s3").list_buckets()["Buckets"]] == ["branch"]


def test_jobs_of_one_name_in_two_accounts(lab: Lab, branch: Lab, session: boto3.Session) -> None:
    rows = "\n".join(labelled_rows(100))
    labs = {lab.server.account: lab, branch.role.split(":")[4]: branch}
    for each in labs.values():
        data = each.put("train/rows.csv", rows)
        each.start("train", hyperparameters={"num_round": 1}, InputDataConfig=[channel("train", data)])
    for account, each in labs.items():
        job = each.completed("train")
        assert job["TrainingJobArn"].split(":")[4] == account
        assert job["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{each.bucket}/")
        assert [found["TrainingJobArn"] for found in each.sagemaker.list_training_jobs()["TrainingJobSummaries"]] == [
            job["TrainingJobArn"]
        ]
        found = each.sagemaker.search(Resource="TrainingJob")["Results"]
        assert [result["TrainingJob"]["TrainingJobArn"] for result in found] == [job["TrainingJobArn"]]
        streams = each.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
        assert {stream["arn"].split(":")[4] for stream in streams} == {account}
    # What only one of them has, only that one sees.
    branch.start("other", hyperparameters={"num_round": 1}, InputDataConfig=[channel("train", data)])
    branch.completed("other")
    assert refused(lab.sagemaker.describe_training_job, TrainingJobName="other") == "ValidationException"
    assert "other" not in lab.log_of("other")
    assert branch.log_of("other")
    measured = [
        {dimension["Value"] for metric in client.list_metrics()["Metrics"] for dimension in metric["Dimensions"]}
        for client in (lab.server.client("cloudwatch"), session.client("cloudwatch"))
    ]
    assert [any(value.startswith("other/") for value in values) for values in measured] == [False, True]


def test_endpoints_of_one_name_in_two_accounts(lab: Lab, branch: Lab) -> None:
    data, row = branch.put("train/rows.csv", "\n".join(labelled_rows(100))), without_label(labelled_rows(1))
    branch.start("train", hyperparameters={"num_round": 1}, InputDataConfig=[channel("train", data)])
    model = branch.completed("train")["ModelArtifacts"]["S3ModelArtifacts"]
    branch.deploy("flow", model)
    assert branch.invoke("flow", row)
    assert refused(lab.runtime.invoke_endpoint, EndpointName="flow", Body=row) == "ValidationError"
    assert lab.sagemaker.list_endpoints()["Endpoints"] == []
    lab.deploy("flow", lab.put("model.tar.gz", branch.get(model)))
    branch.sagemaker.delete_endpoint(EndpointName="flow")
    eventually(lambda: not branch.sagemaker.list_endpoints()["Endpoints"], "the endpoint is gone")
    assert lab.invoke("flow", row)


def test_a_job_reads_another_accounts_data_when_the_bucket_says_so(lab: Lab, branch: Lab) -> None:
    data = lab.put("train/rows.csv", "\n".join(labelled_rows(100)))
    given = {"hyperparameters": {"num_round": 1}, "InputDataConfig": [channel("train", data)]}
    branch.start("before", **given)
    assert branch.ended("before")["TrainingJobStatus"] == "Failed"
    role = {"AWS": branch.role}
    policy = document(
        allow(role, "s3:ListBucket", f"arn:aws:s3:::{lab.bucket}"),
        allow(role, "s3:GetObject", f"arn:aws:s3:::{lab.bucket}/train/*"),
    )
    lab.s3.put_bucket_policy(Bucket=lab.bucket, Policy=policy)
    branch.start("after", **given)
    branch.completed("after")
    # What it trained lies with its own account.
    assert refused(lab.s3.list_objects_v2, Bucket=BUCKET) == "AccessDenied"


def test_a_bucket_for_the_whole_organization(lab: Lab, session: boto3.Session) -> None:
    asked = {"Bucket": lab.bucket, "Key": "shared.txt"}
    lab.put("shared.txt", "all well")
    visitor = session.client("s3")
    assert lab.bucket not in {bucket["Name"] for bucket in visitor.list_buckets()["Buckets"]}
    assert refused(visitor.get_object, **asked) == "AccessDenied"
    own = session.client("organizations").describe_organization()["Organization"]["Id"]
    for organization in ("o-0123456789", own):
        condition = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        share = allow("*", "s3:GetObject", f"arn:aws:s3:::{lab.bucket}/*", Condition=condition)
        lab.s3.put_bucket_policy(Bucket=lab.bucket, Policy=document(share))
        if organization != own:
            assert refused(visitor.get_object, **asked) == "AccessDenied"
    assert visitor.get_object(**asked)["Body"].read() == b"all well"
    assert refused(visitor.put_object, **asked, Body=b"") == "AccessDenied"


def test_a_key_and_a_model_package_group(lab: Lab, account: str, session: boto3.Session) -> None:
    kms, visitor = lab.server.client("kms"), session.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert refused(visitor.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    own = allow({"AWS": lab.server.account}, "kms:*")
    kms.put_key_policy(KeyId=key, Policy=document(own, allow({"AWS": account}, "kms:Encrypt")))
    blob = visitor.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(visitor.decrypt, CiphertextBlob=blob, KeyId=key) == "AccessDeniedException"
    assert visitor.list_keys()["Keys"] == []

    arn = lab.sagemaker.create_model_package_group(ModelPackageGroupName="shared")["ModelPackageGroupArn"]
    describe = session.client("sagemaker").describe_model_package_group
    assert refused(describe, ModelPackageGroupName=arn) == "AccessDeniedException"
    share = allow({"AWS": f"arn:aws:iam::{account}:root"}, "sagemaker:DescribeModelPackageGroup", arn)
    lab.sagemaker.put_model_package_group_policy(ModelPackageGroupName="shared", ResourcePolicy=document(share))
    assert describe(ModelPackageGroupName=arn)["ModelPackageGroupArn"] == arn
    # The same name there is another group.
    session.client("sagemaker").create_model_package_group(ModelPackageGroupName="shared")
    assert describe(ModelPackageGroupName="shared")["ModelPackageGroupArn"] == arn.replace(lab.server.account, account)


def test_nobody_acts_in_an_account_that_is_closed(lab: Lab, account: str, session: boto3.Session) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")
    everybody = allow({"AWS": lab.server.account}, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document(everybody))
    lab.server.client("organizations").close_account(AccountId=account)
    # The edge learns of it as of every change of an identity: within a moment.
    eventually(lambda: _is_refused(s3), "the session is refused", 30)
    enter = lab.server.client("sts").assume_role
    assert refused(enter, RoleArn=ENTRANCE.format(account), RoleSessionName="late") == "AccessDenied"
    # The resources stay.
    assert lab.s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"x"


def _is_refused(s3: Any) -> bool:
    try:
        s3.list_buckets()
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "InvalidAccessKeyId")
    return False
