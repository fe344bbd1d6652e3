"""The signature that a request claims to have, read from its Authorization header or its presigned query string.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from clary.core.errors import IncompleteSignature, ServiceError
from clary.wire.errors import AuthorizationHeaderMalformed, AuthorizationQueryParametersError
from clary.wire.http import Request

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_EXPIRES = 7 * 24 * 3600

_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z\Z", re.ASCII)
_S3_SERVICES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})


class Claims(NamedTuple):
    """The part of a signature that stays the same from request to request."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signed_headers_text: str


class Authorization(NamedTuple):
    """What a request claims about its signer; nothing of it is verified.

    ``timestamp`` is the request's time as ``YYYYMMDDTHHMMSSZ``, ``expires`` the seconds that a presigned request lives
    for, ``token`` the session token of temporary credentials.
    """

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signed_headers_text: str
    signature: str
    timestamp: str
    presigned: bool = False
    expires: int | None = None
    token: str | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def is_s3(self) -> bool:
        return self.service in _S3_SERVICES


def parse_authorization(request: Request) -> Authorization | None:
    """The signature of a request, from its Authorization header or its presigned query string; None for anonymous
    requests.

    Raises ``IncompleteSignature`` (S3: ``AuthorizationHeaderMalformed``, ``AuthorizationQueryParametersError``) with
    AWS's wording.
    """
    header = request.headers.get("authorization")
    if header is not None:
        return _from_header(request, header)
    if (
        "X-Amz-Signature=" in request.query
        or "X-Amz-Algorithm=" in request.query
        or "X-Amz-Credential=" in request.query
    ):
        return _from_query(request)
    return None


def _from_header(request: Request, header: str) -> Authorization:
    if not header.startswith(ALGORITHM):
        raise IncompleteSignature(_missing(("Credential", "Signature", "SignedHeaders"), request, header))
    # All but the signature itself is the same in every request of a client for a day.
    if header.count(ALGORITHM) > 1:
        # Two headers, joined: which of them counts would be anybody's guess.
        raise IncompleteSignature("A request carries one Authorization header.")
    head, separator, signature = header.rpartition("Signature=")
    if separator and "," not in signature:
        claims = _claims(head)
        signature = signature.strip()
    else:
        fields = _fields(header)
        signature = fields.get("Signature", "")
        claims = _claims(",".join(f"{key}={value}" for key, value in fields.items() if key != "Signature") + ",")
    if isinstance(claims, str) or not signature:
        fields = _fields(header)
        missing = tuple(name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name))
        if missing:
            raise IncompleteSignature(_missing(missing, request, header))
        raise _malformed(fields["Credential"], claims if isinstance(claims, str) else "")
    timestamp = _timestamp(request)
    if timestamp is None:
        raise IncompleteSignature(_missing((), request, header))
    return Authorization(*claims, signature, timestamp, token=request.headers.get("x-amz-security-token"))


@lru_cache(maxsize=4096)
def _claims(head: str) -> Claims | str:
    """The claims in an Authorization header without its signature, or what is wrong with it."""
    fields: dict[str, str] = {}
    for part in head.removeprefix(ALGORITHM).split(","):
        key, _, value = part.strip().partition("=")
        fields.setdefault(key, value.strip())
    credential, names = fields.get("Credential", ""), fields.get("SignedHeaders", "")
    if not credential or not names:
        return "missing"
    return read_claims(credential, names)


def read_claims(credential: str, names: str) -> Claims | str:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not all(parts) or len(parts[0]) > 128:
        return (
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{credential[:256]}'"
        )
    access_key, date, region, service, terminator = parts
    if terminator != "aws4_request":
        return f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator[:64]}'."
    if not (len(date) == 8 and date.isascii() and date.isdigit()):
        return (
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date[:64]}'"
        )
    return Claims(access_key, date, region, service, tuple(sorted(set(names.lower().split(";")))), names)


