"""Errors as responses, in every protocol's own form and under each service's own codes."""

from __future__ import annotations

from typing import Any

import cbor2
import orjson

from clary.core.errors import NotAvailableYet, ServiceError
from clary.wire import cbor
from clary.wire.catalog import Service
from clary.wire.errors import NotImplementedByS3
from clary.wire.http import Response
from clary.wire.write_json import dump_json, plain_structure
from clary.wire.write_xml import DECLARATION, escape, write_element

# One fault, several names: what the neutral errors are called in the JSON protocols, and in S3.
_JSON_CODES = {
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "InvalidAccessKeyId": "UnrecognizedClientException",
    "ExpiredToken": "ExpiredTokenException",
    "AccessDenied": "AccessDeniedException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidAction": "UnknownOperationException",
}
_REFUSED = "AccessDeniedException"
"""The refusal by policies; the protocol that is JSON alone has it with the status 400.

Reference: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
"""
_UNAUTHORIZED = "AuthorizationError"
"""What SNS, alone among the services of its protocol, calls ``AccessDenied``."""
_QUERY_CODES = {
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "ExpiredTokenException": "ExpiredToken",
    "AccessDeniedException": "AccessDenied",
    "ValidationException": "ValidationError",
    "SerializationException": "MalformedInput",
    "UnknownOperationException": "InvalidAction",
    "ThrottlingException": "Throttling",
}
_S3_CODES = {
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "InvalidClientTokenId": "InvalidAccessKeyId",
    "ExpiredTokenException": "ExpiredToken",
    "AccessDeniedException": "AccessDenied",
    "MissingAuthenticationToken": "AccessDenied",
    "IncompleteSignature": "AuthorizationHeaderMalformed",
    "InternalFailure": "InternalError",
    "ServiceUnavailable": "ServiceUnavailable",
    "ThrottlingException": "SlowDown",
    "ValidationException": "InvalidArgument",
    "SerializationException": "InvalidArgument",
    "UnknownOperationException": "MethodNotAllowed",
    "RequestEntityTooLarge": "EntityTooLarge",
}


def serialize_error(
    service: Service | None, error: ServiceError, request_id: str, operation: Any = None, protocol: str | None = None
) -> Response:
    """The response to a failed request; ``service`` is None where it could not be told, ``protocol`` the request's if
    it is known.

    Code and status come from the model's exception shape where it has one for the error's code, else from the error
    itself.
    """
    protocol = protocol or (service.protocol if service is not None else "json")
    return _WRITERS.get(protocol, _json)(service, error, request_id)


def _shape(service: Service | None, code: str) -> Any:
    name = service.error_shape_name(code) if service is not None else None
    return service.model.shape_for(name) if service is not None and name is not None else None


def _status(shape: Any, error: ServiceError) -> int:
    return (
        int(shape.metadata.get("error", {}).get("httpStatusCode", error.status)) if shape is not None else error.status
    )


def _members(shape: Any, error: ServiceError) -> tuple[str, dict[str, Any]]:
    """The name of the member that holds the message, and all members of the error."""
    if shape is None:
        return "message", {"message": error.message, **error.members}
    name = next((member for member in shape.members if member.lower() == "message"), None)
    values = dict(error.members)
    if name is not None:
        values[name] = error.message
        return shape.members[name].serialization.get("name", name), values
    return "message", values


def _code(error: ServiceError, table: dict[str, str], service: Service | None) -> str:
    if service is not None and service.error_shape_name(error.code) is not None:
        return error.code
    return table.get(error.code, error.code)


def _json(service: Service | None, error: ServiceError, request_id: str) -> Response:
    code = _code(error, _JSON_CODES, service)
    shape = _shape(service, code)
    key, values = _members(shape, error)
    body: dict[str, Any] = {"__type": shape.name if shape is not None else code, key: error.message}
    body.update(_plain(shape, values))
    headers = {"content-type": f"application/x-amz-json-{_json_version(service)}", "x-amzn-requestid": request_id}
    headers["x-amzn-errortype"] = body["__type"]
    if service is not None and "awsQueryCompatible" in service.metadata:
        unmodelled = "AccessDenied" if code == _REFUSED else code
        old = shape.metadata.get("error", {}).get("code", code) if shape is not None else unmodelled
        old = error.query_code or old
        headers["x-amzn-query-error"] = f"{old};{'Sender' if error.is_sender_fault else 'Receiver'}"
    elif code == _REFUSED:
        return Response(400, headers, dump_json(body))
    return Response(_status(shape, error), headers, dump_json(body))


