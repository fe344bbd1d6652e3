"""Batch transform beside the same model called in a plain loop, in one run.

    ./dev bench transform [--rows 1000000] [--rounds 3]

Both read the same object of CSV in the same image: a transform job, and a processing job whose script loads the model,
cuts the file into the same batches, calls the model with one after the other and writes what it says. What is timed of
the loop begins when model and file are there; of the transform job, when its model server answers. The job as a whole,
from Create to its end, is shown beside it.
"""

from __future__ import annotations

import argparse
import random
import time
from typing import Any

import clary
from bench.model import FEATURES, IMAGE, train

PAYLOAD_MB = 6
LOOP = """
import os, pathlib, sys, tarfile, time

os.environ["SAGEMAKER_BATCH"] = "true"
from clary_runtimes.algorithms.xgboost.serve import handler

[archive] = pathlib.Path("/opt/ml/processing/model").iterdir()
tarfile.open(archive).extractall("/tmp/model")
[file] = pathlib.Path("/opt/ml/processing/data").iterdir()
model, most = handler(pathlib.Path("/tmp/model")), int(sys.argv[1]) << 20
model.load()
began = time.perf_counter()
rows = 0
with open(file, "rb") as data, open("/tmp/answers", "wb") as answers:
    rest = b""
    while batch := rest + data.read(most - len(rest)):
        cut = batch.rfind(b"\\n") + 1 if len(batch) == most else len(batch)
        batch, rest = batch[:cut], batch[cut:]
        answer = model.invoke(batch, "text/csv", "text/csv").body
        rows += answer.count(b"\\n")
        answers.write(answer)
print("LOOP", rows, time.perf_counter() - began, flush=True)
"""
MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
HEADER = "| | seconds | rows/s | beside the loop |\n| --- | --- | --- | --- |"


def put_rows(aws: Any, bucket: str, count: int) -> int:
    """Store ``count`` rows below ``rows/``, and give their bytes."""
    source = random.Random(0)
    block = "".join(
        ",".join(f"{source.gauss(0, 1):.4f}" for _ in range(FEATURES)) + "\n" for _ in range(min(count, 10_000))
    )
    body = (block * (count // 10_000) or block).encode()
    aws.client("s3").put_object(Bucket=bucket, Key="rows/rows.csv", Body=body)
    return len(body)


def looped(aws: Any, name: str, model: str) -> tuple[int, float]:
    """Rows and seconds of the plain loop."""
    sagemaker, logs = aws.client("sagemaker"), aws.client("logs")
    aws.client("s3").put_object(Bucket=model, Key="loop.py", Body=LOOP.encode())

    def given(path: str, uri: str) -> dict[str, Any]:
        place = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{path}"}
        return {"InputName": path, "S3Input": {**place, "S3DataType": "S3Prefix", "S3InputMode": "File"}}

    described = sagemaker.describe_training_job(TrainingJobName=model)
    archive = described["ModelArtifacts"]["S3ModelArtifacts"]
    command = ["python3", "/opt/ml/processing/code/loop.py"]
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=aws.role_arn,
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": command,
            "ContainerArguments": [str(PAYLOAD_MB)],
        },
        ProcessingInputs=[
            given("code", f"s3://{model}/loop.py"),
            given("data", f"s3://{model}/rows/"),
            given("model", archive),
        ],
        ProcessingResources={"ClusterConfig": {**MACHINE, "VolumeSizeInGB": 5}},
    )
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    found = logs.filter_log_events(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{name}/", filterPattern="LOOP"
    )
    _, rows, seconds = found["events"][0]["message"].split()
    return int(rows), float(seconds)


def transformed(aws: Any, name: str, model: str, concurrent: int) -> tuple[int, float, float]:
    """Rows and seconds of a transform job: from its first request to its end, and from Create to its end."""
    sagemaker, logs = aws.client("sagemaker"), aws.client("logs")
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{model}/rows/"}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        MaxPayloadInMB=PAYLOAD_MB,
        MaxConcurrentTransforms=concurrent,
        TransformInput={"DataSource": {"S3DataSource": place}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{model}/{name}", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources=MACHINE,
    )
    waiter = sagemaker.get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName=name, WaiterConfig={"Delay": 0.5, "MaxAttempts": 1200})
    job = sagemaker.describe_transform_job(TransformJobName=name)
    found = logs.filter_log_events(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{name}/", filterPattern="MaxPayloadInMB"
    )
    end = job["TransformEndTime"].timestamp()
    body = aws.client("s3").get_object(Bucket=model, Key=f"{name}/rows.csv.out")["Body"].read()
    work = end - found["events"][0]["timestamp"] / 1000
    return body.count(b"\n"), work, end - job["CreationTime"].timestamp()


def main() -> None:
    """Train a model, transform and loop in turns, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with clary.server() as aws:
        name = f"bench-{int(time.time())}"
        container = {"Image": IMAGE, "ModelDataUrl": train(aws, name, IMAGE)}
        aws.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=aws.role_arn, PrimaryContainer=container)
        size = put_rows(aws, name, arguments.rows)
        print(f"{IMAGE}, {arguments.rows:,} rows, {size >> 20} MB, batches of {PAYLOAD_MB} MB")
        seconds: dict[str, list[float]] = {}
        for turn in range(arguments.rounds):
            rows, spent = looped(aws, f"loop-{turn}", name)
            seconds.setdefault("plain loop", []).append(spent)
            for concurrent in (1, 2):
                made, spent, whole = transformed(aws, f"transform-{turn}-{concurrent}", name, concurrent)
                assert made == rows == arguments.rows, (made, rows)
                seconds.setdefault(f"transform, {concurrent} at once", []).append(spent)
                seconds.setdefault(f"the whole job, {concurrent} at once", []).append(whole)
        print(HEADER)
        # The others tell more of the machine's other work than of what is measured.
        loop = min(seconds["plain loop"])
        for what, spans in seconds.items():
            spent = min(spans)
            print(f"| {what} | {spent:.2f} | {arguments.rows / spent:,.0f} | {loop / spent:.2f} |")


if __name__ == "__main__":
    main()
