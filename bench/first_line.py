"""From ``CreateTrainingJob`` to the first line of user code, with a warm image.

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

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = b"import time; print('begun', time.time())"


def main() -> None:
    """Run jobs one after the other and print the median and the spread."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=20)
    jobs = parser.parse_args().jobs
    with clary.server() as aws:
        s3, sagemaker, logs = aws.client("s3"), aws.client("sagemaker"), aws.client("logs")
        s3.create_bucket(Bucket="bench")
        s3.put_object(Bucket="bench", Key="code/sourcedir.tar.gz", Body=archive({"train.py": SCRIPT}))
        for title, entry, hyperparameters in (
            (
                "script mode (SDK estimator)",
                [],
                {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://bench/code/sourcedir.tar.gz"},
            ),
            ("own command (ContainerEntrypoint)", ["python", "-c", SCRIPT.decode()], {}),
        ):
            seconds = []
            for number in range(jobs + 1):
                name = f"job-{len(entry)}-{number}"
                specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
                if entry:
                    specification["ContainerEntrypoint"] = entry
                begun = time.time()
                sagemaker.create_training_job(
                    TrainingJobName=name,
                    RoleArn=aws.role_arn,
                    AlgorithmSpecification=specification,
                    HyperParameters={key: json.dumps(value) for key, value in hyperparameters.items()},
                    OutputDataConfig={"S3OutputPath": "s3://bench/output"},
                    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                    StoppingCondition={"MaxRuntimeInSeconds": 600},
                )
                sagemaker.get_waiter("training_job_completed_or_stopped").wait(
                    TrainingJobName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 3000}
                )
                group = "/aws/sagemaker/TrainingJobs"
                [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
                events = logs.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
                )
                [line] = [e["message"] for e in events["events"] if e["message"].startswith("begun ")]
                seconds.append(float(line.split()[1]) - begun)
            # The first one builds the image's environment if need be.
            warm = [1000 * value for value in seconds[1:]]
            print(
                f"{title}: median {statistics.median(warm):.0f} ms, {min(warm):.0f} to {max(warm):.0f} ms, {jobs} jobs"
            )


if __name__ == "__main__":
    main()
