"""Requests that botocore serializes are parsed into the parameters that they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.core.errors import SerializationException, ServiceError
from clary.wire.catalog import service
from clary.wire.errors import MalformedQueryString, MalformedXML
from clary.wire.http import Request
from clary.wire.parse import parse
from clary.wire.route import Route, identify

SERVICES = [
    ("sagemaker", "json", 100),
    ("glue", "json", 60),
    ("logs", "json", 60),
    ("cloudwatch", "json", 30),
    ("sagemaker-runtime", "rest-json", 60),
    ("sagemaker-featurestore-runtime", "rest-json", 40),
    ("sagemaker-metrics", "rest-json", 20),
    ("sagemaker-a2i-runtime", "rest-json", 20),
    ("lambda", "rest-json", 60),
    ("s3", "rest-xml", 150),
    ("sts", "query", 40),
    ("iam", "query", 80),
    ("cloudwatch", "query", 60),
]


def pruned(value: Any) -> Any:
    """Without empty structures and lists, which the query protocol and XML cannot tell from nothing."""
    if isinstance(value, dict):
        parts = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in parts.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [item for item in map(pruned, value) if item not in ({}, [])]
    return value


@pytest.mark.parametrize(("name", "protocol", "examples"), SERVICES, ids=lambda value: str(value))
def test_botocore_requests_come_back_as_parameters(
    name: str, protocol: str, examples: int, values_of: Callable[..., Any], sent: Callable[..., Request], scoped: Any
) -> None:
    served = service(name)
    names = [
        operation
        for operation in served.operation_names
        if served.operation(operation).input_shape is not None
        and not served.operation(operation).has_event_stream_input
        and not served.operation(operation).deprecated
        # ListDirectoryBuckets is the same request as ListBuckets, and both belong to other hosts.
        and operation not in ("ListDirectoryBuckets", "WriteGetObjectResponse")
    ]

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        operation = served.operation(data.draw(st.sampled_from(names)))
        params = data.draw(values_of(operation.input_shape, protocol))
        params.update(required_elsewhere(operation, params))
        request = sent(operation, params, protocol, scoped(served.signing_name))
        route = identify(request)
        assert (route.service, route.operation, route.protocol) == (name, operation.name, protocol)
        found, parsed = parse(served, request, route)
        assert found is operation
        if protocol in ("query", "rest-xml"):
            params, parsed = pruned(params), pruned(parsed)
        if "ContentLength" in operation.input_shape.members:
            params.setdefault("ContentLength", int(request.headers.get("content-length", 0)))
            parsed.setdefault("ContentLength", 0)
        for member, shape in operation.input_shape.members.items():
            # A payload and a map of headers are there even if they are empty; an empty payload of text is none.
            if shape.serialization.get("location") == "headers" or member == operation.input_shape.serialization.get(
                "payload"
            ):
                for side in (params, parsed):
                    if side.get(member) in (b"", {}, ""):
                        del side[member]
        assert parsed == params

    check()


def required_elsewhere(operation: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Required members in headers and the query string, without which a request is another operation's."""
    shape = operation.input_shape
    fill: dict[str, Any] = {"string": "x", "integer": 1, "timestamp": datetime(2026, 1, 1, tzinfo=UTC)}
    return {
        name: fill[shape.members[name].type_name]
        for name in shape.required_members
        if name not in params
        and shape.members[name].serialization.get("location") in ("header", "querystring")
        and shape.members[name].type_name in fill
    }


def sagemaker(body: bytes, operation: str = "CreateTrainingJob") -> dict[str, Any]:
    headers = {"x-amz-target": f"SageMaker.{operation}"}
    return parse(service("sagemaker"), Request("POST", "/", headers=headers, body=body))[1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"TrainingJobName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"TrainingJobName": 1.5}, "DECIMAL_VALUE can not be converted to a String"),
        ({"TrainingJobName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"TrainingJobName": False}, "FALSE_VALUE can not be converted to a String"),
        ({"TrainingJobName": []}, "Start of list found where not expected"),
        ({"TrainingJobName": {}}, "Start of structure or map found where not expected."),
        ({"ResourceConfig": {"InstanceCount": "1"}}, "STRING_VALUE can not be converted to an Integer"),
        ({"EnableNetworkIsolation": 0}, "NUMBER_VALUE can not be converted to a Boolean"),
        ({"Tags": "a"}, "Expected list or null"),
        ({"Environment": "a"}, "Expected map or null"),
    ],
)
def test_wrong_json_types_are_refused_in_the_words_of_aws(body: dict[str, Any], message: str) -> None:
    with pytest.raises(SerializationException) as caught:
        sagemaker(json.dumps(body).encode())
    assert caught.value.message == message


def test_unknown_members_and_nulls_are_ignored() -> None:
    body = {"TrainingJobName": "a", "Nonsense": {"x": 1}, "RoleArn": None, "Tags": [{"Key": "k", "Value": "v", "Z": 1}]}
    assert sagemaker(json.dumps(body).encode()) == {"TrainingJobName": "a", "Tags": [{"Key": "k", "Value": "v"}]}


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[]", b"1", b'"x"', b"{}" * 2, b'{"a":' * 5000, b'{"TrainingJobName":"\xff"}']
)
def test_bodies_that_are_no_json_objects_are_refused(body: bytes) -> None:
    with pytest.raises(SerializationException):
        sagemaker(body)


def test_an_empty_body_is_an_empty_object() -> None:
    assert sagemaker(b"") == {} == sagemaker(b"null")


