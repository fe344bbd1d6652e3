"""Where requests go, told from what clients really send."""

from __future__ import annotations

import time
from typing import Any

import pytest

from clary.core.errors import SignatureDoesNotMatch, UnknownOperationException
from clary.wire.errors import InvalidAction, MissingAction
from clary.wire.http import Request
from clary.wire.route import bucket_in_host, identify, service_of


@pytest.mark.parametrize(
    ("signing_name", "method", "path", "service", "operation"),
    [
        ("sagemaker", "POST", "/endpoints/a%20b/invocations", "sagemaker-runtime", "InvokeEndpoint"),
        ("sagemaker", "POST", "/endpoints/x/async-invocations", "sagemaker-runtime", "InvokeEndpointAsync"),
        (
            "sagemaker",
            "POST",
            "/endpoints/x/invocations-response-stream",
            "sagemaker-runtime",
            "InvokeEndpointWithResponseStream",
        ),
        ("sagemaker", "PUT", "/FeatureGroup/x", "sagemaker-featurestore-runtime", "PutRecord"),
        ("sagemaker", "POST", "/BatchGetRecord", "sagemaker-featurestore-runtime", "BatchGetRecord"),
        ("sagemaker", "PUT", "/BatchPutMetrics", "sagemaker-metrics", "BatchPutMetrics"),
        ("sagemaker", "POST", "/human-loops", "sagemaker-a2i-runtime", "StartHumanLoop"),
        ("lambda", "POST", "/2015-03-31/functions/f/invocations", "lambda", "Invoke"),
        ("lambda", "GET", "/2015-03-31/functions/", "lambda", "ListFunctions"),
        ("lambda", "GET", "/2015-03-31/functions", "lambda", "ListFunctions"),
        ("databrew", "GET", "/datasets", "databrew", "ListDatasets"),
    ],
)
def test_rest_services(signing_name: str, method: str, path: str, service: str, operation: str, scoped: Any) -> None:
    route = identify(Request(method, path, headers=scoped(signing_name)))
    assert (route.service, route.operation, route.protocol) == (service, operation, "rest-json")
    assert (route.region, route.access_key) == ("us-east-1", "AKIDEXAMPLE")


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "operation"),
    [
        ("GET", "/", "", {}, "ListBuckets"),
        ("GET", "/b", "", {}, "ListObjects"),
        ("GET", "/b/", "list-type=2&prefix=", {}, "ListObjectsV2"),
        ("GET", "/b", "list-type=1", {}, "ListObjects"),
        ("HEAD", "/b", "", {}, "HeadBucket"),
        ("GET", "/b", "location", {}, "GetBucketLocation"),
        ("GET", "/b", "location=", {}, "GetBucketLocation"),
        ("GET", "/b", "uploads", {}, "ListMultipartUploads"),
        ("GET", "/b", "analytics&id=1", {}, "GetBucketAnalyticsConfiguration"),
        ("GET", "/b", "analytics", {}, "ListBucketAnalyticsConfigurations"),
        ("GET", "/b", "lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("GET", "/b/k", "x-id=GetObject", {}, "GetObject"),
        ("GET", "/b//", "", {}, "GetObject"),
        ("GET", "/b/k/?", "uploadId=1", {}, "ListParts"),
        ("GET", "/b/k", "tagging", {}, "GetObjectTagging"),
        ("PUT", "/b/k", "", {}, "PutObject"),
        ("PUT", "/b/k", "", {"x-amz-copy-source": "a/b"}, "CopyObject"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", {"x-amz-copy-source": "a/b"}, "UploadPartCopy"),
        ("POST", "/b/k", "uploads", {}, "CreateMultipartUpload"),
        ("POST", "/b/k", "uploadId=u", {}, "CompleteMultipartUpload"),
        ("DELETE", "/b/k", "uploadId=u", {}, "AbortMultipartUpload"),
        ("DELETE", "/b/k", "versionId=u", {}, "DeleteObject"),
        ("POST", "/b", "delete", {}, "DeleteObjects"),
        ("POST", "/b", "", {}, None),
        ("OPTIONS", "/b/k", "", {}, None),
    ],
)
def test_s3(method: str, path: str, query: str, headers: dict[str, str], operation: str | None, scoped: Any) -> None:
    for scope in (scoped("s3"), {}):
        route = identify(Request(method, path.rstrip("?"), query, {**scope, **headers}, host="127.0.0.1:7788"))
        assert (route.service, route.operation, route.protocol, route.bucket) == ("s3", operation, "rest-xml", None)


def test_a_bucket_in_the_host(scoped: Any) -> None:
    route = identify(Request("GET", "/a/k", headers=scoped("s3"), host="my.bucket.localhost:7788"))
    assert (route.operation, route.bucket, route.path) == ("GetObject", "my.bucket", "/my.bucket/a/k")
    assert identify(Request("GET", "/", headers=scoped("s3"), host="b.localhost")).operation == "ListObjects"


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("localhost", None),
        ("localhost:7788", None),
        ("s3.localhost:7788", None),
        ("b.localhost:7788", "b"),
        ("b.s3.localhost", "b"),
        ("a.b.s3.us-east-1.localhost", "a.b"),
        ("s3.us-east-1.localhost", None),
        ("b.s3.amazonaws.com", "b"),
        ("b.s3.us-west-2.amazonaws.com", "b"),
        ("b.s3-us-west-2.amazonaws.com", "b"),
        ("s3.us-west-2.amazonaws.com", None),
        ("B.S3.AmazonAWS.com.", "b"),
        ("127.0.0.1:7788", None),
        ("[::1]:7788", None),
        ("", None),
        ("evil.com", None),
        ("b.clary.example:1", "b"),
    ],
)
def test_buckets_in_hosts(host: str, bucket: str | None) -> None:
    assert bucket_in_host(host, ("localhost", "clary.example")) == bucket


