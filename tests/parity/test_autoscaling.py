"""An endpoint that scales with its load: real requests, for as long as real alarms take.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from parity_lab import SKLEARN, Lab, eventually

HANDLER = """
    import time

    def model_fn(folder):
        return None

    def input_fn(body, content_type):
        return float(body)

    def predict_fn(seconds, model):
        time.sleep(seconds)
        return str(seconds)

    def output_fn(prediction, accept):
        return prediction, "text/plain"
    """
THREADS = 5
BUSY = (1.2, 0.2)
"""Seconds from one request of a thread to its next, and those that an answer takes: 250 requests a minute."""
QUIET = (15.0, 5.0)
"""20 a minute, each so long that some are always under way: also when an instance goes."""
TARGET = 100
OUT_SECONDS, IN_SECONDS = 300, 1080
"""Three minutes and fifteen, the one that has begun before, and what the alarms, the policy and the servers take."""


class Load:
    """Threads that each ask an endpoint in a steady pace, once and never again."""

    def __init__(self, lab: Lab, endpoint: str) -> None:
        self.pace = BUSY
        self.answered = 0
        self.failures: list[str] = []
        self._endpoint = endpoint
        self._over = threading.Event()
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=THREADS)
        self._runtime = lab.server.client("sagemaker-runtime", config=config)
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(THREADS)]

    def _run(self, number: int) -> None:
        due = time.monotonic() + number * self.pace[0] / THREADS
        while not self._over.wait(max(0.0, due - time.monotonic())):
            between, long = self.pace
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=self._endpoint, ContentType="text/plain", Body=str(long)
                )
                assert answer["Body"].read().decode() == str(long)
                self.answered += 1
            except (BotoCoreError, ClientError, AssertionError) as error:
                self.failures.append(f"{time.time():.1f} {error!r}")
            due += between

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.slow("load")
@pytest.mark.timeout(1_320)
def test_instances_follow_the_load_up_and_down(lab: Lab) -> None:
    code = lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    variables["SAGEMAKER_MODEL_SERVER_WORKERS"] = "8"
    lab.model("loaded", None, SKLEARN, Environment=variables)
    lab.endpoint_config("loaded", "loaded")
    lab.sagemaker.create_endpoint(EndpointName="loaded", EndpointConfigName="loaded")
    assert lab.endpoint_settled("loaded")["EndpointStatus"] == "InService"
    scaling = lab.server.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/loaded/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=6)
    scaling.put_scaling_policy(
        **target,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": TARGET,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": 60,
        },
    )

    def instances() -> tuple[int, int]:
        [variant] = lab.sagemaker.describe_endpoint(EndpointName="loaded")["ProductionVariants"]
        return variant["DesiredInstanceCount"], variant["CurrentInstanceCount"]

    seen = [instances()]
    assert seen == [(1, 1)]

    def serve(count: int) -> Callable[[], bool]:
        def look() -> bool:
            if (now := instances()) != seen[-1]:
                seen.append(now)
            return now == (count, count)

        return look

    with Load(lab, "loaded") as load:
        # 250 requests a minute, of which each instance shall have 100, need three.
        eventually(serve(3), "three instances", OUT_SECONDS)
        load.pace = QUIET
        eventually(serve(1), "one instance", IN_SECONDS)
        eventually(lambda: len(list(lab.server.home.glob("jobs/Endpoint-*/lock"))) == 1, "the others have ended", 60)
        answered = load.answered
        eventually(lambda: load.answered > answered + THREADS, "the last one answers")
    assert load.failures == []
    # Never more than were needed, and never fewer than the quiet load needs: no swinging on the way.
    desired = [count for count, _ in seen]
    assert max(desired) == 3
    down = desired[desired.index(3) :]
    assert down == sorted(down, reverse=True), seen
    activities: list[dict[str, Any]] = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")[
        "ScalingActivities"
    ]
    assert {activity["StatusCode"] for activity in activities} == {"Successful"}
    first, last = activities[-1], activities[0]
    assert first["Description"] == "Setting desired instance count to 3." and "AlarmHigh" in first["Cause"]
    assert last["Description"] == "Setting desired instance count to 1." and "AlarmLow" in last["Cause"]
    # As long as AWS's alarms take: fifteen minutes below the target.
    assert (last["StartTime"] - first["EndTime"]).total_seconds() > 13 * 60
