"""Signature version 4 on the receiving side: check what a request claims.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. botocore's
signers are the reference for canonical forms: S3 signs its path as it was sent, every other service encodes it once
more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from clary.core.errors import AccessDenied, IncompleteSignature, SignatureDoesNotMatch
from clary.wire.authorization import ALGORITHM, Authorization, parse_authorization, read_claims
from clary.wire.chunked import ChunkedDecoder, ChunkSigner
from clary.wire.errors import (
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    ContentHashMismatch,
    InvalidRequest,
    RequestTimeTooSkewed,
)
from clary.wire.http import Request

__all__ = [
    "Authorization",
    "ChunkedDecoder",
    "Verified",
    "parse_authorization",
    "policy_signature",
    "signing_key",
    "verify",
]

CLOCK_SKEW = 15 * 60
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_NOT_SIGNED = "There were headers present in the request which were not signed"
_MISMATCH_S3 = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


class Verified(NamedTuple):
    """A signature that holds, and what is still to be checked of a streamed body.

    ``expected_sha256`` is the lower-case hex digest that the streamed body must have, None if the body is not covered
    by the signature or carries its own. ``streaming`` is the value of ``x-amz-content-sha256`` for an aws-chunked body,
    whose decoder is ``decoder()``.
    """

    authorization: Authorization
    expected_sha256: str | None = None
    streaming: str | None = None
    signer: ChunkSigner | None = None

    def decoder(
        self, decoded_length: int | None = None, trailer_names: tuple[str, ...] | None = None
    ) -> ChunkedDecoder:
        """A decoder for the aws-chunked body; ``decoded_length`` is ``x-amz-decoded-content-length``, ``trailer_names``
        those of ``x-amz-trailer``, both checked at the end of the body."""
        trailer = self.streaming is not None and self.streaming.endswith("-TRAILER")
        return ChunkedDecoder(self.signer, trailer=trailer, decoded_length=decoded_length, trailer_names=trailer_names)


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key that signs a day's requests to one service in one region."""
    key = b"AWS4" + _encoded(secret)
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, _encoded(part), "sha256")
    return key


def verify(
    request: Request,
    authorization: Authorization,
    secret: str,
    now: float,
    *,
    streaming: bool = False,
    unsigned_payload: bool = False,
) -> Verified:
    """Check the signature against ``secret`` at the time ``now`` (seconds since the epoch).

    The hash of ``request.body`` is checked too, unless ``streaming``: then the result says what the caller has to check
    while the body passes. ``unsigned_payload`` lets services other than S3 leave the body out of the signature, as some
    operations' models allow. Raises ``SignatureDoesNotMatch`` for all services (``serialize_error`` finds each
    protocol's own code), for S3 also ``RequestTimeTooSkewed``, ``AccessDenied`` (expired or unsigned headers),
    ``ContentHashMismatch`` and ``InvalidRequest``.
    """
    _check_time(authorization, now)
    _check_headers(request, authorization)
    payload = _payload(request, authorization, streaming, unsigned_payload)
    key = signing_key(secret, authorization.date, authorization.region, authorization.service)
    given = _encoded(authorization.signature)
    query = request.query
    if authorization.presigned:
        query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    path = request.path or "/"
    expected = _signature(request, authorization, key, _canonical_path(path, authorization), _sorted(query), payload)
    if not hmac.compare_digest(expected, given):
        # Clients may spell the same path and query in other ways than they sign them; AWS normalises both.
        path = "/".join(quote(unquote(part), safe="-_.~") for part in path.split("/"))
        query = _normalised(query)
        again = _signature(request, authorization, key, _canonical_path(path, authorization), query, payload, "utf-8")
        if not hmac.compare_digest(again, given):
            raise SignatureDoesNotMatch(_MISMATCH_S3 if authorization.is_s3 else _MISMATCH)
    return _verified(request, authorization, key, payload, streaming)


def _verified(request: Request, authorization: Authorization, key: bytes, payload: str, streaming: bool) -> Verified:
    if payload.startswith("STREAMING-"):
        signer = None
        if payload.startswith("STREAMING-AWS4-HMAC-SHA256-"):
            signer = ChunkSigner(key, authorization.timestamp, authorization.scope, authorization.signature)
        return Verified(authorization, None, payload, signer)
    if streaming:
        return Verified(authorization, payload if payload != UNSIGNED_PAYLOAD else None)
    return Verified(authorization)


def _check_time(authorization: Authorization, now: float) -> None:
    timestamp = authorization.timestamp
    time = _seconds(timestamp)
    if time is None:
        raise IncompleteSignature(f"Date must be in ISO-8601 'basic format'. Got '{timestamp[:32]}'.")
    if timestamp[:8] != authorization.date:
        message = (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{authorization.date}' != '{timestamp[:8]}', from '{timestamp}'."
        )
        raise AuthorizationHeaderMalformed(message) if authorization.is_s3 else SignatureDoesNotMatch(message)
    late, early = now - time, time - now
    allowed = CLOCK_SKEW if authorization.expires is None else authorization.expires
    if late <= allowed and early <= CLOCK_SKEW:
        return
    if authorization.is_s3:
        if authorization.presigned:
            raise AccessDenied("Request has expired" if late > allowed else "Request is not valid yet")
        raise RequestTimeTooSkewed("The difference between the request time and the current time is too large.")
    here = _basic(now)
    if late > allowed:
        limit = f"{_basic(now - allowed)} ({here} - {_duration(allowed)})"
        raise SignatureDoesNotMatch(f"Signature expired: {timestamp} is now earlier than {limit}")
    limit = f"{_basic(now + CLOCK_SKEW)} ({here} + {_duration(CLOCK_SKEW)})"
    raise SignatureDoesNotMatch(f"Signature not yet current: {timestamp} is still later than {limit}")


