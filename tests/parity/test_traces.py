"""What a tuning job and an endpoint do for a request lies in its trace, and model servers are told their places."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from parity_lab import SKLEARN, Lab, eventually

from clary.testing.collector import Collector, Span, collector
from clary.testing.server import server

PARENT = "b7ad6b7169203331"
SCRIPT = """
    import argparse, os
    parser = argparse.ArgumentParser()
    parser.add_argument("-x", type=float)
    print("score=%f; told %s" % (parser.parse_known_args()[0].x, os.environ["TRACEPARENT"]))
    """
HANDLER = """
    import os

    def model_fn(folder):
        return os.environ.get("TRACEPARENT")

    def transform_fn(model, body, content_type, accept, context):
        return f"{model} {context.get_request_header(0, 'Traceparent')}"
    """


@pytest.fixture(scope="module", name="collector")
def _collector() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[Lab]:
    with server(otlp_endpoint=collector.url) as running:
        yield Lab(running)


def client(lab: Lab, trace_id: str, service: str = "sagemaker") -> Any:
    """A client whose calls belong to a trace."""
    made = lab.server.client(service)
    given = f"00-{trace_id}-{PARENT}-01"
    made.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("traceparent", given))
    return made


def sent(collector: Collector, trace_id: str, name: str) -> Span:
    """The span of that name, once the collector has it."""
    return dict(eventually(lambda: collector.of(trace_id).get(name), f"the span {name!r}"))


def times(span: Span) -> tuple[int, int]:
    return int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])


def test_trials_lie_below_their_tuning_job(traced: Lab, collector: Collector) -> None:
    trace_id = "1" * 32
    script = traced.script(SCRIPT)
    client(traced, trace_id).create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="hill",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{script}"'},
            "AlgorithmSpecification": {
                "TrainingImage": SKLEARN,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
            },
            "RoleArn": traced.role,
            "OutputDataConfig": {"S3OutputPath": "s3://parity/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    tuning = sent(collector, trace_id, "HyperParameterTuningJob hill")
    assert tuning["status"] == {}
    asked = sent(collector, trace_id, "control sagemaker CreateHyperParameterTuningJob")
    assert tuning["parentSpanId"] == asked["spanId"]

    def below() -> list[Span]:
        return [span for span in collector.below(tuning) if span["name"].startswith("TrainingJob ")]

    eventually(lambda: len(below()) == 2, "the spans of both trials")
    trials = below()
    assert [span["name"][:-8] for span in trials] == ["TrainingJob hill-001-", "TrainingJob hill-002-"]
    assert len({span["spanId"] for span in trials}) == 2
    for trial in trials:
        assert times(tuning)[0] <= times(trial)[0] <= times(trial)[1] <= times(tuning)[1]
        assert "Training" in [step["name"] for step in collector.below(trial)]
        log = traced.log_of(trial["name"].removeprefix("TrainingJob "))
        assert f"told 00-{trace_id}-{trial['spanId']}-01" in log


def variant(model: str) -> dict[str, Any]:
    return {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@pytest.fixture(scope="module")
def endpoint(traced: Lab) -> str:
    """An endpoint that was made in the trace ``2…`` and has the configurations ``one`` and ``two``."""
    code = traced.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    traced.model("told", None, SKLEARN, Environment=variables)
    for name in ("one", "two"):
        traced.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant("told")])
    client(traced, "2" * 32).create_endpoint(EndpointName="told", EndpointConfigName="one")
    assert traced.endpoint_settled("told")["EndpointStatus"] == "InService", traced.endpoint_log("told")
    return "told"


def test_a_deployment_has_a_span_with_the_start_of_its_servers(
    traced: Lab, collector: Collector, endpoint: str
) -> None:
    deployment = sent(collector, "2" * 32, "Deployment one")
    asked = sent(collector, "2" * 32, "control sagemaker CreateEndpoint")
    assert (deployment["parentSpanId"], deployment["status"]) == (asked["spanId"], {})
    [started] = collector.below(deployment)
    assert started["name"] == "Server v/0"
    assert times(deployment)[0] == times(started)[0] < times(started)[1] <= times(deployment)[1]
    steps = collector.below(started)
    assert [step["name"] for step in steps] == ["Pending", "Starting", "Downloading", "Starting", "Loading"]
    assert times(started) == (times(steps[0])[0], times(steps[-1])[1])
    for earlier, later in pairwise(steps):
        assert times(earlier)[1] == times(later)[0]


def test_an_update_lies_in_the_trace_that_asked_for_it(traced: Lab, collector: Collector, endpoint: str) -> None:
    trace_id = "3" * 32
    canary = {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 0}
    client(traced, trace_id).update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName="two",
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": canary}},
    )
    traced.endpoint_settled(endpoint)
    deployment = sent(collector, trace_id, "Deployment two")
    assert deployment["parentSpanId"] == sent(collector, trace_id, "control sagemaker UpdateEndpoint")["spanId"]
    ended = sent(collector, trace_id, "Ending servers")
    steps = collector.below(deployment)
    assert [step["name"] for step in steps] == ["Server v/0", "Traffic 50%", "Traffic 100%", "Ending servers"]
    assert times(steps[2])[0] >= times(steps[1])[1]
    assert times(ended)[0] >= times(steps[2])[1]
    assert sent(collector, trace_id, "reconcile Endpoint")["parentSpanId"] == deployment["parentSpanId"]
    told, _ = traced.invoke(endpoint, "x", "text/plain").decode().split()
    assert told == f"00-{trace_id}-{deployment['spanId']}-01"


@pytest.mark.parametrize("size", [1, 100_000], ids=["small", "large"])
def test_a_model_server_is_told_the_place_of_an_invocation(
    traced: Lab, collector: Collector, endpoint: str, size: int
) -> None:
    trace_id = f"{size:032x}"
    runtime = client(traced, trace_id, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/plain", Body="x" * size)
    asked = sent(collector, trace_id, "sagemaker-runtime InvokeEndpoint")
    assert asked["parentSpanId"] == PARENT
    assert answer["Body"].read().decode().split()[1] == f"00-{trace_id}-{asked['spanId']}-01"


def test_a_model_server_is_told_the_place_of_a_stream(traced: Lab, collector: Collector, endpoint: str) -> None:
    trace_id = "4" * 32
    runtime = client(traced, trace_id, "sagemaker-runtime")
    answer = runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, ContentType="text/plain", Body="x")
    said = b"".join(part["PayloadPart"]["Bytes"] for part in answer["Body"])
    asked = sent(collector, trace_id, "sagemaker-runtime InvokeEndpointWithResponseStream")
    assert said.decode().split()[1] == f"00-{trace_id}-{asked['spanId']}-01"


@pytest.mark.slow("survival")
def test_a_deployment_is_told_whole_by_another_process(traced: Lab, collector: Collector, endpoint: str) -> None:
    supervisor = traced.server.home / "run" / "supervisor.json"
    before = time.time_ns()
    client(traced, "8" * 32).create_endpoint(EndpointName="survives", EndpointConfigName="one")
    os.kill(json.loads(supervisor.read_text())["children"]["control"]["pid"], signal.SIGKILL)
    assert traced.endpoint_settled("survives")["EndpointStatus"] == "InService", traced.endpoint_log("survives")
    deployment = sent(collector, "8" * 32, "Deployment one")
    [started] = collector.below(deployment)
    assert before <= times(deployment)[0] == times(started)[0] < times(started)[1] <= times(deployment)[1]
    assert [step["name"] for step in collector.below(started)][-1] == "Loading"
    # The edge has it from the client, and the place follows from what the request has left in the document.
    edge = sent(collector, "8" * 32, "sagemaker CreateEndpoint")
    assert edge["parentSpanId"] == PARENT
    told, _ = traced.invoke("survives", "x", "text/plain").decode().split()
    assert told == f"00-{'8' * 32}-{deployment['spanId']}-01"


def test_nothing_is_told_where_nothing_is_traced(lab: Lab) -> None:
    code = lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    lab.model("untold", None, SKLEARN, Environment=variables)
    lab.sagemaker.create_endpoint_config(EndpointConfigName="untold", ProductionVariants=[variant("untold")])
    client(lab, "7" * 32).create_endpoint(EndpointName="untold", EndpointConfigName="untold")
    assert lab.endpoint_settled("untold")["EndpointStatus"] == "InService", lab.endpoint_log("untold")
    runtime = client(lab, "7" * 32, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="untold", ContentType="text/plain", Body="x")
    assert answer["Body"].read() == b"None None"


def test_a_deployment_that_fails_is_an_error(traced: Lab, collector: Collector) -> None:
    traced.model("absent", None, "nobody/nothing:1")
    traced.sagemaker.create_endpoint_config(EndpointConfigName="absent", ProductionVariants=[variant("absent")])
    client(traced, "5" * 32).create_endpoint(EndpointName="absent", EndpointConfigName="absent")
    reason = traced.endpoint_settled("absent")["FailureReason"]
    failed = sent(collector, "5" * 32, "Deployment absent")
    assert failed["status"] == {"code": 2, "message": reason}
    assert [span["name"] for span in collector.below(failed)][:1] == ["Server v/0"]


def test_a_deployment_that_cannot_be_planned_is_one_too(traced: Lab, collector: Collector) -> None:
    traced.model("gone", None, SKLEARN)
    traced.sagemaker.create_endpoint_config(EndpointConfigName="gone", ProductionVariants=[variant("gone")])
    traced.sagemaker.delete_model(ModelName="gone")
    client(traced, "6" * 32).create_endpoint(EndpointName="gone", EndpointConfigName="gone")
    reason = traced.endpoint_settled("gone")["FailureReason"]
    failed = sent(collector, "6" * 32, "Deployment gone")
    assert failed["status"] == {"code": 2, "message": reason}
    assert collector.below(failed) == []
