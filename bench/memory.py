"""How much memory the built-in algorithms need for a stream of 1 GB and for one of 8 GB.

    ./dev bench memory [--only kmeans] [--gigabytes 1 8]

Each job reads one object of 64 MB, RecordIO-protobuf with dense rows, as often as it takes, in Pipe mode. The memory is
what the agent saw twice a second of all the job's processes, as CloudWatch shows it of every job.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
from dataclasses import dataclass, field
from typing import Any

import clary
from clary.testing.server import Server

BUCKET, COLUMNS, PIECE = "bench", 100, 64 << 20
REGISTRY = "382416733822.dkr.ecr.us-east-1.amazonaws.com"


@dataclass(frozen=True)
class Algorithm:
    """What an algorithm is asked to do; ``classes`` of labels, or 0 for rows without."""

    hyperparameters: dict[str, str]
    classes: int = 0
    image: str = ""
    columns: dict[str, str] = field(default_factory=lambda: {"feature_dim": str(COLUMNS)})


ALGORITHMS = {
    "kmeans": Algorithm({"k": "10"}),
    "pca": Algorithm({"num_components": "10", "mini_batch_size": "1000"}),
    "pca, randomized": Algorithm(
        {"num_components": "10", "mini_batch_size": "1000", "algorithm_mode": "randomized"}, image="pca"
    ),
    "randomcutforest": Algorithm({}),
    "knn": Algorithm({"k": "5", "predictor_type": "classifier", "sample_size": "20000"}, 2),
    "linear-learner": Algorithm({"predictor_type": "binary_classifier", "epochs": "2"}, 2),
    "factorization-machines": Algorithm({"predictor_type": "binary_classifier", "num_factors": "8", "epochs": "2"}, 2),
    "xgboost": Algorithm(
        {"objective": "binary:logistic", "num_round": "2"},
        2,
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        {},
    ),
}


def main() -> None:
    """Run the jobs one after the other and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=ALGORITHMS)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1, 8])
    arguments = parser.parse_args()
    sizes = arguments.gigabytes
    print(f"| algorithm | {' | '.join(f'{size:g} GB: peak MB | s' for size in sizes)} | last / first |")
    print("| --- |" + " --- | --- |" * len(sizes) + " --- |")
    with clary.server() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for classes in (0, 2):
            s3.put_object(Bucket=BUCKET, Key=f"data/{classes}", Body=_records(classes))
            for size in sizes:
                times = round(size * 1e9 / PIECE)
                entries = [{"prefix": f"s3://{BUCKET}/data/"}, *[str(classes)] * times]
                s3.put_object(Bucket=BUCKET, Key=f"manifest/{classes}-{size:g}", Body=json.dumps(entries))
        for name in [arguments.only] if arguments.only else ALGORITHMS:
            found = [_run(aws, name, ALGORITHMS[name], size) for size in sizes]
            cells = " | ".join(f"{peak / 1e6:,.0f} | {seconds:.0f}" for peak, seconds in found)
            print(f"| `{name}` | {cells} | {found[-1][0] / found[0][0]:.2f} |", flush=True)


def _run(aws: Server, name: str, algorithm: Algorithm, size: float) -> tuple[float, float]:
    """The most bytes of memory of a job, and the seconds of its process."""
    sagemaker = aws.client("sagemaker")
    job = f"{name.replace(', ', '-')}-{str(size).replace('.', '-')}"
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/manifest/{algorithm.classes}-{size:g}"}
    sagemaker.create_training_job(
        TrainingJobName=job,
        RoleArn=aws.role_arn,
        AlgorithmSpecification={
            "TrainingImage": algorithm.image if "/" in algorithm.image else f"{REGISTRY}/{algorithm.image or name}:1",
            "TrainingInputMode": "Pipe",
        },
        HyperParameters=algorithm.hyperparameters | algorithm.columns,
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "application/x-recordio-protobuf",
                "DataSource": {"S3DataSource": source},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        # More than any machine here has, so that the whole of this one is the limit.
        ResourceConfig={"InstanceType": "ml.m5.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 100},
        StoppingCondition={"MaxRuntimeInSeconds": 7200},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=job, WaiterConfig={"Delay": 0.5, "MaxAttempts": 14400}
    )
    described: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=job)
    end = described["TrainingEndTime"].timestamp()
    [point] = aws.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="MemoryUtilization",
        Dimensions=[{"Name": "Host", "Value": f"{job}/algo-1"}],
        StartTime=end - 3600,
        EndTime=end + 3600,
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return point["Maximum"] / 100 * memory, described["TrainingTimeInSeconds"]


def _records(classes: int) -> bytes:
    """``PIECE`` bytes of rows, drawn from a thousand different ones; the first column tells the class."""
    generator = random.Random(0)
    rows = [[generator.gauss(0, 1) for _ in range(COLUMNS)] for _ in range(1000)]
    records = [_record(row, float(row[0] > 0) if classes else None) for row in rows]
    return b"".join(generator.choices(records, k=PIECE // len(records[0])))


def _record(values: list[float], label: float | None) -> bytes:
    """A row as RecordIO-wrapped protobuf, dense, with a label or without.

    https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
    """
    payload = _entry(1, "values", values) + (b"" if label is None else _entry(2, "values", [label]))
    return struct.pack("<II", 0xCED7230A, len(payload)) + payload + bytes(-len(payload) % 4)


def _entry(number: int, key: str, values: list[float]) -> bytes:
    tensor = _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))
    return _field(number, _field(1, key.encode()) + _field(2, tensor))


def _field(number: int, content: bytes) -> bytes:
    length, size = b"", len(content)
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


if __name__ == "__main__":
    main()