def test_numbers_beyond_a_type_are_refused() -> None:
    for count in (2**31, 1e30, 1.5):
        with pytest.raises(SerializationException):
            sagemaker(json.dumps({"ResourceConfig": {"InstanceCount": count}}).encode())


@pytest.mark.parametrize("when", [1763632800.5, "2025-11-20T10:00:00.5Z", "2025-11-20T12:00:00.500+02:00"])
def test_times_in_every_format(when: Any) -> None:
    body = json.dumps({"CreationTimeAfter": when}).encode()
    expected = datetime(2025, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC)
    assert sagemaker(body, "ListTrainingJobs") == {"CreationTimeAfter": expected}


@pytest.mark.parametrize(
    "when", ["yesterday", 1e300, -1e300, "2025-13-01", "99999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", ""]
)
def test_times_that_are_none_are_refused(when: Any) -> None:
    with pytest.raises(SerializationException):
        sagemaker(json.dumps({"CreationTimeAfter": when}).encode(), "ListTrainingJobs")


def s3_put(body: bytes, query: str = "tagging", scope: dict[str, str] | None = None) -> dict[str, Any]:
    return parse(service("s3"), Request("PUT", "/bucket", query, {}, body))[1]


def test_xml_with_namespaces_and_unknown_elements() -> None:
    body = (
        b'<?xml version="1.0"?><a:Tagging xmlns:a="http://s3.amazonaws.com/doc/2006-03-01/"><a:TagSet><a:Tag><a:Key>k</a:Key>'
        b"<a:Value>&lt;v&gt;</a:Value><a:Other/></a:Tag></a:TagSet></a:Tagging>"
    )
    assert s3_put(body) == {"Bucket": "bucket", "Tagging": {"TagSet": [{"Key": "k", "Value": "<v>"}]}}


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Tagging>&b;</Tagging>'


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Tagging/>',
        b"<a>" * 1000 + b"</a>" * 1000,
        b"<Tagging>",
        b"\x00",
        b"<Tagging>\xff</Tagging>",
        b'<?xml version="1.0" encoding="no-such"?><Tagging/>',
        b"<Tagging>" + b"<x/>" * 300_000 + b"</Tagging>",
    ],
    ids=range(8),
)
def test_hostile_xml_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedXML):
        s3_put(body)


def test_query_forms() -> None:
    form = b"Action=CreateRole&Version=2010-05-08&RoleName=a%20b"
    form += b"&Tags.member.2.Key=y&Tags.member.1.Key=x&Tags.member.1.Value="
    request = Request("POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}, body=form)
    operation, params = parse(service("iam"), request)
    assert operation.name == "CreateRole"
    assert params == {"RoleName": "a b", "Tags": [{"Key": "x", "Value": ""}, {"Key": "y"}]}


@pytest.mark.parametrize("form", [b"A.1=" * 1 + b"&x=1" * 30_000, b"A" + b".a" * 100 + b"=1"])
def test_huge_forms_are_refused(form: bytes, scoped: Any) -> None:
    request = Request("POST", "/", "Action=CreateRole&Version=2010-05-08", scoped("iam"), form)
    with pytest.raises(MalformedQueryString):
        parse(service("iam"), request)


def test_a_streamed_body_is_left_to_the_caller() -> None:
    body = b"\x00\xff"
    assert parse(service("s3"), Request("PUT", "/b/k/../x%2F y", "", {"x-amz-meta-a": "1"}, body))[1] == {
        "Bucket": "b",
        "Key": "k/../x/ y",
        "Body": body,
        "Metadata": {"a": "1"},
    }


_NOISE = st.text(st.characters(max_codepoint=0x2FF), max_size=40)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "authorization",
            "x-amz-target",
            "content-type",
            "x-amz-date",
            "host",
            "x-amz-copy-source",
            "smithy-protocol",
            "date",
        ]
    ),
    _NOISE
    | st.sampled_from(
        [
            "SageMaker.CreateModel",
            "SageMaker.CreateTrainingJob",
            "Logs_20140328.PutLogEvents",
            "rpc-v2-cbor",
            "application/x-www-form-urlencoded",
            *(
                f"AWS4-HMAC-SHA256 Credential=A/20261120/us-east-1/{name}/aws4_request"
                for name in ("s3", "iam", "sagemaker", "monitoring")
            ),
        ]
    ),
)
_PATHS = (
    st.sampled_from(["/", "/b", "/b/k", "/endpoints/e/invocations", "/FeatureGroup/x", "//"])
    | _NOISE.map("/".__add__)
    | _NOISE
)
_QUERIES = (
    st.sampled_from(["", "list-type=2", "tagging", "Action=GetUser", "uploads", "X-Amz-Credential=a%2Fb", "acl=&acl"])
    | _NOISE
)
_BODIES = (
    st.binary(max_size=60)
    | st.sampled_from(
        [
            b"Action=CreateRole&Version=2010-05-08&Tags.member.1=x",
            b"<a/>",
            b"{}",
            b"<Tagging><TagSet>x</TagSet></Tagging>",
        ]
    )
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["TrainingJobName", "Tags", "Environment", "HyperParameters", "logEvents", "x"]), inner
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "X"]), _PATHS, _QUERIES, _HEADERS, _BODIES, _NOISE
)
def test_any_bytes_are_parsed_or_refused_as_the_callers_fault(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes, host: str
) -> None:
    request = Request(method, path, query, headers, body, host)
    try:
        route = identify(request)
        assert isinstance(route, Route)
        if route.operation is not None:
            assert isinstance(parse(service(route.service), request, route)[1], dict)
    except ServiceError as error:
        assert 400 <= error.status < 500
