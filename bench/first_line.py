"""From ``CreateTrainingJob`` to the first line of user code, with a warm image, with and without a warm pool.

    ./dev bench first-line [--jobs 20]

The user's code writes the time as its first act; the difference to the moment before the call is what is shown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import clary
from bench.model import archive
from clary.testing.server import Server

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = b"import time; print('begun', time.time())"


COMMAND = ["python", "-c", SCRIPT.decode()]
SUBMITTED = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://bench/code/sourcedir.tar.gz"}
KINDS: tuple[tuple[str, list[str], dict[str, str], bytes], ...] = (
    ("script mode (SDK estimator)", [], SUBMITTED, SCRIPT),
    ("own command (ContainerEntrypoint)", COMMAND, {}, SCRIPT),
    ("script mode, imports scikit-learn", [], SUBMITTED, b"import sklearn.ensemble;" + SCRIPT),
)


def main() -> None:
    """Run jobs one after the other and print the median and the spread."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--pause", type=float, default=3, help="seconds between two jobs of a warm pool")
    arguments = parser.parse_args()
    jobs = arguments.jobs
    with clary.server() as aws:
        aws.client("s3").create_bucket(Bucket="bench")
        for number, (title, entry, hyperparameters, script) in enumerate(KINDS):
            aws.client("s3").put_object(Bucket="bench", Key="code/sourcedir.tar.gz", Body=archive({"train.py": script}))
            for pool in (0, 600):
                names = [f"job-{number}-{pool}-{each}" for each in range(jobs + 1)]
                # The first one builds the image's environment if need be, and is the first of its pool.
                warm = [1000 * _run(aws, name, entry, hyperparameters, pool, arguments.pause) for name in names][1:]
                print(
                    f"{title}, {'warm pool' if pool else 'no pool'}: median {statistics.median(warm):.0f} ms, "
                    f"{min(warm):.0f} to {max(warm):.0f} ms, {jobs} jobs",
                    flush=True,
                )


def _run(aws: Server, name: str, entry: list[str], hyperparameters: dict[str, str], pool: int, pause: float) -> float:
    """Seconds from the call to the first line of a job."""
    if pool:
        time.sleep(pause)  # who looks at one result before the next job leaves the pool the time to get ready
    sagemaker, logs = aws.client("sagemaker"), aws.client("logs")
    specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    begun = time.time()
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=aws.role_arn,
        AlgorithmSpecification=specification | ({"ContainerEntrypoint": entry} if entry else {}),
        HyperParameters={key: json.dumps(value) for key, value in hyperparameters.items()},
        OutputDataConfig={"S3OutputPath": "s3://bench/output"},
        ResourceConfig=resources | ({"KeepAlivePeriodInSeconds": pool} if pool else {}),
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 3000}
    )
    group = "/aws/sagemaker/TrainingJobs"
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    [line] = [each["message"] for each in events["events"] if each["message"].startswith("begun ")]
    return float(line.split()[1]) - begun


if __name__ == "__main__":
    main()