@pytest.mark.parametrize(
    ("target", "service", "operation"),
    [
        ("SageMaker.CreateTrainingJob", "sagemaker", "CreateTrainingJob"),
        ("Logs_20140328.PutLogEvents", "logs", "PutLogEvents"),
        ("AWSGlue.GetTable", "glue", "GetTable"),
        ("GraniteServiceVersion20100801.PutMetricData", "cloudwatch", "PutMetricData"),
        ("Timestream_20181101.WriteRecords", "timestream-write", "WriteRecords"),
        ("Timestream_20181101.Query", "timestream-query", "Query"),
    ],
)
def test_targets(target: str, service: str, operation: str) -> None:
    route = identify(Request("POST", "/", headers={"x-amz-target": target}))
    assert (route.service, route.operation, route.protocol) == (service, operation, "json")


@pytest.mark.parametrize("target", ["SageMaker.Nope", "Nope.CreateTrainingJob", "", "x", "."])
def test_unknown_targets(target: str, scoped: Any) -> None:
    with pytest.raises(UnknownOperationException):
        identify(Request("POST", "/", headers={"x-amz-target": target, **scoped("sagemaker")}))


def test_a_signature_for_one_service_is_not_good_for_another(scoped: Any) -> None:
    with pytest.raises(SignatureDoesNotMatch, match="Credential should be scoped to correct service: 'sagemaker'"):
        identify(Request("POST", "/", headers={"x-amz-target": "SageMaker.ListModels", **scoped("s3")}))


def test_query_services(scoped: Any) -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    body = b"Version=2010-08-01&NotAction=x&Action=GetMetricData"
    for scope, text, service, operation in [
        (scoped("monitoring"), body, "cloudwatch", "GetMetricData"),
        (scoped("iam"), b"Action=GetRole", "iam", "GetRole"),
        ({}, b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "sts", "AssumeRoleWithWebIdentity"),
        (scoped("elasticloadbalancing"), b"Action=CreateTargetGroup", "elbv2", "CreateTargetGroup"),
    ]:
        route = identify(Request("POST", "/", headers={**form, **scope}, body=text))
        assert (route.service, route.operation, route.protocol) == (service, operation, "query")
    route = identify(Request("GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", scoped("sts")))
    assert (route.service, route.operation) == ("sts", "GetCallerIdentity")
    with pytest.raises(InvalidAction):
        identify(Request("POST", "/", headers={**form, **scoped("iam")}, body=b"Action=Nope"))
    with pytest.raises(MissingAction):
        identify(Request("POST", "/", headers={**form, **scoped("iam")}))


def test_presigned_requests_are_scoped_by_their_query() -> None:
    query = "X-Amz-Credential=AKID%2F20261120%2Feu-west-1%2Fs3%2Faws4_request"
    route = identify(Request("GET", "/b/k", query))
    assert (route.service, route.region, route.access_key) == ("s3", "eu-west-1", "AKID")


@pytest.mark.parametrize("region", ["..x", "US", "a" * 40, "é"])
def test_odd_regions_are_not_believed(region: str) -> None:
    scope = f"Credential=A/20261120/{region}/s3/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=a"}
    assert identify(Request("GET", "/b/k", headers=headers)).region == "us-east-1"


def test_the_service_of_an_unroutable_request(scoped: Any) -> None:
    found = service_of(Request("GET", "/no/such/path", headers=scoped("sagemaker")))
    assert found is not None
    assert found.name == "sagemaker"
    monitoring = service_of(Request("GET", "/", headers=scoped("monitoring")))
    assert monitoring is not None
    assert monitoring.name == "cloudwatch"
    assert service_of(Request("GET", "/", headers=scoped("nonsense"))) is None


def test_the_hot_path_is_cheap(scoped: Any) -> None:
    requests = [
        Request("POST", "/endpoints/e/invocations", headers=scoped("sagemaker")),
        Request("GET", "/b/k", headers=scoped("s3"), host="localhost:7788"),
    ]
    for request in requests:
        identify(request)
        best = min(_timed(request) for _ in range(20))
        assert best < 500e-6  # A few microseconds where nothing else runs.


def _timed(request: Request) -> float:
    started = time.perf_counter()
    for _ in range(50):
        identify(request)
    return (time.perf_counter() - started) / 50
