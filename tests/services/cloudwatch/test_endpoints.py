"""The metrics of endpoints: every invocation is counted once, whatever becomes of it and of the control plane."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.core.settings import load
from clary.state.database import Database
from clary.testing.server import Server

NAMES = {
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "InvocationsPerInstance",
    "ModelLatency",
    "OverheadLatency",
}


class Model(BaseHTTPRequestHandler):
    """Answers with the status that it is asked for, after ten milliseconds."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        status = int(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(0.01)
        if not status:
            # Breaks off.
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def await_(condition: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


class Endpoint:
    """An endpoint whose model servers are in this process: variants ``a``, which serves, and ``gone``, which does not.

    Tests are about what is counted on the way to a model, for which none needs to be deployed.
    """

    def __init__(self, server: Server, port: int) -> None:
        # Calls are counted, so none is made twice.
        self._runtime = server.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
        self._watch = server.client("cloudwatch")
        self._server = server
        variants = [{"name": "a", "weight": 1, "instances": [[f"tcp:127.0.0.1:{port}"]]},
                    {"name": "gone", "weight": 0, "instances": [["tcp:127.0.0.1:1"]]}]  # fmt: skip
        arn = f"arn:aws:sagemaker:us-east-1:{server.account}:endpoint/metrics"
        database = Database(load(server.home, environ={}).database_url)
        with database.write() as transaction:
            transaction.set_route(
                server.account, "us-east-1", "metrics", {"arn": arn, "fleets": [{"share": 1, "variants": variants}]}
            )
        database.close()

    def invoke(self, status: int, **target: str) -> None:
        try:
            self._runtime.invoke_endpoint(EndpointName="metrics", Body=str(status), **target)
        except ClientError:
            assert status != 200

    def known(self) -> None:
        """Wait until the edge knows it."""

        def answers() -> bool:
            try:
                self._runtime.invoke_endpoint(EndpointName="metrics", Body="200")
            except ClientError:
                return False
            return True

        await_(answers)

    def statistic(self, name: str, statistic: str = "Sum", variant: str = "a") -> float:
        """Over the last minutes."""
        now = time.time()
        dimensions = [{"Name": "EndpointName", "Value": "metrics"}, {"Name": "VariantName", "Value": variant}]
        points = self._watch.get_metric_statistics(
            Namespace="AWS/SageMaker", MetricName=name, Dimensions=dimensions, StartTime=now - 600, EndTime=now + 600,
            Period=3_600, Statistics=[statistic], Unit="Microseconds" if name.endswith("Latency") else "None",
        )["Datapoints"]  # fmt: skip
        return float(points[0][statistic]) if points else 0.0

    def pid(self, name: str) -> int:
        state = json.loads((self._server.home / "run" / "supervisor.json").read_text())
        return int(state["children"][name]["pid"])


@pytest.fixture
def endpoint(clary_aws: Server) -> Iterator[Endpoint]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as model:
        threading.Thread(target=model.serve_forever, daemon=True).start()
        made = Endpoint(clary_aws, model.server_address[1])
        made.known()
        yield made
        model.shutdown()


def test_what_is_counted(endpoint: Endpoint, clary_aws: Server) -> None:
    for status in (200, 200, 404, 500, 503, 0):
        endpoint.invoke(status)
    endpoint.invoke(503, TargetVariant="gone")
    # The first was that with which the edge was known to know the endpoint.
    await_(lambda: endpoint.statistic("Invocations") == 7 and endpoint.statistic("Invocations", variant="gone") == 1)
    assert endpoint.statistic("Invocation4XXErrors") == 1
    # What broke off is an error of the model as well.
    assert endpoint.statistic("Invocation5XXErrors") == 3
    assert endpoint.statistic("InvocationModelErrors") == 4
    assert endpoint.statistic("InvocationModelErrors", "Average") == 4 / 7
    assert endpoint.statistic("ModelLatency", "SampleCount") == 7
    assert (
        10_000 <= endpoint.statistic("ModelLatency", "Minimum") <= endpoint.statistic("ModelLatency", "Maximum") < 5e6
    )
    assert (
        0 < endpoint.statistic("OverheadLatency", "Minimum") <= endpoint.statistic("OverheadLatency", "Maximum") < 5e6
    )
    # Nobody was there to be slow.
    assert endpoint.statistic("ModelLatency", "SampleCount", "gone") == 0
    assert endpoint.statistic("Invocation5XXErrors", variant="gone") == 1
    listed = clary_aws.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker", Dimensions=[{"Name": "VariantName", "Value": "a"}]
    )["Metrics"]
    assert {metric["MetricName"] for metric in listed} == NAMES
    assert listed[0]["Dimensions"] == [
        {"Name": "EndpointName", "Value": "metrics"}, {"Name": "VariantName", "Value": "a"}
    ]  # fmt: skip


def test_nothing_is_lost_or_counted_twice_when_control_dies(endpoint: Endpoint) -> None:
    begun = endpoint.statistic("Invocations")
    await_(lambda: endpoint.statistic("Invocations") >= 1)
    sent = 1
    for _ in range(3):
        victim = endpoint.pid("control")
        for _ in range(40):
            endpoint.invoke(200)
        os.kill(victim, signal.SIGKILL)
        for _ in range(40):
            endpoint.invoke(200)
        sent += 80
        await_(lambda victim=victim: endpoint.pid("control") != victim)  # type: ignore[misc]
    assert begun <= 1
    await_(lambda: endpoint.statistic("Invocations") >= sent)
    assert endpoint.statistic("Invocations") == endpoint.statistic("ModelLatency", "SampleCount") == sent
