"""Endpoints of several variants, instances and containers, changed while they answer."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from parity_lab import SKLEARN, Lab, eventually

HANDLER = """
    import os, secrets, time

    def model_fn(folder):
        return os.environ["ANSWER"] + (secrets.token_hex(4) if "WHO" in os.environ else "")

    def input_fn(body, content_type):
        return body.decode() if isinstance(body, bytes) else body

    def predict_fn(data, model):
        time.sleep(float(os.environ.get("PAUSE", "0")))
        return f"{data}>{model}"

    def output_fn(prediction, accept):
        return prediction, "text/plain"
    """


def container(lab: Lab, answer: str, **environment: str) -> dict[str, Any]:
    """A container whose model puts ``answer`` behind what it gets."""
    code = lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code, "ANSWER": answer, **environment}
    return {"Image": SKLEARN, "Environment": variables}


def model(lab: Lab, name: str, *containers: dict[str, Any]) -> None:
    given: dict[str, Any] = (
        {"Containers": list(containers)} if len(containers) > 1 else {"PrimaryContainer": containers[0]}
    )
    lab.sagemaker.create_model(ModelName=name, ExecutionRoleArn=lab.role, **given)


def variant(name: str, model: str, count: int = 1, weight: float = 1) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
        "InitialVariantWeight": weight,
    }


def deploy(lab: Lab, name: str, *variants: dict[str, Any]) -> None:
    lab.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants))
    lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    endpoint = lab.endpoint_settled(name)
    assert endpoint["EndpointStatus"] == "InService", endpoint


def ask(lab: Lab, endpoint: str, body: str = "x", **more: Any) -> str:
    return lab.invoke(endpoint, body, "text/plain", **more).decode()


def shown(lab: Lab, endpoint: str) -> dict[str, tuple[float, int, int]]:
    """Weight, wanted and present instances of each variant."""
    described = lab.sagemaker.describe_endpoint(EndpointName=endpoint)
    return {
        each["VariantName"]: (each["CurrentWeight"], each["DesiredInstanceCount"], each["CurrentInstanceCount"])
        for each in described["ProductionVariants"]
    }


class Load(threading.Thread):
    """Asks an endpoint all the time, and keeps what it answers."""

    def __init__(self, lab: Lab, endpoint: str) -> None:
        super().__init__()
        self._runtime = lab.server.client("sagemaker-runtime")
        self._endpoint = endpoint
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._over.is_set():
            try:
                answer = self._runtime.invoke_endpoint(EndpointName=self._endpoint, ContentType="text/plain", Body="x")
                self.answers[answer["Body"].read().decode()] += 1
            except ClientError as error:
                self.failures.append(str(error))

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def two(lab: Lab) -> Iterator[str]:
    """An endpoint with the variants ``a`` and ``b``, which get a quarter and three quarters of the requests."""
    model(lab, "model-a", container(lab, "a"))
    model(lab, "model-b", container(lab, "b"))
    deploy(lab, "two", variant("a", "model-a", weight=1), variant("b", "model-b", weight=3))
    yield "two"
    lab.sagemaker.delete_endpoint(EndpointName="two")


def test_variants_share_the_traffic(lab: Lab, two: str) -> None:
    answers = Counter(ask(lab, two) for _ in range(200))
    assert answers.keys() == {"x>a", "x>b"} and 100 < answers["x>b"] < 190
    assert {ask(lab, two, TargetVariant="a") for _ in range(20)} == {"x>a"}
    response = lab.runtime.invoke_endpoint(EndpointName=two, Body="x", ContentType="text/plain", TargetVariant="b")
    assert response["InvokedProductionVariant"] == "b"
    with pytest.raises(ClientError, match="Variant c not found"):
        ask(lab, two, TargetVariant="c")

    changes = [{"VariantName": "a", "DesiredWeight": 1.0}, {"VariantName": "b", "DesiredWeight": 0.0}]
    lab.sagemaker.update_endpoint_weights_and_capacities(EndpointName=two, DesiredWeightsAndCapacities=changes)
    lab.endpoint_settled(two)
    eventually(lambda: {ask(lab, two) for _ in range(20)} == {"x>a"}, "all requests go to a")
    assert ask(lab, two, TargetVariant="b") == "x>b"
    assert shown(lab, two) == {"a": (1.0, 1, 1), "b": (0.0, 1, 1)}
    for change, message in (
        (
            {"VariantName": "c", "DesiredWeight": 1},
            'name.s. "c" is/are not present within endpoint configuration "two"',
        ),
        ({"VariantName": "a", "DesiredInstanceCount": 0}, "must be at least 1"),
        ({"VariantName": "a", "DesiredInstanceCount": 21}, "request delta of 21 Instances"),
        ({"VariantName": "a", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}, "only supported by serverless"),
    ):
        with pytest.raises(ClientError, match=message):
            lab.sagemaker.update_endpoint_weights_and_capacities(EndpointName=two, DesiredWeightsAndCapacities=[change])


def test_instances_come_and_go_without_a_failed_request(lab: Lab) -> None:
    model(lab, "who", container(lab, "w", WHO="yes"))
    deploy(lab, "many", variant("v", "who", 2))
    assert shown(lab, "many") == {"v": (1.0, 2, 2)}
    with Load(lab, "many") as load:
        eventually(lambda: len(load.answers) == 2, "both instances answer")
        for count in (3, 1):
            lab.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName="many", DesiredWeightsAndCapacities=[{"VariantName": "v", "DesiredInstanceCount": count}]
            )
            assert lab.endpoint_settled("many")["EndpointStatus"] == "InService"
            assert shown(lab, "many") == {"v": (1.0, count, count)}
            load.answers.clear()
            eventually(lambda count=count: len(load.answers) == count, f"{count} instances answer")  # type: ignore[misc]
        eventually(lambda: len(list(lab.server.home.glob("jobs/Endpoint-*/lock"))) == 1, "the others have ended")
    assert load.failures == []


def test_an_instance_that_dies_harms_no_other_request(lab: Lab) -> None:
    model(lab, "who-else", container(lab, "w", WHO="yes"))
    deploy(lab, "mortal", variant("v", "who-else", 2))
    with Load(lab, "mortal") as load:
        eventually(lambda: len(load.answers) == 2, "both instances answer")
        first = sorted(lab.server.home.glob("jobs/Endpoint-*/process"))[0]
        os.killpg(int(first.read_text().split()[0]), signal.SIGKILL)
        load.answers.clear()
        eventually(lambda: len(load.answers) == 2, "two instances answer again")
    # What the server that died was working on cannot be answered by another one: it may have been seen.
    assert len(load.failures) <= 1, load.failures


def test_containers_in_series(lab: Lab) -> None:
    model(lab, "series", container(lab, "one"), container(lab, "two"), container(lab, "three"))
    deploy(lab, "series", variant("v", "series", 2))
    assert {ask(lab, "series") for _ in range(6)} == {"x>one>two>three"}
    images = lab.sagemaker.describe_endpoint(EndpointName="series")["ProductionVariants"][0]["DeployedImages"]
    assert [each["SpecifiedImage"] for each in images] == [SKLEARN] * 3


def update(lab: Lab, endpoint: str, config: str, routing: dict[str, Any], **more: Any) -> None:
    policy = {"TrafficRoutingConfiguration": routing, **more.pop("policy", {})}
    deployment = {"BlueGreenUpdatePolicy": policy, **more}
    lab.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=deployment)


def blue_and_green(lab: Lab, name: str) -> None:
    for colour in ("blue", "green"):
        model(lab, f"{name}-{colour}", container(lab, colour))
        lab.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}-{colour}", ProductionVariants=[variant("v", f"{name}-{colour}")]
        )
    lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-blue")
    assert lab.endpoint_settled(name)["EndpointStatus"] == "InService"


def share(load: Load, count: int = 150) -> float:
    """The part of the next requests that green answers."""
    load.answers.clear()
    eventually(lambda: load.answers.total() >= count, f"{count} answers")
    return load.answers["x>green"] / load.answers.total()


def test_a_canary_goes_first(lab: Lab) -> None:
    blue_and_green(lab, "canary")
    size = {"Type": "CAPACITY_PERCENT", "Value": 30}
    with Load(lab, "canary") as load:
        routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": 6}
        update(lab, "canary", "canary-green", routing)
        eventually(lambda: load.answers["x>green"] > 0, "the canary answers")
        pending = lab.sagemaker.describe_endpoint(EndpointName="canary")
        assert pending["EndpointStatus"] == "Updating" and pending["EndpointConfigName"] == "canary-blue"
        [green] = pending["PendingDeploymentSummary"]["ProductionVariants"]
        assert green["VariantStatus"][0]["Status"] == "Baking"
        assert 0.1 < share(load) < 0.6
        eventually(lambda: share(load, 40) == 1, "green answers all")
        settled = lab.endpoint_settled("canary")
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", "canary-green")
        assert "PendingDeploymentSummary" not in settled
        assert settled["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"] == routing
    assert load.failures == []


def test_traffic_moves_in_equal_steps(lab: Lab) -> None:
    blue_and_green(lab, "linear")
    size = {"Type": "CAPACITY_PERCENT", "Value": 50}
    with Load(lab, "linear") as load:
        update(lab, "linear", "linear-green", {"Type": "LINEAR", "LinearStepSize": size, "WaitIntervalInSeconds": 3})
        eventually(lambda: load.answers["x>green"] > 0, "the first step answers")
        assert 0.25 < share(load) < 0.75
        settled = lab.endpoint_settled("linear")
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", "linear-green")
        assert share(load, 40) == 1
    assert load.failures == []


def test_an_alarm_takes_an_update_back(lab: Lab) -> None:
    cloudwatch = lab.server.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Average",
        Dimensions=[{"Name": "EndpointName", "Value": "alarmed"}, {"Name": "VariantName", "Value": "v"}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    blue_and_green(lab, "alarmed")
    size = {"Type": "CAPACITY_PERCENT", "Value": 50}
    routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": 600}
    with Load(lab, "alarmed") as load:
        alarms = {"Alarms": [{"AlarmName": "errors"}]}
        update(lab, "alarmed", "alarmed-green", routing, AutoRollbackConfiguration=alarms)
        eventually(lambda: load.answers["x>green"] > 0, "the canary answers")
        cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="tried")
        settled = lab.endpoint_settled("alarmed")
        assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", "alarmed-blue")
        assert "in ALARM state" in settled["FailureReason"] and "errors" in settled["FailureReason"]
        eventually(lambda: share(load, 40) == 0, "blue answers all again")
    assert load.failures == []


@pytest.mark.parametrize(
    ("routing", "message"),
    [
        ({"Type": "CANARY", "WaitIntervalInSeconds": 1}, "CanarySize is required"),
        (
            {"Type": "CANARY", "WaitIntervalInSeconds": 1, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 51}},
            "less than or equal to 50",
        ),
        (
            {"Type": "LINEAR", "WaitIntervalInSeconds": 1, "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 5}},
            "between 10 and 50",
        ),
        (
            {
                "Type": "ALL_AT_ONCE",
                "WaitIntervalInSeconds": 1,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 5},
            },
            "only supported when",
        ),
    ],
)
def test_policies_that_are_refused(lab: Lab, two: str, routing: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        update(lab, two, two, routing)
    assert lab.sagemaker.describe_endpoint(EndpointName=two)["EndpointStatus"] == "InService"


def test_properties_of_variants_are_retained(lab: Lab, two: str) -> None:
    changes = [{"VariantName": "a", "DesiredWeight": 5.0, "DesiredInstanceCount": 2}]
    lab.sagemaker.update_endpoint_weights_and_capacities(EndpointName=two, DesiredWeightsAndCapacities=changes)
    assert lab.endpoint_settled(two)["EndpointStatus"] == "InService"
    kept = {"RetainAllVariantProperties": True}
    excluded = {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]}
    for more, wanted in ((kept, (5.0, 2, 2)), (kept | excluded, (1.0, 2, 2)), ({}, (1.0, 1, 1))):
        lab.sagemaker.update_endpoint(EndpointName=two, EndpointConfigName=two, **more)
        assert lab.endpoint_settled(two)["EndpointStatus"] == "InService"
        assert shown(lab, two)["a"] == wanted
    with pytest.raises(ClientError, match="needs RetainAllVariantProperties"):
        lab.sagemaker.update_endpoint(EndpointName=two, EndpointConfigName=two, **excluded)


def test_a_serverless_variant(lab: Lab) -> None:
    model(lab, "without-server", container(lab, "s", PAUSE="0.5"))
    config = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    deploy(lab, "serverless", {"VariantName": "v", "ModelName": "without-server", "ServerlessConfig": config})
    [described] = lab.sagemaker.describe_endpoint(EndpointName="serverless")["ProductionVariants"]
    assert described["CurrentServerlessConfig"] == config and "CurrentInstanceCount" not in described
    assert ask(lab, "serverless") == "x>s"
    outcomes: Counter[str] = Counter()

    def call() -> None:
        runtime = lab.server.client("sagemaker-runtime", config=Config(retries={"max_attempts": 0}))
        try:
            runtime.invoke_endpoint(EndpointName="serverless", ContentType="text/plain", Body="x")
            outcomes["answered"] += 1
        except ClientError as error:
            outcomes[error.response["Error"]["Code"]] += 1

    callers = [threading.Thread(target=call) for _ in range(6)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert outcomes["answered"] >= 2 and outcomes["ThrottlingException"] >= 1, outcomes
    assert outcomes.total() == outcomes["answered"] + outcomes["ThrottlingException"]
    specs = [json.loads(file.read_text()) for file in lab.server.home.glob("jobs/Endpoint-*/spec.json")]
    assert 2048 << 20 in [spec["limits"]["memory_bytes"] for spec in specs]


def test_serverless_variants_that_are_refused(lab: Lab) -> None:
    model(lab, "refused", container(lab, "r"))
    given = {"VariantName": "v", "ModelName": "refused"}
    for more, message in (
        ({"ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}, "enum value set: .1024, 2048"),
        (
            {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}, "InstanceType": "ml.m5.large"},
            "InstanceType cannot be given",
        ),
        (
            {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": 2}},
            "must not be larger than MaxConcurrency",
        ),
    ):
        with pytest.raises(ClientError, match=message):
            lab.sagemaker.create_endpoint_config(EndpointConfigName="refused", ProductionVariants=[{**given, **more}])