def _rest_json(service: Service | None, error: ServiceError, request_id: str) -> Response:
    code = _code(error, _JSON_CODES, service)
    shape = _shape(service, code)
    key, values = _members(shape, error)
    body: dict[str, Any] = {key: error.message}
    body.update(_plain(shape, values))
    headers = {"content-type": "application/json", "x-amzn-requestid": request_id}
    headers["x-amzn-errortype"] = shape.name if shape is not None else code
    return Response(_status(shape, error), headers, dump_json(body))


def _cbor(service: Service | None, error: ServiceError, request_id: str) -> Response:
    answer = _json(service, error, request_id)
    assert isinstance(answer.body, bytes)
    # The members are those of JSON, and no error has one that JSON writes otherwise.
    headers = {**answer.headers, **cbor.HEADERS}
    return Response(answer.status, headers, cbor2.dumps(orjson.loads(answer.body)))


def _plain(shape: Any, values: dict[str, Any]) -> dict[str, Any]:
    if shape is not None:
        return plain_structure(shape, values)
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool)}


def _json_version(service: Service | None) -> str:
    return str(service.metadata.get("jsonVersion", "1.1")) if service is not None else "1.1"


def _query(service: Service | None, error: ServiceError, request_id: str) -> Response:
    code = _code(error, _QUERY_CODES, service)
    if code == "AccessDenied" and _shape(service, _UNAUTHORIZED) is not None:
        code = _UNAUTHORIZED
    shape = _shape(service, code)
    if shape is not None:
        code = shape.error_code
    code = error.query_code or code
    fault = "Sender" if error.is_sender_fault else "Receiver"
    namespace = service.metadata.get("xmlNamespace") if service is not None else None
    attribute = f' xmlns="{escape(namespace)}"' if namespace else ""
    output = [f"<ErrorResponse{attribute}><Error><Type>{fault}</Type><Code>{escape(code)}</Code>"]
    output.append(f"<Message>{escape(error.message)}</Message>")
    _write_members(output, shape, error)
    output.append(f"</Error><RequestId>{escape(request_id)}</RequestId></ErrorResponse>")
    return Response(_status(shape, error), {"content-type": "text/xml", "x-amzn-requestid": request_id}, _bytes(output))


def _rest_xml(service: Service | None, error: ServiceError, request_id: str) -> Response:
    if isinstance(error, NotAvailableYet):
        error = NotImplementedByS3(error.message)
    code = _code(error, _S3_CODES, service)
    shape = _shape(service, code)
    if service is not None and service.name != "s3":
        return _query(service, error, request_id)
    output = [f"{DECLARATION}<Error><Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"]
    _write_members(output, shape, error)
    output.append(f"<RequestId>{escape(request_id)}</RequestId><HostId>{escape(request_id)}</HostId></Error>")
    headers = {"content-type": "application/xml", "x-amz-request-id": request_id, "x-amz-id-2": request_id}
    return Response(_status(shape, error), headers, _bytes(output))


def _write_members(output: list[str], shape: Any, error: ServiceError) -> None:
    for name, value in error.members.items():
        if value is None:
            continue
        if shape is not None and name in shape.members:
            write_element(output, shape.members[name], value, shape.members[name].serialization.get("name", name))
        elif isinstance(value, str | int | float):
            output.append(f"<{name}>{escape(str(value))}</{name}>")


def _bytes(output: list[str]) -> bytes:
    return "".join(output).encode("utf-8", "replace")


_WRITERS = {
    "smithy-rpc-v2-cbor": _cbor,
    "json": _json,
    "rest-json": _rest_json,
    "query": _query,
    "ec2": _query,
    "rest-xml": _rest_xml,
}
