"""Scripts as the SDK hands them over, by hand with boto3: what they are given, and how they end."""

from __future__ import annotations

import io
import json
import re
import tarfile

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, XGBOOST, Lab, eventually, labelled_rows, labels, wheel, without_label

TRAIN = """
    import argparse, os, pathlib
    import joblib, numpy
    from sklearn.linear_model import LogisticRegression
    from names import MODEL

    def model_fn(folder):
        return joblib.load(pathlib.Path(folder) / MODEL)

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--regularisation", type=float)
        parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
        parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
        arguments = parser.parse_args()
        rows = numpy.loadtxt(pathlib.Path(arguments.train) / "rows.csv", delimiter=",")
        model = LogisticRegression(C=arguments.regularisation).fit(rows[:, 1:], rows[:, 0])
        for epoch in range(3):
            print(f"epoch={epoch}; accuracy={model.score(rows[:, 1:], rows[:, 0]):.3f}; loss={1 / (epoch + 1):.3f}")
        joblib.dump(model, pathlib.Path(arguments.model_dir) / MODEL)

    if __name__ == "__main__":
        main()
    """
NAMES = {"names.py": "MODEL = 'model.joblib'"}

PATIENT = """
    import os, pathlib, signal, sys, time

    def stop(*_):
        print("saving what there is", flush=True)
        (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "partial.txt").write_text("saved on SIGTERM")
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    print("training for ever", flush=True)
    while True:
        time.sleep(0.1)
    """


def test_a_script_trains_with_its_arguments_and_serves_its_model(lab: Lab) -> None:
    rows, held_out = labelled_rows(200), labelled_rows(20, seed=1)
    lab.put("train/rows.csv", "\n".join(rows))
    lab.start_script(
        "script",
        TRAIN,
        files=NAMES,
        hyperparameters={"regularisation": 0.5},
        channels={"train": f"s3://{BUCKET}/train/"},
        AlgorithmSpecification={
            "MetricDefinitions": [
                {"Name": "train:accuracy", "Regex": "accuracy=([0-9.]+)"},
                {"Name": "train:loss", "Regex": "loss=([0-9.]+)"},
            ]
        },
    )
    job = lab.completed("script")

    assert "--regularisation 0.5" in lab.log_of("script")
    metrics = {metric["MetricName"]: metric for metric in job["FinalMetricDataList"]}
    assert metrics["train:loss"]["Value"] == pytest.approx(0.333)
    assert metrics["train:accuracy"]["Value"] > 0.9
    assert job["TrainingStartTime"] <= metrics["train:loss"]["Timestamp"] <= job["TrainingEndTime"]
    steps = [(step["Status"], step["StatusMessage"]) for step in job["SecondaryStatusTransitions"]]
    assert [status for status, _ in steps] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(message for _, message in steps)
    assert all(step["StartTime"] <= step["EndTime"] for step in job["SecondaryStatusTransitions"])
    assert 1 <= job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]

    lab.deploy(
        "script",
        job["ModelArtifacts"]["S3ModelArtifacts"],
        SKLEARN,
        Environment={
            "SAGEMAKER_PROGRAM": "train.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": lab.script(TRAIN, **NAMES),
        },
    )
    answer = json.loads(lab.invoke("script", without_label(held_out), Accept="application/json"))
    assert sum(a == b for a, b in zip(answer, labels(held_out), strict=True)) >= 17


