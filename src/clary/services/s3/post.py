"""PostObject: uploads by a form, which a browser sends under a policy that somebody with a key has signed.

References: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from clary.core import clock
from clary.objects.errors import EntityTooLarge
from clary.objects.intake import MAXIMUM, Received

from . import checksums, form, routes, xml
from .call import Call, Handler
from .errors import AccessDeniedByS3, EntityTooSmallError, InvalidArgument, InvalidPolicyDocument
from .http import S3Response
from .tags import read_tags
from .writing import attributes_of, written_headers

_UNLISTED = ("x-amz-signature", "file", "policy", "awsaccesskeyid", "signature", "x-amz-checksum-")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_AS_HEADERS = (
    "cache-control", "content-type", "content-disposition", "content-encoding", "content-language", "expires",
)  # fmt: skip


@dataclass(frozen=True)
class _Limits:
    """How long the file may be, in bytes."""

    least: int = 0
    most: int = MAXIMUM


async def post_object(call: Call) -> S3Response:
    found = await form.read(call.request.body, call.header("content-type"))
    fields = dict(found.fields)
    key = fields.get("key", "")
    if not key:
        raise InvalidArgument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            ArgumentName="key",
            ArgumentValue="",
        )
    key = key.replace("${filename}", found.filename.replace("\\", "/").rpartition("/")[2])
    routes.check_key(key)
    request, limits = call.request, _Limits()
    if "policy" in fields:
        # Whoever has signed the policy is who asks.
        principal = call.own.sign_form(fields) if call.own.sign_form is not None else None
        limits = _check_policy(fields | {"key": key, "bucket": call.bucket})
        # The record of the call names him too.
        call.request.principal = principal
        request = replace(request, principal=principal, account=getattr(principal, "account", request.account))
    headers = {name: value for name, value in fields.items() if name in _AS_HEADERS or name.startswith("x-amz-")}
    if "acl" in fields:
        headers["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        tags = read_tags(xml.read(fields["tagging"].encode(), "Tagging"), maximum=10)
        headers["x-amz-tagging"] = urlencode(tags)
    request = replace(request, headers=headers, body=_limited(found.file, limits))
    inner = replace(call, request=request, operation="PutObject", key=key)
    await inner.allow("s3:PutObject", call.bucket, key)
    attributes = await attributes_of(inner)
    claims = checksums.claims(request)

    def verify(received: Received) -> None:
        if received.size < limits.least:
            raise EntityTooSmallError(ProposedSize=str(received.size), MinSizeAllowed=str(limits.least))
        claims.verify(received)

    item = await call.store.put(
        call.bucket,
        key,
        request.body,
        attributes,
        algorithms=claims.algorithms,
        verify=verify,
        seal=await call.own.encryption.seal(inner, attributes.headers),
        notices=call.own.notifications.of_object(inner, "ObjectCreated:Post"),
    )
    return _answer(call, fields, key, item.etag, written_headers(inner, item))


async def _limited(file: AsyncIterator[bytes], limits: _Limits) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in file:
        size += len(chunk)
        if size > limits.most:
            raise EntityTooLarge(size, limits.most)
        yield chunk


def _answer(call: Call, fields: Mapping[str, str], key: str, etag: str, headers: list[tuple[str, str]]) -> S3Response:
    scheme_and_host = f"http://{call.header('host', 'localhost')}"
    location = f"{scheme_and_host}/{quote(call.bucket)}/{quote(key)}"
    redirect = fields.get("success_action_redirect") or fields.get("redirect") or ""
    # Nowhere but to a page of the web: another scheme could run a script.
    if urlsplit(redirect).scheme in ("http", "https"):
        query = urlencode({"bucket": call.bucket, "key": key, "etag": f'"{etag}"'})
        target = f"{redirect}{'&' if urlsplit(redirect).query else '?'}{query}"
        return S3Response(303, [*headers, ("Location", target), ("Content-Length", "0")])
    headers = [*headers, ("Location", location)]
    status = fields.get("success_action_status")
    if status == "201":
        content = {"Location": location, "Bucket": call.bucket, "Key": key, "ETag": f'"{etag}"'}
        body = xml.write("PostResponse", content, namespace=False)
        return S3Response(201, [*headers, ("Content-Type", "application/xml")], body)
    return S3Response(200, [*headers, ("Content-Length", "0")]) if status == "200" else S3Response(204, headers)


def _check_policy(fields: Mapping[str, str]) -> _Limits:
    """Raises ``AccessDenied`` unless the form is what its policy allows; the limits that it sets."""
    document = _policy(fields["policy"])
    if _moment(document["expiration"]) <= clock.now():
        raise AccessDeniedByS3("Invalid according to Policy: Policy expired.")
    limits = _Limits()
    covered = {"bucket"}
    for condition in document["conditions"]:
        if isinstance(condition, list) and len(condition) == 3 and str(condition[0]) == "content-length-range":
            limits = _range(condition)
            continue
        operator, name, value = _condition(condition)
        covered.add(name)
        given = fields.get(name, "")
        if not (given == value if operator == "eq" else given.startswith(value)):
            raise AccessDeniedByS3(
                f"Invalid according to Policy: Policy Condition failed: {orjson.dumps(condition).decode()}"
            )
    extra = [name for name in fields if name not in covered and not name.startswith((*_UNLISTED, "x-ignore-"))]
    if extra:
        raise AccessDeniedByS3(f"Invalid according to Policy: Extra input fields: {extra[0]}")
    return limits


def _policy(text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(base64.b64decode(text, validate=True))
    except ValueError:
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.") from None
    if not isinstance(document, dict):
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.")
    if not isinstance(document.get("expiration"), str):
        raise InvalidPolicyDocument("Invalid Policy: Policy missing expiration.")
    if not isinstance(document.get("conditions"), list):
        raise InvalidPolicyDocument("Invalid Policy: Policy missing conditions.")
    return document


def _moment(text: str) -> float:
    problem = InvalidPolicyDocument(f"Invalid Policy: Invalid 'expiration' value: '{text[:64]}'")
    if not _TIME.fullmatch(text):
        raise problem
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise problem from None


def _condition(condition: Any) -> tuple[str, str, str]:
    """Operator, field and value of a condition. Raises ``InvalidPolicyDocument``."""
    if isinstance(condition, dict) and len(condition) == 1:
        ((name, value),) = condition.items()
        if isinstance(value, str):
            return "eq", name.lower(), value
    if isinstance(condition, list) and len(condition) == 3 and all(isinstance(part, str) for part in condition):
        operator, name, value = condition
        if operator.lower() in ("eq", "starts-with") and name.startswith("$"):
            return operator.lower(), name[1:].lower(), value
    raise InvalidPolicyDocument("Invalid Policy: Invalid Condition.")


def _range(condition: list[Any]) -> _Limits:
    try:
        least, most = int(condition[1]), int(condition[2])
    except (TypeError, ValueError):
        raise InvalidPolicyDocument("Invalid Policy: Invalid content-length-range.") from None
    if not 0 <= least <= most:
        raise InvalidPolicyDocument("Invalid Policy: Invalid content-length-range.")
    return _Limits(least, min(most, MAXIMUM))


HANDLERS: dict[str, Handler] = {"PostObject": post_object}
