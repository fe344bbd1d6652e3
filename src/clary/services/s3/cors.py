"""Cross-origin requests: the configuration, the preflight, and the headers on answers.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

from __future__ import annotations

import re

from clary.objects.model import Bucket

from . import xml
from .call import Call, Handler
from .errors import CORSForbidden, InvalidRequest, MalformedXML, NoSuchCORSConfiguration
from .http import S3Request, S3Response

_METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
_MOST_RULES = 100


async def get_bucket_cors(call: Call) -> S3Response:
    document = call.store.bucket(call.bucket).documents.get("cors")
    if document is None:
        raise NoSuchCORSConfiguration(BucketName=call.bucket)
    return S3Response(200, [("Content-Type", "application/xml")], document)


async def put_bucket_cors(call: Call) -> S3Response:
    body = await call.content()
    rules = xml.read(body, "CORSConfiguration").all("CORSRule")
    if not 1 <= len(rules) <= _MOST_RULES:
        raise MalformedXML
    for rule in rules:
        methods, origins = rule.all("AllowedMethod"), rule.all("AllowedOrigin")
        if not methods or not origins:
            raise MalformedXML
        for method in methods:
            if method.text not in _METHODS:
                raise InvalidRequest(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method.text}"
                )
        for pattern in (*origins, *rule.all("AllowedHeader")):
            if pattern.text.count("*") > 1:
                raise InvalidRequest(f'{pattern.name} "{pattern.text}" can not have more than one wildcard.')
    await call.store.set_document(call.bucket, "cors", body)
    return S3Response(200, [("Content-Length", "0")])


async def delete_bucket_cors(call: Call) -> S3Response:
    await call.store.set_document(call.bucket, "cors", None)
    return S3Response(204)


def preflight(request: S3Request, bucket: Bucket) -> S3Response:
    """The answer to OPTIONS, which browsers send unsigned. Raises ``CORSForbidden`` or ``InvalidRequest``."""
    origin, method = request.headers.get("origin"), request.headers.get("access-control-request-method")
    if not origin:
        raise InvalidRequest("Insufficient information. Origin request header needed.")
    if not method:
        raise InvalidRequest("Invalid Access-Control-Request-Method: null")
    wanted = [
        name.strip() for name in request.headers.get("access-control-request-headers", "").split(",") if name.strip()
    ]
    rule = _rule(bucket, origin, method, wanted)
    if rule is None:
        raise CORSForbidden(Method="OPTIONS", ResourceType="OBJECT")
    headers = _granted(rule, origin)
    if wanted:
        headers.append(("Access-Control-Allow-Headers", ", ".join(name.lower() for name in wanted)))
    return S3Response(200, [*headers, ("Content-Length", "0")])


def answer(request: S3Request, bucket: Bucket) -> list[tuple[str, str]]:
    """The headers that let the page at the request's origin read the answer."""
    origin = request.headers["origin"]
    rule = _rule(bucket, origin, request.method, [])
    return [] if rule is None else _granted(rule, origin)


def _rule(bucket: Bucket, origin: str, method: str, headers: list[str]) -> xml.Node | None:
    document = bucket.documents.get("cors")
    for rule in xml.read(document, "CORSConfiguration").all("CORSRule") if document else []:
        if (
            any(_fits(allowed.text, origin) for allowed in rule.all("AllowedOrigin"))
            and any(allowed.text == method for allowed in rule.all("AllowedMethod"))
            and all(any(_fits(a.text.lower(), name.lower()) for a in rule.all("AllowedHeader")) for name in headers)
        ):
            return rule
    return None


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(re.escape(piece) for piece in pattern.split("*")), text) is not None


def _granted(rule: xml.Node, origin: str) -> list[tuple[str, str]]:
    for_everybody = any(allowed.text == "*" for allowed in rule.all("AllowedOrigin"))
    headers = [
        ("Access-Control-Allow-Origin", "*" if for_everybody else origin),
        ("Access-Control-Allow-Methods", ", ".join(method.text for method in rule.all("AllowedMethod"))),
    ]
    if exposed := [header.text for header in rule.all("ExposeHeader")]:
        headers.append(("Access-Control-Expose-Headers", ", ".join(exposed)))
    if (age := rule.value("MaxAgeSeconds")) is not None:
        headers.append(("Access-Control-Max-Age", age))
    if not for_everybody:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    return [*headers, ("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")]


HANDLERS: dict[str, Handler] = {
    "GetBucketCors": get_bucket_cors,
    "PutBucketCors": put_bucket_cors,
    "DeleteBucketCors": delete_bucket_cors,
}
