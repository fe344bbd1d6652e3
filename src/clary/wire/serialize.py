"""Results as responses, in the protocol that the request spoke."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any
from xml.sax.saxutils import quoteattr

from clary.wire import cbor
from clary.wire.catalog import Service
from clary.wire.eventstream import encode_events
from clary.wire.failures import serialize_error
from clary.wire.formerly_query import in_query_form
from clary.wire.http import Response
from clary.wire.write_json import dump_json, plain, plain_structure
from clary.wire.write_xml import DECLARATION, escape, text_of, write_element, write_structure

__all__ = ["serialize", "serialize_error"]

S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

# S3's root elements are in no model; clients that are not botocore look at them.
_S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}


def serialize(
    service: Service, operation: Any, result: dict[str, Any] | None, request_id: str, protocol: str | None = None
) -> Response:
    """The response to a successful request. ``result`` is named and typed as boto3 returns it.

    Timestamps may also be seconds since the epoch or ISO 8601 text. Members that are None or that the output shape
    lacks are left out. A payload that is a blob may be ``bytes`` or an asynchronous iterator of them; an event stream
    is an asynchronous iterator of ``{"EventName": {...}}``. ``protocol`` is the request's (``Route.protocol``), by
    default the service's preferred one.
    """
    write = _WRITERS[protocol or service.protocol]
    return write(service, operation, result or {}, request_id)


def _json(service: Service, operation: Any, result: dict[str, Any], request_id: str) -> Response:
    shape = operation.output_shape
    headers = {
        "content-type": f"application/x-amz-json-{service.metadata.get('jsonVersion', '1.1')}",
        "x-amzn-requestid": request_id,
    }
    if shape is None:
        return Response(200, headers, b"")
    if (stream := shape.event_stream_name) is not None:
        headers["content-type"] = "application/vnd.amazon.eventstream"
        rest = {name: value for name, value in result.items() if name != stream}
        first = dump_json(plain_structure(shape, rest))
        return Response(200, headers, encode_events(shape.members[stream], result[stream], initial=first))
    return Response(200, headers, dump_json(plain_structure(shape, result)))


def _cbor(service: Service, operation: Any, result: dict[str, Any], request_id: str) -> Response:
    headers = {**cbor.HEADERS, "x-amzn-requestid": request_id}
    if operation.output_shape is None:
        # As the protocol has it, an answer without members has neither a body nor a type of one.
        del headers["content-type"]
        return Response(200, headers, b"")
    return Response(200, headers, cbor.dump_structure(operation.output_shape, result))


def _query(service: Service, operation: Any, result: dict[str, Any], request_id: str) -> Response:
    name = operation.name
    service = in_query_form(service)
    operation = service.operation(name)
    namespace = service.metadata.get("xmlNamespace", "")
    output = [f"<{name}Response xmlns={quoteattr(namespace)}>" if namespace else f"<{name}Response>"]
    shape = operation.output_shape
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper:
            output.append(f"<{wrapper}>")
        write_structure(output, shape, result)
        if wrapper:
            output.append(f"</{wrapper}>")
    output.append(f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{name}Response>")
    return Response(
        200, {"content-type": "text/xml", "x-amzn-requestid": request_id}, "".join(output).encode("utf-8", "replace")
    )


def _rest_json(service: Service, operation: Any, result: dict[str, Any], request_id: str) -> Response:
    headers = {"x-amzn-requestid": request_id}
    shape = operation.output_shape
    status = int(operation.http.get("responseCode", 200))
    if shape is None:
        return Response(status, headers, b"")
    status = _outside_body(shape, result, headers, status)
    payload = shape.serialization.get("payload")
    if payload is None:
        members = {name: value for name, value in result.items() if not _is_outside(shape, name)}
        headers.setdefault("content-type", "application/json")
        return Response(status, headers, dump_json(plain_structure(shape, members)))
    member = shape.members[payload]
    body = _stream(member, result.get(payload), headers)
    if body is None:
        value = result.get(payload)
        headers.setdefault("content-type", "application/json")
        body = b"{}" if value is None else dump_json(plain(member, value))
    return Response(status, headers, body)


def _rest_xml(service: Service, operation: Any, result: dict[str, Any], request_id: str) -> Response:
    is_s3 = service.name == "s3"
    headers = {"x-amz-request-id": request_id, "x-amz-id-2": request_id} if is_s3 else {"x-amzn-requestid": request_id}
    shape = operation.output_shape
    status = int(operation.http.get("responseCode", 200))
    if shape is None:
        return Response(status, headers, b"")
    status = _outside_body(shape, result, headers, status)
    payload = shape.serialization.get("payload")
    namespace = S3_NAMESPACE if is_s3 else service.metadata.get("xmlNamespace") or None
    output: list[str] = [DECLARATION]
    if payload is not None:
        member = shape.members[payload]
        body = _stream(member, result.get(payload), headers)
        if body is not None:
            return Response(status, headers, body)
        if result.get(payload) is None:
            return Response(status, headers, b"")
        write_element(output, member, result[payload], member.serialization.get("name", payload), namespace)
    else:
        if all("location" in member.serialization for member in shape.members.values()):
            return Response(status, headers, b"")
        root = _S3_ROOTS.get(operation.name, f"{operation.name}Result") if is_s3 else f"{operation.name}Response"
        root = shape.serialization.get("name", root)
        attribute = f" xmlns={quoteattr(namespace)}" if namespace else ""
        output.append(f"<{root}{attribute}>")
        if operation.name == "GetBucketLocation" and is_s3:
            # The one result whose root element is the value; us-east-1 is the empty string.
            output.append(escape(str(result.get("LocationConstraint") or "")))
        else:
            write_structure(output, shape, result)
        output.append(f"</{root}>")
    headers.setdefault("content-type", "application/xml")
    return Response(status, headers, "".join(output).encode("utf-8", "replace"))


def _stream(member: Any, value: Any, headers: dict[str, str]) -> bytes | AsyncIterator[bytes] | None:
    """The body for a payload that is a blob, a string or an event stream; None for one that is a structure."""
    if member.serialization.get("eventstream"):
        headers["content-type"] = "application/vnd.amazon.eventstream"
        return encode_events(member, value)
    if member.type_name == "blob":
        headers.setdefault("content-type", "application/octet-stream")
        if value is None:
            return b""
        if isinstance(value, str):
            return value.encode("utf-8")
        return bytes(value) if isinstance(value, bytearray | memoryview) else value
    if member.type_name == "string":
        headers.setdefault("content-type", "text/plain")
        return str(value or "").encode("utf-8")
    return None


def _is_outside(shape: Any, name: str) -> bool:
    member = shape.members.get(name)
    return member is not None and "location" in member.serialization


def _outside_body(shape: Any, result: dict[str, Any], headers: dict[str, str], status: int) -> int:
    """Put the members that travel as headers there, and give the status."""
    for name, member in shape.members.items():
        serialization = member.serialization
        location = serialization.get("location")
        if location is None or (value := result.get(name)) is None:
            continue
        if location == "statusCode":
            status = int(value)
        elif location == "header":
            headers[serialization.get("name", name).lower()] = _header(member, value)
        elif location == "headers":
            prefix = serialization.get("name", "").lower()
            headers.update(
                {f"{prefix}{key.lower()}": _one_line(str(item)) for key, item in value.items() if item is not None}
            )
    return status


def _header(shape: Any, value: Any) -> str:
    if shape.type_name == "list":
        return ", ".join(_header(shape.member, item) for item in value if item is not None)
    if shape.serialization.get("jsonvalue"):
        return base64.b64encode(dump_json(value)).decode("ascii")
    return _one_line(text_of(shape, value, "rfc822"))


def _one_line(text: str) -> str:
    # Nothing that a handler passes on may start a header of its own.
    return text.replace("\r", " ").replace("\n", " ")


_WRITERS: dict[str, Callable[[Service, Any, dict[str, Any], str], Response]] = {
    "json": _json,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
    "query": _query,
    "smithy-rpc-v2-cbor": _cbor,
}
