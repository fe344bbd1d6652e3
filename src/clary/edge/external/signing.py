"""Signature version 4 on the sending side: what the platform asks of the external store, in its own name.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote

from clary.core.external_keys import Keys
from clary.wire.sigv4 import signing_key

UNSIGNED = "UNSIGNED-PAYLOAD"
_ALGORITHM = "AWS4-HMAC-SHA256"
_ALSO = ("content-md5", "content-type", "host")


def target_of(bucket: str, key: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Path and query as they are sent and signed: each character encoded in the one way that signatures know."""
    path = "/" + quote(bucket, safe="-_.~") + ("/" + _quoted(key, "/-_.~") if key else "")
    pairs = sorted((_quoted(name, "-_.~"), _quoted(value, "-_.~")) for name, value in parameters.items())
    return path, "&".join(f"{name}={value}" for name, value in pairs)


def _quoted(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="surrogateescape")


def sign(
    keys: Keys,
    region: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    payload: str,
    now: float | None = None,
) -> dict[str, str]:
    """``headers`` (with ``host``, all names in lower case) and those that sign them.

    ``payload`` is the body's SHA-256 in hexadecimal, or ``UNSIGNED``; ``now`` are seconds since the epoch.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    all_headers = {**headers, "x-amz-date": stamp, "x-amz-content-sha256": payload}
    if keys.token:
        all_headers["x-amz-security-token"] = keys.token
    signed = sorted(name for name in all_headers if name.startswith("x-amz-") or name in _ALSO)
    names = ";".join(signed)
    lines = [method, path, query, *(f"{name}:{' '.join(all_headers[name].split())}" for name in signed), "", names]
    # Header text is Latin-1 here, so that this encoding gives the bytes that are sent.
    digest = hashlib.sha256("\n".join([*lines, payload]).encode("latin-1")).hexdigest()
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    key = signing_key(keys.secret, stamp[:8], region, "s3")
    signature = hmac.digest(key, f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    all_headers["authorization"] = (
        f"{_ALGORITHM} Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return all_headers
