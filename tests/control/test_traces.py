"""A request is one trace: from the edge over control to the job and its steps, in the spans that a collector gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.core.settings import SettingsError, load
from clary.core.tracing import Trace, Tracer, place_below, read
from clary.testing.collector import Collector, collector
from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server, server

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module", name="collector")
def _collector() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[Server]:
    with server(otlp_endpoint=collector.url) as running:
        yield running


def test_a_job_is_one_trace(traced: Server, collector: Collector) -> None:
    traced.client("s3").create_bucket(Bucket="jobs")
    sagemaker = traced.session().client("sagemaker", endpoint_url=traced.url)
    given = f"00-{TRACE_ID}-{SPAN_ID}-01"
    sagemaker.meta.events.register(
        "before-sign.sagemaker.CreateTrainingJob", lambda request, **_: request.headers.add_header("traceparent", given)
    )
    sagemaker.create_training_job(
        TrainingJobName="traced",
        RoleArn=traced.role_arn,
        AlgorithmSpecification={
            "TrainingImage": "clary/python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", "import os; print('told', os.environ['TRACEPARENT'])"],
        },
        OutputDataConfig={"S3OutputPath": "s3://jobs/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    wait_for(lambda: "TrainingJob traced" in collector.of(TRACE_ID), 60)
    wait_for(lambda: {"sagemaker CreateTrainingJob", "Training"} <= collector.of(TRACE_ID).keys(), 60)
    described = sagemaker.describe_training_job(TrainingJobName="traced")
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    assert not [name for name in described if name.startswith("_")]
    spans = collector.of(TRACE_ID)
    edge, control = spans["sagemaker CreateTrainingJob"], spans["control sagemaker CreateTrainingJob"]
    job, look = spans["TrainingJob traced"], spans["reconcile TrainingJob"]
    assert edge["parentSpanId"] == SPAN_ID
    assert control["parentSpanId"] == edge["spanId"]
    assert look["parentSpanId"] == job["parentSpanId"] == control["spanId"]
    steps = {name: span for name, span in spans.items() if span.get("parentSpanId") == job["spanId"]}
    assert "Training" in steps
    for step in steps.values():
        assert int(step["startTimeUnixNano"]) <= int(step["endTimeUnixNano"])
    processes = collector.processes
    assert (processes[edge["spanId"]], processes[control["spanId"]]) == ("edge", "control")
    assert edge["kind"] == 2
    told = {each["key"]: each["value"] for each in edge["attributes"]}
    assert told["rpc.method"] == {"stringValue": "CreateTrainingJob"}
    assert told["http.response.status_code"] == {"intValue": "200"}

    logs = traced.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="traced/")["logStreams"]
    lines = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert f"told 00-{TRACE_ID}-{job['spanId']}-01" in [line["message"] for line in lines]


def test_a_trace_begins_at_the_edge(traced: Server, collector: Collector) -> None:
    traced.client("sagemaker").list_models()

    def listing() -> list[dict[str, Any]]:
        return [span for span in collector.spans if span["name"].endswith("sagemaker ListModels")]

    wait_for(lambda: len(listing()) == 2, 60)
    control, edge = sorted(listing(), key=lambda span: span["name"])
    assert "parentSpanId" not in edge
    assert (control["traceId"], control["parentSpanId"]) == (edge["traceId"], edge["spanId"])


def test_what_is_not_sampled_is_not_sent(traced: Server, collector: Collector) -> None:
    sagemaker = traced.session().client("sagemaker", endpoint_url=traced.url)
    other = TRACE_ID[::-1]
    sagemaker.meta.events.register(
        "before-sign", lambda request, **_: request.headers.add_header("traceparent", f"00-{other}-{SPAN_ID}-00")
    )
    sagemaker.list_experiments()
    traced.client("sagemaker").list_trials()
    wait_for(lambda: any(span["name"] == "control sagemaker ListTrials" for span in collector.spans), 60)
    assert collector.of(other) == {}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
        f"00-{TRACE_ID}-{SPAN_ID}-01\n",
        f"00-{TRACE_ID}-{SPAN_ID}-01,00-{TRACE_ID}-{SPAN_ID}-01",
    ],
    ids=["none", "empty", "short", "no-flags", "version-ff", "zero-trace", "zero-span", "upper", "more", "line", "two"],
)
def test_headers_that_name_no_trace(header: str | None) -> None:
    assert read(header) is None


def test_headers_that_name_one() -> None:
    assert read(f"00-{TRACE_ID}-{SPAN_ID}-01") == Trace(TRACE_ID, SPAN_ID)
    assert read(f"00-{TRACE_ID}-{SPAN_ID}-02") == Trace(TRACE_ID, SPAN_ID, sampled=False)
    # Later versions may add fields.
    assert read(f"01-{TRACE_ID}-{SPAN_ID}-03-more") == Trace(TRACE_ID, SPAN_ID)
    place = place_below(Trace(TRACE_ID, SPAN_ID))
    assert (place.trace_id, read(str(place))) == (TRACE_ID, place)
    assert place.derived("job") == place.derived("job") != place.derived("look")


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    tracer = Tracer("http://127.0.0.1:9", "edge")
    for _ in range(5_000):
        tracer.keep("x", Trace(TRACE_ID, SPAN_ID), None, 0.0, 1.0)
    tracer.close()
    tracer.run()
    sent, dropped = (family.samples[0].value for family in tracer.families())
    assert (sent, dropped) == (0, 5_000)


def test_where_traces_go(tmp_path: Path) -> None:
    standard = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    assert load(tmp_path, {}).otlp_endpoint == ""
    assert load(tmp_path, standard).otlp_endpoint == "http://collector:4318"
    assert load(tmp_path, {**standard, "CLARY_OTLP_ENDPOINT": "https://other"}).otlp_endpoint == "https://other"
    assert load(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}).otlp_endpoint == ""
    with pytest.raises(SettingsError, match="otlp_endpoint"):
        load(tmp_path, {"CLARY_OTLP_ENDPOINT": "collector:4317"})
