"""The control plane is killed again and again under load: neither an inference nor an S3 request fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

pytestmark = pytest.mark.slow("survival")

KILLS = 6


class Load:
    """Threads that each do one thing over and over; every client tries once only."""

    def __init__(self, *actions: Callable[[int, int], None]) -> None:
        self.over = threading.Event()
        self.counts = [0] * len(actions)
        self.errors: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self._run, args=(number, action)) for number, action in enumerate(actions)
        ]

    def _run(self, thread: int, action: Callable[[int, int], None]) -> None:
        while not self.over.is_set():
            try:
                action(thread, self.counts[thread])
            except (BotoCoreError, ClientError, AssertionError) as error:
                self.errors.append(error)
            self.counts[thread] += 1

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(120)


def test_the_control_plane_dies_under_load(plant: Any, wait_until: Any) -> None:
    plant.deploy("endpoint")
    plant.await_service("endpoint")
    s3, runtime = plant.client("s3", 1), plant.client("sagemaker-runtime", 1)
    large = bytes(range(256)) * 2048

    def invoke(thread: int, number: int) -> None:
        text = f"{thread}-{number}"
        answer = runtime.invoke_endpoint(EndpointName="endpoint", ContentType="text/csv", Body=text)["Body"].read()
        assert answer.decode().startswith(f"first {text} "), answer

    def put_and_get(thread: int, number: int) -> None:
        key, body = f"load/{thread}/{number % 50}", f"{thread}-{number}".encode() * 40
        s3.put_object(Bucket="survival", Key=key, Body=body)
        assert s3.get_object(Bucket="survival", Key=key)["Body"].read() == body

    def put_large(thread: int, number: int) -> None:
        s3.put_object(Bucket="survival", Key=f"load/{thread}", Body=large)
        assert s3.head_object(Bucket="survival", Key=f"load/{thread}")["ContentLength"] == len(large)

    with Load(invoke, invoke, invoke, put_and_get, put_and_get, put_large) as load:
        wait_until(lambda: all(load.counts))
        for _ in range(KILLS):
            before = list(load.counts)
            plant.kill("control")
            wait_until(lambda: plant.alive("control"))
            # Every kind of request went through since the kill.
            wait_until(lambda before=before: all(now > then + 1 for now, then in zip(load.counts, before, strict=True)))
            plant.await_health()
    assert load.errors == []
    plant.delete_endpoint("endpoint")
    plant.await_rest()


def test_the_api_waits_for_the_control_plane(plant: Any, wait_until: Any) -> None:
    sagemaker = plant.client("sagemaker", 1)

    def describe(thread: int, number: int) -> None:
        sagemaker.list_training_jobs()

    def create(thread: int, number: int) -> None:
        sagemaker.create_experiment(ExperimentName=f"experiment-{thread}-{number}")

    with Load(describe, describe, create, create) as load:
        wait_until(lambda: all(load.counts))
        for _ in range(KILLS):
            before = list(load.counts)
            plant.kill("control")
            plant.await_health()
            wait_until(lambda before=before: all(now > then + 1 for now, then in zip(load.counts, before, strict=True)))
    assert load.errors == []
    pages = sagemaker.get_paginator("list_experiments").paginate()
    names = [each["ExperimentName"] for page in pages for each in page["ExperimentSummaries"]]
    assert len(names) == len(set(names)) == sum(load.counts[2:])
