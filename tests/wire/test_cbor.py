"""The protocol smithy-rpc-v2-cbor, spoken by botocore's own serializer and parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.parsers
import botocore.serialize
import botocore.session
import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.core.errors import SerializationException, ValidationException
from clary.wire import catalog, cbor
from clary.wire.http import Request
from clary.wire.parse import parse
from clary.wire.route import identify
from clary.wire.serialize import serialize, serialize_error

PROTOCOL = "smithy-rpc-v2-cbor"
MODEL = botocore.session.get_session().get_service_model("cloudwatch")
SERVICE = catalog.service("cloudwatch")
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"


def sent(operation: str, params: dict[str, Any]) -> Request:
    """A request as botocore puts it on the wire."""
    made = botocore.serialize.create_serializer(PROTOCOL, False).serialize_to_request(
        params, MODEL.operation_model(operation)
    )
    headers = {name.lower(): value for name, value in made["headers"].items()}
    return Request(
        made["method"], made["url_path"], "", {**headers, "authorization": SIGNED}, made["body"], "localhost"
    )


def understood(operation: str, answer: Any) -> Any:
    """An answer as botocore reads it."""
    raw = {"body": answer.body, "headers": answer.headers, "status_code": answer.status}
    return botocore.parsers.create_parser(PROTOCOL).parse(raw, MODEL.operation_model(operation).output_shape)


def test_a_request_arrives_as_it_was_sent() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=UTC)
    params = {
        "Namespace": "mine",
        "MetricData": [
            {"MetricName": "m", "Timestamp": moment, "Value": 1.5, "Dimensions": [{"Name": "a", "Value": "ü"}]},
            {"MetricName": "n", "Values": [1.0, 2.0], "Counts": [3.0, 4.0], "StorageResolution": 60},
        ],
    }
    request = sent("PutMetricData", params)
    route = identify(request)
    assert (route.service, route.region, route.operation, route.protocol) == (
        "cloudwatch",
        "eu-west-1",
        "PutMetricData",
        PROTOCOL,
    )
    operation, parsed = parse(SERVICE, request, route)
    assert (operation.name, parsed) == ("PutMetricData", params)


def test_an_answer_is_understood() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)
    result = {
        "MetricDataResults": [{"Id": "a", "Timestamps": [moment], "Values": [1, 2.5], "StatusCode": "Complete"}],
        "NextToken": None,
    }
    operation = SERVICE.operation("GetMetricData")
    answer = serialize(SERVICE, operation, result, "request", PROTOCOL)
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    read = understood("GetMetricData", answer)
    [row] = read["MetricDataResults"]
    assert (row["Values"], row["Timestamps"]) == ([1.0, 2.5], [moment])
    assert "NextToken" not in read


def test_an_answer_without_members_and_an_error() -> None:
    operation = SERVICE.operation("PutMetricData")
    answer = serialize(SERVICE, operation, {}, "request", PROTOCOL)
    assert (answer.status, "content-type" in answer.headers) == (200, bool(answer.body))
    refusal = serialize_error(SERVICE, ValidationException("No."), "request", operation, PROTOCOL)
    read = understood("PutMetricData", refusal)
    assert (read["Error"]["Code"], read["Error"]["Message"]) == ("ValidationError", "No.")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"\xa1",
        b"\xa1\x61",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x00\x00\x7f\xff\xff\xff\xff\xff",
        b"\x81" * 100_000 + b"\x00",
        b"\xd8\x1d\x00",
        cbor2.dumps([]),
        cbor2.dumps("text"),
        cbor2.dumps({"Namespace": 1}),
        cbor2.dumps({"MetricData": {}}),
        cbor2.dumps({"MetricData": [{"Timestamp": 1}]}),
        cbor2.dumps({"MetricData": [{"Value": "x"}]}),
        cbor2.dumps({"MetricData": ["x"]}),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(SerializationException):
        cbor.read_structure(SERVICE.operation("PutMetricData").input_shape, cbor.load(body))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    shape = SERVICE.operation("PutMetricData").input_shape
    try:
        found = cbor.read_structure(shape, cbor.load(body))
    except SerializationException:
        return
    assert isinstance(found, dict)
