"""Presigned S3 URLs of signature version 2, which boto3 and the AWS CLI still make unless they are told otherwise.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from clary.core.errors import AccessDenied, SignatureDoesNotMatch
from clary.wire.http import Request

# fmt: off
_SIGNED_PARAMETERS = frozenset([
    "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location",
    "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
    "restore", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId",
    "versioning", "versions", "website", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
])
# fmt: on


class QuerySignature(NamedTuple):
    """What a presigned URL claims about its signer, unverified; ``expires`` is in seconds of Unix time."""

    access_key: str
    signature: str
    expires: str
    token: str | None


def parse_query(request: Request) -> QuerySignature | None:
    """The signature in a presigned URL; None if there is none of this version.

    Raises ``AccessDenied`` for half of one.
    """
    if "AWSAccessKeyId=" not in request.query:
        return None
    given = _parameters(request)
    missing = [name for name in ("Signature", "Expires", "AWSAccessKeyId") if not given.get(name)]
    if missing:
        raise AccessDenied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
    return QuerySignature(
        given["AWSAccessKeyId"], given["Signature"], given["Expires"], given.get("x-amz-security-token")
    )


def verify_query(request: Request, claimed: QuerySignature, secret: str, now: float, virtual_bucket: str = "") -> None:
    """Check a presigned URL against its signer's secret key at Unix time ``now``; ``virtual_bucket`` is the bucket in
    the host name.

    Raises ``AccessDenied`` if it has expired, ``SignatureDoesNotMatch``.
    """
    if not (claimed.expires.isascii() and claimed.expires.isdigit()):
        raise AccessDenied(f"Invalid date (should be seconds since epoch): {claimed.expires[:64]}")
    mac = hmac.new(secret.encode("utf-8"), _string_to_sign(request, claimed.expires, virtual_bucket), hashlib.sha1)
    expected = base64.b64encode(mac.digest())
    if not hmac.compare_digest(expected, claimed.signature.encode("utf-8", "replace")):
        raise SignatureDoesNotMatch(
            "The request signature we calculated does not match the signature you provided. Check your key and signing "
            "method."
        )
    if now > int(claimed.expires):
        raise AccessDenied("Request has expired")


def _string_to_sign(request: Request, expires: str, virtual_bucket: str) -> bytes:
    given = _parameters(request)

    def header(name: str) -> str:
        return request.headers.get(name, given.get(name, "")).strip()

    named = {*request.headers, *given}
    amazons = [f"{name}:{header(name)}" for name in sorted(named) if name.startswith("x-amz-")]
    signed = [part.partition("=") for part in request.query.split("&")]
    wanted = sorted((name, mark, unquote(value)) for name, mark, value in signed if name in _SIGNED_PARAMETERS)
    resource = (f"/{virtual_bucket}" if virtual_bucket else "") + request.path
    if wanted:
        resource += "?" + "&".join(name + mark + value for name, mark, value in wanted)
    lines = [request.method, header("content-md5"), header("content-type"), expires, *amazons, resource]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _parameters(request: Request) -> dict[str, str]:
    pairs = (part.partition("=") for part in request.query.split("&"))
    return {name: unquote_plus(value) for name, _, value in pairs}