@lru_cache(maxsize=256)
def _seconds(timestamp: str) -> float | None:
    """The time as seconds since the epoch, None if there is no such time."""
    try:
        return datetime(
            int(timestamp[:4]),
            int(timestamp[4:6]),
            int(timestamp[6:8]),
            int(timestamp[9:11]),
            int(timestamp[11:13]),
            int(timestamp[13:15]),
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        return None


def _basic(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _duration(seconds: int) -> str:
    return f"{seconds // 60} min." if seconds % 60 == 0 else f"{seconds} sec."


def _check_headers(request: Request, authorization: Authorization) -> None:
    signed = authorization.signed_headers
    if "host" not in signed and ":authority" not in signed:
        if authorization.is_s3:
            raise AccessDenied(_NOT_SIGNED)
        raise SignatureDoesNotMatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if authorization.is_s3:
        unsigned = [
            name
            for name in request.headers
            if name.startswith("x-amz-") and name not in signed and name != "x-amz-content-sha256"
        ]
        if unsigned:
            raise AccessDenied(_NOT_SIGNED, HeadersNotSigned=", ".join(sorted(unsigned)))


def _payload(request: Request, authorization: Authorization, streaming: bool, unsigned_payload: bool) -> str:
    """The last line of the canonical request, checked against the body where the body is here."""
    claimed = request.headers.get("x-amz-content-sha256")
    if claimed is None and authorization.presigned and authorization.is_s3:
        marker = request.query.find("X-Amz-Content-Sha256=")
        claimed = unquote(request.query[marker + 21 :].partition("&")[0]) if marker >= 0 else UNSIGNED_PAYLOAD
    if claimed is None:
        if authorization.is_s3:
            raise InvalidRequest("Missing required header for this request: x-amz-content-sha256")
        return hashlib.sha256(request.body).hexdigest() if request.body else EMPTY_SHA256
    if _SHA256.match(claimed):
        if not streaming and hashlib.sha256(request.body).hexdigest() != claimed:
            if authorization.is_s3:
                raise ContentHashMismatch(
                    "The provided 'x-amz-content-sha256' header does not match what was computed."
                )
            raise SignatureDoesNotMatch(_MISMATCH)
        return claimed
    if authorization.is_s3:
        if claimed == UNSIGNED_PAYLOAD or claimed in _STREAMING:
            return claimed
        raise InvalidRequest(
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
        )
    if claimed == UNSIGNED_PAYLOAD and unsigned_payload:
        return claimed
    raise SignatureDoesNotMatch(_MISMATCH)


_STREAMING = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)


def _signature(
    request: Request,
    authorization: Authorization,
    key: bytes,
    path: str,
    query: str,
    payload: str,
    encoding: str = "latin-1",
) -> bytes:
    # Servers decode header bytes as Latin-1, so this encoding gives back what was sent.
    headers = request.headers
    lines = [request.method.upper(), path, query]
    for name in authorization.signed_headers:
        value = headers.get(name)
        if value is None:
            value = request.host if name == "host" else ""
        lines.append(f"{name}:{' '.join(value.split())}")
    lines += ["", authorization.signed_headers_text, payload]
    digest = hashlib.sha256("\n".join(lines).encode(encoding, "replace")).hexdigest()
    text = f"{ALGORITHM}\n{authorization.timestamp}\n{authorization.scope}\n{digest}"
    return hmac.digest(key, _encoded(text), "sha256").hex().encode()


def _canonical_path(path: str, authorization: Authorization) -> str:
    return path if authorization.is_s3 else _double_encoded(path)


@lru_cache(maxsize=1024)
def _double_encoded(path: str) -> str:
    """The path without dot segments and repeated slashes, encoded once more."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part and part != ".":
            kept.append(part)
    closing = "/" if path.endswith("/") and kept else ""
    return quote(("/" if path.startswith("/") else "") + "/".join(kept) + closing, safe="/~")


def _sorted(query: str) -> str:
    """The query as sent, in the order of its keys and values."""
    if not query or ("&" not in query and "=" in query):
        return query
    pairs = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{key}={value}" for key, _, value in sorted(pairs))


def _normalised(query: str) -> str:
    pairs = (part.partition("=") for part in query.split("&") if part)
    encoded = ((quote(unquote(key), safe="-_.~"), quote(unquote(value), safe="-_.~")) for key, _, value in pairs)
    return "&".join(f"{key}={value}" for key, value in sorted(encoded))


def _encoded(text: str) -> bytes:
    # What cannot be encoded was not signed by anybody; it only has to fail in an orderly way.
    return text.encode("utf-8", "replace")


def policy_signature(secret: str, credential: str, policy: str) -> str:
    """The signature of an S3 browser upload: ``credential`` and ``policy`` are the form's fields as sent.

    Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html. Raises
    ``AuthorizationQueryParametersError`` if the credential cannot be read.
    """
    claims = read_claims(credential, "host")
    if isinstance(claims, str):
        raise AuthorizationQueryParametersError(claims)
    key = signing_key(secret, claims.date, claims.region, claims.service)
    return hmac.digest(key, _encoded(policy), "sha256").hex()