def test_the_environment_is_that_of_the_official_container(lab: Lab) -> None:
    """https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md"""
    lab.put("train/rows.csv", "1,2\n")
    lab.start_script(
        "environment",
        """
        import json, os, pathlib, sys
        seen = {name: value for name, value in os.environ.items() if name.startswith(("SM_", "TRAINING_", "MY_"))}
        files = pathlib.Path("/opt/ml/input/config").iterdir()
        configuration = {file.stem: json.loads(file.read_text()) for file in files}
        facts = {"environment": seen, "arguments": sys.argv[1:], "folder": os.getcwd(), "configuration": configuration}
        pathlib.Path("/opt/ml/output/data/facts.json").write_text(json.dumps(facts))
        """,
        hyperparameters={"epochs": 3, "name": "a b", "flag": True, "n": 1},
        channels={"train": f"s3://{BUCKET}/train/"},
        Environment={"MY_VARIABLE": "mine"},
    )
    job = lab.completed("environment")
    facts = json.loads(lab.archive(f"s3://{BUCKET}/output/environment/output/output.tar.gz")["facts.json"])
    seen = facts["environment"]
    assert facts["folder"] == "/opt/ml/code"
    assert facts["arguments"] == ["--epochs", "3", "--flag", "True", "-n", "1", "--name", "a b"]
    assert json.loads(seen["SM_HPS"]) == {"epochs": 3, "name": "a b", "flag": True, "n": 1}
    assert (seen["SM_HP_EPOCHS"], seen["SM_CHANNEL_TRAIN"]) == ("3", "/opt/ml/input/data/train")
    assert (seen["SM_MODEL_DIR"], seen["SM_OUTPUT_DATA_DIR"]) == ("/opt/ml/model", "/opt/ml/output/data")
    assert (json.loads(seen["SM_HOSTS"]), seen["SM_CURRENT_HOST"]) == (["algo-1"], "algo-1")
    assert (seen["TRAINING_JOB_NAME"], seen["TRAINING_JOB_ARN"]) == ("environment", job["TrainingJobArn"])
    assert seen["MY_VARIABLE"] == "mine"
    assert facts["configuration"]["resourceconfig"]["current_host"] == "algo-1"
    assert facts["configuration"]["inputdataconfig"]["train"]["ContentType"] == "text/csv"
    assert facts["configuration"]["hyperparameters"]["epochs"] == "3"