def _malformed(credential: str, reason: str) -> ServiceError:
    if credential.rpartition("/")[0].rpartition("/")[2] in _S3_SERVICES:
        return AuthorizationHeaderMalformed(f"The authorization header is malformed; {reason}")
    return IncompleteSignature(reason or "The signature cannot be read")


def _fields(header: str) -> dict[str, str]:
    """The key=value pairs of an Authorization header.

    Raises ``IncompleteSignature`` if one has no equal sign.
    """
    fields: dict[str, str] = {}
    for part in header.removeprefix(ALGORITHM).split(","):
        part = part.strip()
        if not part:
            continue
        key, equals, value = part.partition("=")
        if not equals:
            raise IncompleteSignature(
                f"'{part[:64]}' not a valid key=value pair (missing equal-sign) in Authorization header "
                f"(hashed with SHA-256 and encoded with Base64): '{_fingerprint(header)}'."
            )
        fields.setdefault(key.strip(), value.strip())
    return fields


def _missing(names: tuple[str, ...], request: Request, header: str) -> str:
    text = "".join(f"Authorization header requires '{name}' parameter. " for name in names)
    if _timestamp(request) is None:
        text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    return f"{text}(Hashed with SHA-256 and encoded with Base64) Authorization={_fingerprint(header)}"


def _fingerprint(header: str) -> str:
    # AWS does not repeat the header itself, which may hold a secret pasted into the wrong place.
    return base64.b64encode(hashlib.sha256(header.encode("utf-8", "replace")).digest()).decode()


def _timestamp(request: Request) -> str | None:
    """The request's time from ``x-amz-date`` or ``date``, as ``YYYYMMDDTHHMMSSZ``."""
    text = request.headers.get("x-amz-date")
    if text is not None and _TIMESTAMP.match(text):
        return text
    text = text or request.headers.get("date")
    if text is None or len(text) > 64:
        return None
    if _TIMESTAMP.match(text):
        return text
    try:
        time = parsedate_to_datetime(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _from_query(request: Request) -> Authorization:
    given: dict[str, str] = {}
    for part in request.query.split("&"):
        key, _, value = part.partition("=")
        if key.startswith("X-Amz-"):
            given.setdefault(key, unquote(value))
    credential = given.get("X-Amz-Credential", "")
    is_s3 = credential.rpartition("/")[0].rpartition("/")[2] in _S3_SERVICES
    wanted = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    missing = [name for name in (*wanted, *(("X-Amz-Expires",) if is_s3 else ())) if not given.get(name)]
    if missing:
        if is_s3 or not credential:
            raise AuthorizationQueryParametersError(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
            )
        raise IncompleteSignature(" ".join(f"AWS query-string parameters must include '{name}'." for name in missing))
    if given["X-Amz-Algorithm"] != ALGORITHM:
        raise _query_error(is_s3, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    claims = read_claims(credential, given["X-Amz-SignedHeaders"])
    if isinstance(claims, str):
        raise _query_error(is_s3, claims)
    if not _TIMESTAMP.match(given["X-Amz-Date"]):
        raise _query_error(is_s3, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    expires: int | None = None
    if "X-Amz-Expires" in given:
        text = given["X-Amz-Expires"]
        if not (text.isascii() and text.isdigit() and len(text) < 12):
            raise _query_error(is_s3, "X-Amz-Expires should be a number")
        expires = int(text)
        if expires > MAX_EXPIRES:
            raise _query_error(
                is_s3,
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less "
                f"than {MAX_EXPIRES} seconds",
            )
    token = given.get("X-Amz-Security-Token") or request.headers.get("x-amz-security-token")
    return Authorization(
        *claims, given["X-Amz-Signature"], given["X-Amz-Date"], presigned=True, expires=expires, token=token
    )


def _query_error(is_s3: bool, message: str) -> ServiceError:
    return AuthorizationQueryParametersError(message) if is_s3 else IncompleteSignature(message)
