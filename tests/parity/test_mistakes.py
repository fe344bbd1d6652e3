"""Every common mistake is answered as AWS answers it: refused with its code, or a job that fails with the reason."""

from __future__ import annotations

import datetime
import http.client
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.auth
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from parity_lab import BUCKET, LINEAR_LEARNER, SKLEARN, XGBOOST, Lab, labelled_rows, pack

ONCE = Config(retries={"total_max_attempts": 1})
ROUNDS = {"num_round": 2}


@contextmanager
def refused(code: str, message: str = "", status: int = 400) -> Iterator[None]:
    """The call within is refused with this code and status, and a message that ``message`` (an expression) is in."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer
    assert re.search(message, answer["Error"]["Message"]), answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["ResponseMetadata"].get("RequestId")


@pytest.fixture
def rows(lab: Lab) -> str:
    """The address of training data that there is nothing wrong with."""
    lab.put("train/rows.csv", "\n".join(labelled_rows(50)))
    return f"s3://{BUCKET}/train/"


# -- roles ------------------------------------------------------------------------------------------------------------


def test_a_role_that_is_not_there(lab: Lab, rows: str) -> None:
    role = "arn:aws:iam::123456789012:role/Nobody"
    why = re.escape(f"Could not assume role {role}. Please ensure that the role exists and allows principal ")
    with refused("ValidationException", why + "'sagemaker.amazonaws.com' to assume the role"):
        lab.start("nobody", hyperparameters=ROUNDS, channels={"train": rows}, RoleArn=role)
    with refused("ValidationException", why):
        lab.sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": XGBOOST})
    with refused("ValidationException", "roleArn.*regular expression pattern"):
        lab.start("nobody", hyperparameters=ROUNDS, channels={"train": rows}, RoleArn="role/ClaryExecutionRole")
    with refused("NoSuchEntity", "The role with name Nobody cannot be found", 404):
        lab.server.client("iam").get_role(RoleName="Nobody")


def test_a_role_that_does_not_trust_sagemaker(lab: Lab) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = lab.server.client("iam").create_role(RoleName="Lambda", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    with refused("ValidationException", "Could not assume role .*role/Lambda"):
        lab.start("lambda", hyperparameters=ROUNDS, RoleArn=role)


def test_a_user_who_may_not_pass_the_role(lab: Lab) -> None:
    iam = lab.server.client("iam")
    iam.create_user(UserName="Reader")
    allow = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="Reader", PolicyName="sagemaker", PolicyDocument=document)
    key = iam.create_access_key(UserName="Reader")["AccessKey"]
    reader = client(lab, "sagemaker", key["AccessKeyId"], key["SecretAccessKey"])
    assert reader.list_training_jobs()["TrainingJobSummaries"] == []
    user = "arn:aws:iam::123456789012:user/Reader"
    with refused("AccessDeniedException", f"User: {user} is not authorized to perform: iam:PassRole on resource", 400):
        reader.create_training_job(**lab.training("reader", hyperparameters=ROUNDS))
    with refused("AccessDenied", f"User: {user} is not authorized to perform: s3:ListAllMyBuckets", 403):
        client(lab, "s3", key["AccessKeyId"], key["SecretAccessKey"]).list_buckets()


# -- data -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ["s3://no-such-bucket/train/", f"s3://{BUCKET}/nothing-here/"])
def test_data_that_is_not_there(lab: Lab, uri: str) -> None:
    lab.start("no-data", hyperparameters=ROUNDS, channels={"train": uri})
    reason = lab.ended("no-data")["FailureReason"]
    assert reason.startswith(f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}"'), reason
    assert "Please ensure that the bucket exists in the selected region (us-east-1)" in reason
    assert lab.role in reason


def test_an_output_bucket_that_is_not_there(lab: Lab, rows: str) -> None:
    output = {"S3OutputPath": "s3://no-such-bucket/output"}
    lab.start("no-output", hyperparameters=ROUNDS, channels={"train": rows}, OutputDataConfig=output)
    job = lab.ended("no-output")
    assert job["TrainingJobStatus"] == "Failed"
    assert re.search(r'ClientError: Data upload failed: .*bucket of "s3://no-such-bucket/output', job["FailureReason"])
    with refused("NoSuchBucket", "The specified bucket does not exist", 404):
        lab.s3.list_objects_v2(Bucket="no-such-bucket")


def test_data_that_the_role_may_not_read(lab: Lab, rows: str) -> None:
    iam = lab.server.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="Blind", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    lab.start("blind", hyperparameters=ROUNDS, channels={"train": rows}, RoleArn=role)
    reason = lab.ended("blind")["FailureReason"]
    assert reason.startswith(f'ClientError: Data download failed: Access denied for S3 URL "{rows}"'), reason
    assert '"s3:ListBucket" permissions' in reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1,2,3\n0,4\n", "(?i)column|field"),
        ("label,a,b\n1,2,3\n", "(?i)header|could not|number|numeric"),
        ("", "(?i)empty|no data|no rows"),
    ],
)
@pytest.mark.parametrize("image", [XGBOOST, LINEAR_LEARNER])
def test_csv_that_cannot_be_read(lab: Lab, image: str, content: str, words: str) -> None:
    hyperparameters = ROUNDS if image == XGBOOST else {"predictor_type": "regressor"}
    uri = lab.put("bad/rows.csv", content)
    lab.start("bad-csv", image, hyperparameters=hyperparameters, channels={"train": uri})
    job = lab.ended("bad-csv")
    assert job["TrainingJobStatus"] == "Failed"
    assert re.match(r"(AlgorithmError|ClientError): ", job["FailureReason"]), job["FailureReason"]
    assert re.search(words, job["FailureReason"]), job["FailureReason"]
    assert "Traceback" not in job["FailureReason"]


# -- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "given", "message"),
    [
        (XGBOOST, {"num_round": "many"}, "Hyperparameter num_round: could not parse value"),
        (XGBOOST, {"num_round": 0}, r"Hyperparameter num_round: 0 is not in \[1, \+inf\)"),
        (XGBOOST, {"num_round": 2, "eta": 3}, r"Hyperparameter eta: 3.0 is not in \[0, 1\]"),
        (XGBOOST, {"num_round": 2, "depth": 3}, "Extraneous hyperparameter found: depth"),
        (XGBOOST, {"eta": 0.5}, "Missing required hyperparameter: num_round"),
        (LINEAR_LEARNER, {"predictor_type": "oracle"}, "predictor_type.*oracle"),
        (LINEAR_LEARNER, {}, "predictor_type"),
    ],
)
def test_hyperparameters_that_the_algorithm_does_not_take(
    lab: Lab, rows: str, image: str, given: dict[str, Any], message: str
) -> None:
    with refused("ValidationException", message):
        lab.start("hyper", image, hyperparameters=given, channels={"train": rows})
    assert lab.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


@pytest.mark.parametrize("image", ["nobody/knows:1", XGBOOST.replace("3.0-5", "99.0-1")])
def test_an_image_that_is_not_known(lab: Lab, rows: str, image: str) -> None:
    lab.start("image", image, channels={"train": rows})
    reason = lab.ended("image")["FailureReason"]
    assert reason.startswith(f"ClientError: Cannot pull image '{image}'"), reason
    lab.model("image", None, image)
    lab.endpoint_config("image", "image")
    lab.sagemaker.create_endpoint(EndpointName="image", EndpointConfigName="image")
    endpoint = lab.endpoint_settled("image")
    assert endpoint["EndpointStatus"] == "Failed"
    assert image in endpoint["FailureReason"]


@pytest.mark.parametrize("name", ["with space", "under_score", "-dash", "a" * 64, "é"])
def test_names_that_are_not_allowed(lab: Lab, name: str) -> None:
    with refused("ValidationException", r"\d validation errors? detected: Value '.*' at 'trainingJobName' failed"):
        lab.start(name, hyperparameters=ROUNDS)
    with refused("ValidationException", "at 'modelName' failed to satisfy constraint: Member must"):
        lab.model(name, None)


def test_names_that_are_taken(lab: Lab) -> None:
    def command(name: str) -> None:
        lab.start(name, AlgorithmSpecification={"ContainerEntrypoint": ["/bin/true"]})

    command("twice")
    with refused("ResourceInUse", "Job name must be unique within an AWS account and region"):
        command("twice")
    lab.completed("twice")
    with refused("ResourceInUse", "training-job/twice"):
        command("twice")
    lab.model("twice", None)
    with refused("ValidationException", 'Cannot create already existing model ".*:model/twice"'):
        lab.model("twice", None)
    lab.endpoint_config("twice", "twice")
    with refused("ValidationException", "Cannot create already existing endpoint configuration"):
        lab.endpoint_config("twice", "twice")


def test_names_of_nothing(lab: Lab) -> None:
    with refused("ValidationException", "Requested resource not found"):
        lab.sagemaker.describe_training_job(TrainingJobName="nothing")
    with refused("ValidationException", "Could not find model"):
        lab.endpoint_config("nothing", "nothing")
    with refused("ValidationException", "Could not find endpoint configuration"):
        lab.sagemaker.create_endpoint(EndpointName="nothing", EndpointConfigName="nothing")
    with refused("ValidationException", "Could not find endpoint"):
        lab.sagemaker.delete_endpoint(EndpointName="nothing")
    with refused("ValidationError", "Endpoint nothing of account 123456789012 not found"):
        lab.invoke("nothing", "1,2")


def test_requests_with_members_missing_or_wrong(lab: Lab) -> None:
    """What boto3 would have found by itself, from a client that does not look."""
    unchecked = lab.server.client("sagemaker", config=Config(parameter_validation=False))
    request = lab.training("wrong", hyperparameters=ROUNDS)
    without = {name: value for name, value in request.items() if name != "RoleArn"}
    with refused(
        "ValidationException", "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    ):
        unchecked.create_training_job(**without)
    with refused("ValidationException", "at 'algorithmSpecification.trainingInputMode' .* enum value set"):
        bad = {"TrainingImage": XGBOOST, "TrainingInputMode": "Carrier pigeon"}
        unchecked.create_training_job(**{**request, "AlgorithmSpecification": bad})
    with refused("ValidationException", "greater than or equal to 1"):
        unchecked.create_training_job(**{**request, "StoppingCondition": {"MaxRuntimeInSeconds": 0}})
    with refused("SerializationException"):
        unchecked.create_training_job(**{**request, "StoppingCondition": {"MaxRuntimeInSeconds": "many"}})


# -- scripts ----------------------------------------------------------------------------------------------------------


def test_a_script_that_raises(lab: Lab) -> None:
    lab.start_script("raises", "raise KeyError('the column that is not there')")
    job = lab.ended("raises")
    assert job["TrainingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "), reason
    assert "KeyError: 'the column that is not there'" in reason
    assert reason.endswith("exit code: 1")
    assert "Traceback (most recent call last)" in lab.log_of("raises")


def test_a_script_with_an_error_of_syntax(lab: Lab) -> None:
    lab.start_script("syntax", "def broken(:\n    pass\n")
    assert "SyntaxError" in lab.ended("syntax")["FailureReason"]


def test_a_script_that_is_not_in_its_archive(lab: Lab) -> None:
    code = lab.put("code/other.tar.gz", pack({"other.py": ""}))
    given = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(code)}
    lab.start("missing", SKLEARN, hyperparameters=given)
    reason = lab.ended("missing")["FailureReason"]
    assert re.search(r"The entry point train\.py is not in the source folder, exit code: \d", reason), reason


@pytest.mark.parametrize("content", [None, b"this is no archive"])
def test_an_archive_that_is_not_one(lab: Lab, content: bytes | None) -> None:
    uri = f"s3://{BUCKET}/code/sourcedir.tar.gz"
    if content is not None:
        lab.put("code/sourcedir.tar.gz", content)
    given = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(uri)}
    lab.start("archive", SKLEARN, hyperparameters=given)
    reason = lab.ended("archive")["FailureReason"]
    assert reason.startswith("ClientError: "), reason
    assert (uri in reason) if content is None else ("cannot be unpacked" in reason), reason


def test_a_requirement_that_does_not_exist(lab: Lab) -> None:
    lab.start_script("requirement", "", files={"requirements.txt": "no-such-package-anywhere==1.0\n"})
    reason = lab.ended("requirement")["FailureReason"]
    assert reason.startswith("ClientError: "), reason
    assert "requirements.txt" in reason
    assert "no-such-package-anywhere" in reason


def test_a_command_that_is_not_in_the_image(lab: Lab) -> None:
    lab.start("command", AlgorithmSpecification={"ContainerEntrypoint": ["no-such-program"]})
    job = lab.ended("command")
    assert job["TrainingJobStatus"] == "Failed"
    assert "no-such-program" in job["FailureReason"]


# -- endpoints --------------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_there_or_not_one(lab: Lab) -> None:
    for name, uri, words in (
        ("absent", f"s3://{BUCKET}/absent/model.tar.gz", "absent/model.tar.gz"),
        ("broken", lab.put("broken/model.tar.gz", b"this is no archive"), "cannot be unpacked"),
        ("empty", lab.put("empty/model.tar.gz", pack({"readme.txt": "no model"})), "(?i)model|ping health check"),
    ):
        lab.model(name, uri)
        lab.endpoint_config(name, name)
        lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        endpoint = lab.endpoint_settled(name)
        assert endpoint["EndpointStatus"] == "Failed"
        assert re.search(words, endpoint["FailureReason"]), endpoint["FailureReason"]


def test_payloads_that_the_model_cannot_read(lab: Lab, rows: str) -> None:
    lab.start("payload", hyperparameters=ROUNDS, channels={"train": rows})
    lab.deploy("payload", lab.completed("payload")["ModelArtifacts"]["S3ModelArtifacts"])

    def model_error(call: Callable[[], object]) -> dict[str, Any]:
        with pytest.raises(ClientError) as caught:
            call()
        answer = caught.value.response
        assert answer["Error"]["Code"] == "ModelError"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert answer["LogStreamArn"].startswith(
            "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/"
        )
        return answer

    answer = model_error(lambda: lab.invoke("payload", "not,numbers,at,all"))
    assert 400 <= answer["OriginalStatusCode"] < 500
    assert answer["OriginalMessage"]
    assert "See " in answer["Error"]["Message"]
    assert model_error(lambda: lab.invoke("payload", "<a/>", "text/xml"))["OriginalStatusCode"] == 415
    with refused("ValidationError", "Variant blue"):
        lab.invoke("payload", "1,2,3,4", TargetVariant="blue")
    assert lab.invoke("payload", "1,2,3,4")


def test_payloads_that_are_too_large(lab: Lab) -> None:
    with refused("RequestEntityTooLarge", status=413):
        lab.invoke("payload", b"1" * (26 * 1024 * 1024))
    with refused("RequestEntityTooLarge", status=413):
        lab.sagemaker.create_model(
            ModelName="large",
            ExecutionRoleArn=lab.role,
            PrimaryContainer={"Image": XGBOOST, "Environment": {"A": "a" * (26 * 1024 * 1024)}},
        )


# -- signatures -------------------------------------------------------------------------------------------------------


def client(lab: Lab, service: str, access_key: str, secret_key: str, token: str | None = None) -> Any:
    """A client that signs with the given keys and asks once."""
    return boto3.session.Session().client(
        service,
        endpoint_url=lab.server.url,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        aws_session_token=token,
        config=ONCE,
    )


def calls(lab: Lab, *keys: str) -> dict[str, Callable[[], object]]:
    """One call of each protocol, signed with ``keys``."""
    sagemaker, s3, sts = (client(lab, name, *keys) for name in ("sagemaker", "s3", "sts"))
    runtime, logs = client(lab, "sagemaker-runtime", *keys), client(lab, "logs", *keys)
    return {
        "sagemaker": sagemaker.list_models,
        "logs": logs.describe_log_groups,
        "runtime": lambda: runtime.invoke_endpoint(EndpointName="e", Body=b""),
        "s3": s3.list_buckets,
        "sts": sts.get_caller_identity,
    }


def keys(lab: Lab) -> tuple[str, str]:
    credentials = lab.server.session().get_credentials()
    return credentials.access_key, credentials.secret_key


def test_a_wrong_secret_key(lab: Lab) -> None:
    right, secret = keys(lab)
    codes = dict.fromkeys(("sagemaker", "logs", "runtime"), "InvalidSignatureException")
    codes |= dict.fromkeys(("s3", "sts"), "SignatureDoesNotMatch")
    for name, call in calls(lab, right, secret[:-1] + ("a" if secret[-1] != "a" else "b")).items():
        with refused(codes[name], "The request signature we calculated does not match the signature you provided", 403):
            call()


def test_an_access_key_that_nobody_has(lab: Lab) -> None:
    codes = dict.fromkeys(("sagemaker", "logs", "runtime"), "UnrecognizedClientException")
    codes |= {"s3": "InvalidAccessKeyId", "sts": "InvalidClientTokenId"}
    for name, call in calls(lab, "AKIAIOSFODNN7EXAMPLE", "secret").items():
        with refused(codes[name], "The security token included in the request is invalid|does not exist", 403):
            call()


def test_a_session_token_that_is_not_one(lab: Lab) -> None:
    with refused("UnrecognizedClientException", "The security token included in the request is invalid", 403):
        calls(lab, *keys(lab), "not a token")["sagemaker"]()


def test_a_clock_that_is_wrong(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *a, **k: now(*a, **k) - datetime.timedelta(hours=1)
    )
    every = calls(lab, *keys(lab))
    with refused("InvalidSignatureException", r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z", 403):
        every["sagemaker"]()
    with refused("SignatureDoesNotMatch", "Signature expired: ", 403):
        every["sts"]()
    with refused(
        "RequestTimeTooSkewed", "The difference between the request time and the current time is too large", 403
    ):
        every["s3"]()


def test_no_signature_at_all(lab: Lab) -> None:
    def post(headers: dict[str, str], path: str = "/") -> tuple[int, bytes]:
        address = urlsplit(lab.server.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        connection.request("POST", path, body=b"{}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    target = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    status, body = post(target)
    assert (status, json.loads(body)["__type"].rpartition("#")[2]) == (403, "MissingAuthenticationTokenException")
    status, body = post({**target, "Host": "evil.example"})
    assert status == 400
    assert b"AccessDenied" in body
    assert b"evil.example" in body