def test_a_manifest_names_the_objects_of_a_channel(lab: Lab) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html"""
    for name in ("a.csv", "deep/b.csv", "not-wanted.csv"):
        lab.put(f"parts/{name}", name)
    manifest = lab.put("list.manifest", json.dumps([{"prefix": f"s3://{BUCKET}/parts/"}, "a.csv", "deep/b.csv"]))
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}}
    command = "cd /opt/ml/input/data/train && cat $(find . -type f | sort)"
    shell = {"ContainerEntrypoint": ["/bin/sh", "-c", command]}
    channels = [{"ChannelName": "train", "DataSource": source}]
    lab.start("manifest", SKLEARN, AlgorithmSpecification=shell, InputDataConfig=channels)
    lab.completed("manifest")
    assert lab.log_of("manifest").splitlines()[-1] == "a.csvdeep/b.csv"
    lab.put("list.manifest", "a.csv")
    lab.start("no-manifest", SKLEARN, AlgorithmSpecification=shell, InputDataConfig=channels)
    assert lab.ended("no-manifest")["FailureReason"].startswith(
        f'ClientError: Data download failed: The manifest "{manifest}" cannot be used: line 1: it is not JSON'
    )


def test_a_stopped_script_hears_sigterm_and_what_it_saves_is_kept(lab: Lab) -> None:
    lab.start_script("patient", PATIENT)
    lab.await_log("patient", "training for ever")
    lab.sagemaker.stop_training_job(TrainingJobName="patient")
    assert lab.sagemaker.describe_training_job(TrainingJobName="patient")["TrainingJobStatus"] in (
        "Stopping",
        "Stopped",
    )
    job = lab.ended("patient")

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job
    assert "saving what there is" in lab.log_of("patient")
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"partial.txt": b"saved on SIGTERM"}
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"]
    with pytest.raises(ClientError, match="in status Stopped") as refusal:
        lab.sagemaker.stop_training_job(TrainingJobName="patient")
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_a_job_that_runs_too_long_is_stopped_and_keeps_its_model(lab: Lab) -> None:
    lab.start_script("endless", PATIENT, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = lab.ended("endless")

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "MaxRuntimeExceeded"
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"partial.txt": b"saved on SIGTERM"}


def test_a_commands_exit_code_and_its_failure_file_become_the_reason(lab: Lab) -> None:
    write = "echo 'the third column is not a number' > /opt/ml/output/failure; exit 7"
    lab.start(
        "excused", AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [write]}
    )
    job = lab.ended("excused")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: the third column is not a number, exit code: 7"
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == job["FailureReason"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/excused/output/model.tar.gz")

    lab.start("silent", AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", "exit 3"]})
    assert re.fullmatch(r"AlgorithmError: .+, exit code: 3", lab.ended("silent")["FailureReason"])


def test_network_isolation_leaves_the_job_no_network_but_its_data(lab: Lab) -> None:
    lab.put("train/rows.csv", "1,2\n")
    lab.start_script(
        "isolated",
        f"""
        import os, pathlib, socket, urllib.parse
        address = urllib.parse.urlsplit("{lab.server.url}")
        try:
            socket.create_connection((address.hostname, address.port), 2)
            found = "connected"
        except OSError as error:
            found = "refused"
        credentials = [name for name in os.environ if "CREDENTIALS" in name or "TOKEN" in name]
        content = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "rows.csv").read_text()
        pathlib.Path(os.environ["SM_MODEL_DIR"], "found.txt").write_text(f"{{found}} {{credentials}} {{content}}")
        """,
        channels={"train": f"s3://{BUCKET}/train/"},
        EnableNetworkIsolation=True,
    )
    job = lab.completed("isolated")
    assert job["EnableNetworkIsolation"] is True
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"found.txt": b"refused [] 1,2\n"}


def test_a_jobs_own_boto3_has_its_roles_temporary_credentials_and_no_more(lab: Lab) -> None:
    """The role may read one prefix; the job finds its endpoint and credentials in its environment, as boto3 looks."""
    iam = lab.server.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="Narrow", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    bucket = f"arn:aws:s3:::{BUCKET}"
    allowed = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"{bucket}/code/*", f"{bucket}/open/*"]},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{bucket}/output/*"},
    ]
    iam.put_role_policy(
        RoleName="Narrow", PolicyName="some", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed})
    )
    lab.put("open/a.txt", "read me")
    lab.put("closed/a.txt", "not for the job")
    lab.start_script(
        "credentials",
        f"""
        import json, os, pathlib
        import boto3, botocore.exceptions
        facts = {{}}
        facts["caller"] = boto3.client("sts").get_caller_identity()["Arn"]
        facts["kind"] = boto3.Session().get_credentials().access_key[:4]
        s3 = boto3.client("s3")
        facts["open"] = s3.get_object(Bucket="{BUCKET}", Key="open/a.txt")["Body"].read().decode()
        for name, call in (
            ("closed", lambda: s3.get_object(Bucket="{BUCKET}", Key="closed/a.txt")),
            ("jobs", lambda: boto3.client("sagemaker").list_training_jobs()),
        ):
            try:
                call()
            except botocore.exceptions.ClientError as error:
                facts[name] = error.response["Error"]["Code"]
        facts["home"] = os.path.exists("{lab.server.home}/secrets")
        pathlib.Path(os.environ["SM_MODEL_DIR"], "facts.json").write_text(json.dumps(facts))
        """,
        RoleArn=role,
    )
    job = lab.completed("credentials")
    facts = json.loads(lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"])["facts.json"])
    assert facts["caller"].startswith("arn:aws:sts::123456789012:assumed-role/Narrow/")
    assert facts == {
        "caller": facts["caller"],
        "kind": "ASIA",
        "open": "read me",
        "closed": "AccessDenied",
        "jobs": "AccessDeniedException",
        "home": False,
    }


def test_pip_works_in_a_job_and_leaves_the_environment_as_it_is(lab: Lab) -> None:
    """Scripts on SageMaker install what they need; the environment that they find is shared and read-only."""
    lab.put("wheels/greeting-1.0-py3-none-any.whl", wheel("greeting", "WORD = 'hello'\n"))
    install = """
        import importlib, subprocess, sys
        import sklearn
        subprocess.check_call([sys.executable, "-m", "pip", "install", "--no-index", "--find-links",
                               "/opt/ml/input/data/wheels", "greeting"])
        print("the wheel says", importlib.import_module("greeting").WORD)
        """
    for name in ("pip-1", "pip-2"):
        lab.start_script(name, install, channels={"wheels": f"s3://{BUCKET}/wheels/"}, EnableNetworkIsolation=True)
        lab.completed(name)
        assert "Successfully installed greeting-1.0" in lab.log_of(name)
        assert "the wheel says hello" in lab.log_of(name)


def test_pip_lays_another_version_over_that_of_the_image(lab: Lab) -> None:
    lab.put("others/six-1.0-py3-none-any.whl", wheel("six", "WORD = 'older'\n"))
    install = """
        import subprocess, sys
        import sklearn
        subprocess.check_call([sys.executable, "-m", "pip", "install", "--no-index", "--find-links",
                               "/opt/ml/input/data/wheels", "six==1.0"])
        subprocess.check_call([sys.executable, "-c", "import six; print('this six is', six.WORD)"])
        """
    lab.start_script("pip-over", install, channels={"wheels": f"s3://{BUCKET}/others/"}, EnableNetworkIsolation=True)
    lab.completed("pip-over")
    assert "this six is older" in lab.log_of("pip-over")


def test_a_script_that_is_quick_leaves_no_trace_of_itself_behind(lab: Lab) -> None:
    lab.start("quick", XGBOOST, AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", "echo done"]})
    lab.completed("quick")
    eventually(lambda: not list(lab.server.home.glob("jobs/*/ml")), "the job's data is removed")
    assert lab.log_of("quick").splitlines()[-1] == "done"


def test_scripts_of_the_xgboost_container_find_its_module(lab: Lab) -> None:
    """https://github.com/aws/sagemaker-xgboost-container/blob/master/src/sagemaker_xgboost_container/data_utils.py"""
    lab.put("train/rows.libsvm", "1 0:1 2:3\n0 1:2\n")
    lab.put("weighted/rows.csv", "1,0.5,7\n0,2,8\n")
    lab.put("empty/rows.libsvm", "")
    program = """
        import os
        from sagemaker_xgboost_container.data_utils import get_dmatrix
        rows = get_dmatrix(os.environ["SM_CHANNEL_TRAIN"], "libsvm")
        print("rows", type(rows).__name__, rows.num_row(), rows.num_col(), rows.get_label().tolist())
        rows = get_dmatrix(os.environ["SM_CHANNEL_WEIGHTED"], "text/csv", csv_weights=1)
        print("weights", rows.get_weight().tolist(), rows.num_col())
        print("empty", get_dmatrix(os.environ["SM_CHANNEL_EMPTY"], "libsvm"))
    """
    places = {name: f"s3://{BUCKET}/{name}/" for name in ("train", "weighted", "empty")}
    lab.start_script("container", program, XGBOOST, channels=places)
    lab.completed("container")
    log = lab.log_of("container")
    assert "rows DMatrix 2 3 [1.0, 0.0]" in log
    assert "weights [0.5, 2.0] 1" in log
    assert "empty None" in log


