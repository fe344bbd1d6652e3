"""Responses that are serialized here are read back by botocore's own parsers."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.compat import HTTPHeaders
from botocore.eventstream import EventStream
from botocore.parsers import EventStreamJSONParser, create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.core import errors
from clary.wire.catalog import service
from clary.wire.errors import InvalidRequest
from clary.wire.http import Response
from clary.wire.serialize import serialize, serialize_error

SERVICES = [
    ("sagemaker", "json", 100),
    ("glue", "json", 60),
    ("logs", "json", 40),
    ("cloudwatch", "json", 30),
    ("sagemaker-runtime", "rest-json", 30),
    ("sagemaker-featurestore-runtime", "rest-json", 30),
    ("lambda", "rest-json", 50),
    ("s3", "rest-xml", 150),
    ("sts", "query", 40),
    ("iam", "query", 80),
    ("cloudwatch", "query", 60),
]


def read_back(protocol: str, response: Response, shape: Any, streaming: bool = False) -> dict[str, Any]:
    """What botocore makes of a response."""
    headers = HTTPHeaders()
    for name, value in response.headers.items():
        headers[name] = value
    body: Any = response.body
    if streaming:
        body = io.BytesIO(body)
    return create_parser(protocol).parse({"headers": headers, "status_code": response.status, "body": body}, shape)


@pytest.mark.parametrize(("name", "protocol", "examples"), SERVICES, ids=lambda value: str(value))
def test_botocore_reads_back_every_result(
    name: str, protocol: str, examples: int, values_of: Callable[..., Any]
) -> None:
    served = service(name)
    names = [
        operation
        for operation in served.operation_names
        if served.operation(operation).output_shape is not None
        and not served.operation(operation).has_event_stream_output
        and not served.operation(operation).deprecated
        and operation != "GetBucketLocation"  # Its XML has no members; a handler of botocore's client reads it.
    ]

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        operation = served.operation(data.draw(st.sampled_from(names)))
        shape = operation.output_shape
        result = data.draw(values_of(shape, protocol, output=True))
        response = serialize(served, operation, {**result, "Unknown": 1, "Nothing": None}, "id-1", protocol)
        assert all(header == header.lower() for header in response.headers)
        parsed = read_back(protocol, response, shape, operation.has_streaming_output)
        metadata = parsed.pop("ResponseMetadata")
        assert metadata["RequestId"] == "id-1"
        if parsed.get("ContentType") == "application/octet-stream" and "ContentType" not in result:
            del parsed["ContentType"]
        for member, member_shape in shape.members.items():
            location = member_shape.serialization.get("location")
            if location == "statusCode":
                assert parsed.pop(member) == result.pop(member, response.status)
            elif location == "headers" and not parsed.get(member):
                parsed.pop(member, None)
            elif member == shape.serialization.get("payload"):
                if hasattr(parsed.get(member), "read"):
                    parsed[member] = parsed[member].read()
                if not parsed.get(member) and not result.get(member):
                    parsed.pop(member, None)
                    result.pop(member, None)
        assert parsed == result

    check()


def reads(code: str, protocol: str, response: Response) -> dict[str, Any]:
    parsed = read_back(protocol, response, None)
    assert parsed["Error"]["Code"] == code
    assert parsed["ResponseMetadata"]["RequestId"] == "id-1"
    return parsed


class ModelError(errors.ServiceError):
    code = "ModelError"
    status = 500


class NoSuchEntity(errors.ServiceError):
    code = "NoSuchEntity"
    status = 400


class NoSuchKey(errors.ServiceError):
    code = "NoSuchKey"
    status = 404


def test_json_errors() -> None:
    response = serialize_error(service("sagemaker"), errors.ResourceNotFound("not <here>"), "id-1")
    assert (response.status, json.loads(response.body)) == (
        400,
        {"__type": "ResourceNotFound", "Message": "not <here>"},
    )  # type: ignore[arg-type]
    assert reads("ResourceNotFound", "json", response)["Error"]["Message"] == "not <here>"
    response = serialize_error(service("logs"), errors.ResourceNotFoundException("gone"), "id-1")
    assert json.loads(response.body) == {"__type": "ResourceNotFoundException", "message": "gone"}  # type: ignore[arg-type]


def test_rest_json_errors_carry_their_members_and_the_models_status() -> None:
    error = ModelError("failed", OriginalStatusCode=500, OriginalMessage="boom", LogStreamArn=None, Other=1)
    response = serialize_error(service("sagemaker-runtime"), error, "id-1")
    shape = service("sagemaker-runtime").model.shape_for("ModelError")
    assert response.status == shape.metadata["error"]["httpStatusCode"]
    assert json.loads(response.body) == {"Message": "failed", "OriginalStatusCode": 500, "OriginalMessage": "boom"}  # type: ignore[arg-type]
    assert reads("ModelError", "rest-json", response)["Error"]["Message"] == "failed"
    assert read_back("rest-json", response, shape)["OriginalStatusCode"] == 500


def test_query_errors() -> None:
    response = serialize_error(service("iam"), NoSuchEntity("no role <x>"), "id-1")
    assert response.status == 404
    assert reads("NoSuchEntity", "query", response)["Error"] == {
        "Type": "Sender",
        "Code": "NoSuchEntity",
        "Message": "no role <x>",
    }
    response = serialize_error(service("sts"), errors.InternalFailure("x"), "id-1")
    assert reads("InternalFailure", "query", response)["Error"]["Type"] == "Receiver"


def test_s3_errors() -> None:
    error = NoSuchKey("The specified key does not exist.", Key="a&b", Resource=None)
    response = serialize_error(service("s3"), error, "id-1")
    assert response.status == 404
    assert reads("NoSuchKey", "rest-xml", response)["Error"]["Key"] == "a&b"
    assert response.headers["x-amz-request-id"] == "id-1"
    assert reads("InvalidRequest", "rest-xml", serialize_error(service("s3"), InvalidRequest("x"), "id-1"))


def test_query_compatible_json_errors_name_the_old_code() -> None:
    class Missing(errors.ServiceError):
        code = "ResourceNotFound"
        status = 404

    response = serialize_error(service("cloudwatch"), Missing("no alarm"), "id-1", protocol="json")
    old, fault = response.headers["x-amzn-query-error"].split(";")
    assert fault == "Sender"
    assert reads(old, "json", response)["Error"]["Message"] == "no alarm"


@pytest.mark.parametrize(
    ("error", "json_code", "query_code", "s3_code"),
    [
        (errors.SignatureDoesNotMatch, "InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
        (errors.InvalidClientTokenId, "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"),
        (
            errors.UnrecognizedClientException,
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
        ),
        (errors.ExpiredToken, "ExpiredTokenException", "ExpiredToken", "ExpiredToken"),
        (errors.AccessDenied, "AccessDeniedException", "AccessDenied", "AccessDenied"),
        (
            errors.MissingAuthenticationToken,
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            "AccessDenied",
        ),
        (errors.InternalFailure, "InternalFailure", "InternalFailure", "InternalError"),
    ],
)
def test_one_fault_has_a_name_in_every_protocol(error: Any, json_code: str, query_code: str, s3_code: str) -> None:
    reads(json_code, "json", serialize_error(service("sagemaker"), error("x"), "id-1"))
    reads(json_code, "rest-json", serialize_error(service("sagemaker-runtime"), error("x"), "id-1"))
    reads(query_code, "query", serialize_error(service("iam"), error("x"), "id-1"))
    reads(s3_code, "rest-xml", serialize_error(service("s3"), error("x"), "id-1"))


def test_what_s3_does_not_do_yet() -> None:
    response = serialize_error(service("s3"), errors.NotAvailableYet("x"), "id-1")
    assert response.status == 501
    reads("NotImplemented", "rest-xml", response)


def test_an_error_without_a_known_service_is_json() -> None:
    assert reads("AccessDeniedException", "json", serialize_error(None, errors.AccessDenied("no"), "id-1"))


def test_times_may_be_seconds_or_text() -> None:
    operation = service("sagemaker").operation("DescribeTrainingJob")
    when = datetime(2026, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)
    for value in (when, when.timestamp(), "2026-11-20T10:00:00.123Z", when.replace(tzinfo=None)):
        response = serialize(service("sagemaker"), operation, {"CreationTime": value}, "id-1")
        assert json.loads(response.body) == {"CreationTime": 1795168800.123}  # type: ignore[arg-type]


def test_a_header_cannot_break_out_of_its_line() -> None:
    operation = service("s3").operation("GetObject")
    result = {"ContentType": "a\r\nset-cookie: x", "Metadata": {"k": "v\nw"}, "Body": b"x"}
    headers = serialize(service("s3"), operation, result, "id-1").headers
    assert not any("\n" in value or "\r" in value for value in headers.values())


def test_the_location_of_a_bucket_is_the_root_element() -> None:
    operation = service("s3").operation("GetBucketLocation")
    response = serialize(service("s3"), operation, {"LocationConstraint": "eu-west-1"}, "id-1")
    assert response.body.endswith(
        b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>'
    )  # type: ignore[union-attr]


def test_a_response_stream_is_read_by_botocore() -> None:
    operation = service("sagemaker-runtime").operation("InvokeEndpointWithResponseStream")
    parts = [b"one", b"", b"\x00\xff" * 40_000]

    async def events() -> AsyncIterator[dict[str, Any]]:
        for part in parts:
            yield {"PayloadPart": {"Bytes": part}}

    assert [event["PayloadPart"]["Bytes"] for event in stream_of(operation, events())] == parts


def test_an_error_within_a_stream_ends_it() -> None:
    class ModelStreamError(errors.ServiceError):
        code = "ModelStreamError"

    async def events() -> AsyncIterator[dict[str, Any]]:
        yield {"PayloadPart": {"Bytes": b"x"}}
        raise ModelStreamError("stopped", ErrorCode="ModelInvocationTimeExceeded")

    operation = service("sagemaker-runtime").operation("InvokeEndpointWithResponseStream")
    stream = iter(stream_of(operation, events()))
    assert next(stream) == {"PayloadPart": {"Bytes": b"x"}}
    with pytest.raises(Exception, match=r"ModelStreamError.*stopped"):
        next(stream)


def stream_of(operation: Any, events: AsyncIterator[dict[str, Any]]) -> EventStream:
    response = serialize(service("sagemaker-runtime"), operation, {"Body": events, "ContentType": "text/csv"}, "id-1")
    assert response.headers["x-amzn-sagemaker-content-type"] == "text/csv"
    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"

    async def collect() -> list[bytes]:
        return [piece async for piece in response.body]  # type: ignore[union-attr]

    pieces = asyncio.run(collect())

    class Raw:
        def stream(self) -> list[bytes]:
            return pieces

    return EventStream(Raw(), operation.output_shape.members["Body"], EventStreamJSONParser(), operation.name)
