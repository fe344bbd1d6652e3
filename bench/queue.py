"""Many jobs at once: how long the last one takes, what each of them costs the control plane, and how its memory grows.

    ./dev bench queue [--jobs 250 500 1000 2000] [--waiting 100 1000 10000 100000]

The jobs do nothing but print a line, so that what is seen is the queue's own cost. All are submitted as fast as they
are taken, by one client, and the time is counted until the last has ended. Then the line alone: what it costs to end a
job and to choose the next one, while so many wait.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import clary
from clary.control.probe import read_state
from clary.state.database import Database
from clary.state.places import Place
from clary.testing.server import Server

IMAGE = "clary/python:3.11"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Run each number of jobs on a server of its own and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, nargs="*", default=[250, 500, 1000, 2000])
    parser.add_argument("--waiting", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000])
    arguments = parser.parse_args()
    print("| jobs | submitted (s) | all ended (s) | jobs per s | control, CPU ms a job | control, MB before | most |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in arguments.jobs:
        with clary.server() as aws:
            print(_row(aws, count), flush=True)
    print("\n| waiting | of users | a turn (µs) |\n| ---: | ---: | ---: |")
    for count in arguments.waiting:
        for users in (1, 10):
            print(f"| {count} | {users} | {_turn(count, users):.0f} |", flush=True)


def _turn(count: int, users: int) -> float:
    """Microseconds of a job's end and of the choice of the next one, the commit left aside."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/state.db")
        database.prepare()
        with database.write() as transaction:
            for row in range(1, count + 1):
                transaction.places.add(Place(row, f"user-{row % users}"))
            running = transaction.places.fill(8, 0.0)
            begun, turns = time.perf_counter(), 200
            for _ in range(min(turns, count - 8)):
                transaction.places.remove(running.pop(0))
                running += transaction.places.fill(8, 0.0)
            seconds = time.perf_counter() - begun
        database.close()
    return 1e6 * seconds / min(turns, count - 8)


def _row(aws: Server, count: int) -> str:
    aws.client("s3").create_bucket(Bucket="bench")
    _submit(aws, "first")
    _await(aws, 1)
    control = Process(_pid(aws))
    before, cpu, begun = control.memory(), control.cpu(), time.monotonic()
    with control:
        for number in range(count):
            _submit(aws, f"job-{number}")
        submitted = time.monotonic() - begun
        _await(aws, count + 1)
    seconds, used = time.monotonic() - begun, control.cpu() - cpu
    return (
        f"| {count} | {submitted:.1f} | {seconds:.1f} | {count / seconds:.1f} | {1000 * used / count:.1f} "
        f"| {before / 1e6:.0f} | {control.most / 1e6:.0f} |"
    )


def _submit(aws: Server, name: str) -> None:
    aws.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=aws.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", "print('done')"],
        },
        OutputDataConfig={"S3OutputPath": "s3://bench/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def _await(aws: Server, count: int) -> None:
    """Until so many jobs have ended well."""
    sagemaker = aws.client("sagemaker")
    query: dict[str, Any] = {"StatusEquals": "InProgress", "MaxResults": 1}
    while sagemaker.list_training_jobs(**query)["TrainingJobSummaries"]:
        time.sleep(0.25)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(StatusEquals="Completed")
    ended = sum(len(page["TrainingJobSummaries"]) for page in pages)
    assert ended == count, f"{ended} of {count} jobs ended well"


def _pid(aws: Server) -> int:
    state = read_state(aws.home / "run" / "supervisor.json")
    assert state is not None
    return int(state["children"]["control"]["pid"])


class Process:
    """A process whose memory is watched for the body of a ``with`` statement."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._end = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self.most = 0

    def memory(self) -> int:
        """Bytes that are resident."""
        return int((self._folder / "statm").read_text().split()[1]) * PAGE

    def cpu(self) -> float:
        """Seconds of CPU time, of user and system together."""
        fields = (self._folder / "stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def _look(self) -> None:
        while not self._end.wait(0.5):
            self.most = max(self.most, self.memory())

    def __enter__(self) -> Process:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._watch.join()


if __name__ == "__main__":
    main()
