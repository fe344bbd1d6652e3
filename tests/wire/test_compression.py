"""Bodies that the client has compressed: read where the model allows it, in every protocol, and never without bound."""

from __future__ import annotations

import gzip

import cbor2
import orjson
import pytest

from clary.core.errors import RequestTooLarge, SerializationException, ServiceError
from clary.wire.catalog import service
from clary.wire.compression import MOST_BYTES, unpacked
from clary.wire.http import Request
from clary.wire.parse import parse
from clary.wire.route import identify

SCOPE = "AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
MEMBERS = {"Namespace": "Mine", "MetricData": [{"MetricName": "m", "Value": 1.5}]}
FORM = (
    "Action=PutMetricData&Version=2010-08-01&Namespace=Mine"
    "&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.5"
)
REQUESTS = {
    "json": (
        "/",
        {"content-type": "application/x-amz-json-1.0", "x-amz-target": "GraniteServiceVersion20100801.PutMetricData"},
        orjson.dumps(MEMBERS),
    ),
    "smithy-rpc-v2-cbor": (
        "/service/GraniteServiceVersion20100801/operation/PutMetricData",
        {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"},
        cbor2.dumps(MEMBERS),
    ),
    "query": ("/", {"content-type": "application/x-www-form-urlencoded"}, FORM.encode()),
}


@pytest.mark.parametrize("protocol", REQUESTS)
def test_every_protocol_reads_them(protocol: str) -> None:
    path, headers, body = REQUESTS[protocol]
    headers = {**headers, "authorization": SCOPE, "content-encoding": "gzip"}
    request = Request("POST", path, headers=headers, body=gzip.compress(body), host="localhost")
    route = identify(request)
    assert (route.service, route.operation, route.protocol) == ("cloudwatch", "PutMetricData", protocol)
    operation, params = parse(service("cloudwatch"), request, route)
    assert (operation.name, params) == ("PutMetricData", MEMBERS)


def test_other_operations_do_not_take_them() -> None:
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "GraniteServiceVersion20100801.ListMetrics",
        "authorization": SCOPE,
        "content-encoding": "gzip",
    }
    with pytest.raises(ServiceError):
        parse(service("cloudwatch"), Request("POST", "/", headers=headers, body=gzip.compress(b"{}"), host="localhost"))


def test_what_cannot_be_read_is_refused() -> None:
    packed = gzip.compress(b"x" * MOST_BYTES)
    assert len(unpacked(packed)) == MOST_BYTES
    for wrong in (b"", b"{}", packed[:-9], packed[:100]):
        with pytest.raises(SerializationException):
            unpacked(wrong)
    with pytest.raises(RequestTooLarge):
        unpacked(gzip.compress(b"x" * (MOST_BYTES + 1)))