def test_scripts_of_the_xgboost_container_read_requests(lab: Lab) -> None:
    """https://github.com/aws/sagemaker-xgboost-container/blob/master/src/sagemaker_xgboost_container/encoder.py"""
    program = """
        import json
        from sagemaker_xgboost_container import encoder

        def model_fn(folder):
            return None

        def input_fn(body, content_type):
            if content_type == "text/libsvm":
                return encoder.libsvm_to_dmatrix(body)
            return encoder.decode(body, content_type)

        def predict_fn(rows, model):
            return {"shape": [rows.num_row(), rows.num_col()]}

        def output_fn(prediction, accept):
            return encoder.json_to_jsonlines({"predictions": [prediction]}), "application/jsonlines"
    """
    code = lab.script(program)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    lab.model("requests", None, XGBOOST, Environment=variables)
    lab.endpoint_config("requests", "requests")
    lab.sagemaker.create_endpoint(EndpointName="requests", EndpointConfigName="requests")
    assert lab.endpoint_settled("requests")["EndpointStatus"] == "InService", lab.endpoint_log("requests")
    for body, kind, shape in (("0:1 2:3\n1:2\n", "text/libsvm", [2, 3]), ("1,2\n3,4\n5,6", "text/csv", [3, 2])):
        assert json.loads(lab.invoke("requests", body, kind)) == {"shape": shape}
    with pytest.raises(ClientError, match="application/pdf is not"):
        lab.invoke("requests", "1", "application/pdf")


def test_tar_unpacks_what_others_have_packed(lab: Lab) -> None:
    """Whoever Clary runs as: in a container ``tar`` may give files to any user, in a sandbox there is one."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("theirs.txt")
        member.uid, member.gid, member.size = 503, 20, 2
        tar.addfile(member, io.BytesIO(b"ok"))
    uri = lab.put("theirs/theirs.tar.gz", packed.getvalue())
    command = "cd /opt/ml/model && tar -xzf /opt/ml/input/data/theirs/theirs.tar.gz"
    lab.start(
        "unpacks",
        "clary/python:3.11",
        channels={"theirs": uri},
        AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", command]},
    )
    job = lab.completed("unpacks")
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"theirs.txt": b"ok"}
