"""Requests that no client makes by itself, each of which was answered with a fault once."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.testing.server import Server
from clary.wire import read_json
from clary.wire.catalog import service
from clary.wire.http import Request
from clary.wire.parse import parse

ODD: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a filter that is a structure": (
        "glue",
        "get_ml_task_runs",
        {"TransformId": "a", "Filter": {}, "Sort": {"Column": "STATUS", "SortDirection": "ASCENDING"}},
        "UnknownOperationException",
    ),
    "a filter that is a list": (
        "sagemaker",
        "list_training_plans",
        {"Filters": [{"Name": "Status", "Value": "a"}]},
        "UnknownOperationException",
    ),
    "a tag filter without a key": (
        "resourcegroupstaggingapi",
        "get_resources",
        {"TagFilters": [{}]},
        "InvalidParameterException",
    ),
    "a list with a null": (
        "sagemaker-metrics",
        "batch_put_metrics",
        {"TrialComponentName": "a", "MetricData": [None]},
        "ValidationException",
    ),
    "half an address": ("sqs", "delete_queue", {"QueueUrl": "http://["}, "InvalidAddress"),
    "a token that is not ASCII": ("s3", "list_buckets", {"ContinuationToken": "١٢"}, "InvalidArgument"),
    "what is no ARN": ("sns", "get_topic_attributes", {"TopicArn": "arn:"}, "InvalidParameter"),
    "a cluster without instances": (
        "sagemaker",
        "create_processing_job",
        {
            "ProcessingJobName": "a",
            "ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 1}},
            "AppSpecification": {"ImageUri": "a"},
            "RoleArn": "arn:aws:iam::123456789012:role/ClaryExecutionRole",
        },
        "ValidationException",
    ),
}


@pytest.mark.parametrize("name", list(ODD))
def test_odd_requests_are_refused_as_what_they_are(clary_server: Server, name: str) -> None:
    service_name, operation, members, code = ODD[name]
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client = clary_server.client(service_name, config=config)
    if service_name == "sagemaker-metrics":
        # botocore does not write a null in a list of structures.
        client.meta.events.register(
            "before-sign",
            lambda request, **_: setattr(request, "data", b'{"TrialComponentName": "a", "MetricData": [null]}'),
        )
        members = {"TrialComponentName": "a", "MetricData": []}
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)(**members)
    error = raised.value.response
    assert code in error["Error"]["Code"], error
    assert error["ResponseMetadata"]["HTTPStatusCode"] < 500


def test_what_reads_a_body_is_made_once() -> None:
    """For each request anew, it would be kept for each request."""
    request = Request(
        "PUT", "/BatchPutMetrics", "", {"authorization": "Credential=a/20260101/us-east-1/sagemaker/aws4_request"}
    )
    request.path, request.body = "/BatchPutMetrics", b'{"TrialComponentName": "a", "MetricData": []}'
    parse(service("sagemaker-metrics"), request)
    before = read_json._structure_reader.cache_info().currsize
    for _ in range(20):
        parse(service("sagemaker-metrics"), request)
    assert read_json._structure_reader.cache_info().currsize == before
