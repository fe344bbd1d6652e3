"""One request of a client as a request of the platform to the external store, and the store's answer to the client.

What clients sign, and what is settled between them and Clary (access control, CORS, the framing of bodies), stays here;
all else goes on as it came: conditions, ranges, metadata, encryption, tags.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from clary.core.errors import ServiceError
from clary.core.external_keys import ExternalKeys
from clary.edge.answer import UpstreamError
from clary.edge.external.client import Answer, Client
from clary.edge.external.signing import UNSIGNED, sign, target_of
from clary.services.s3 import xml
from clary.services.s3.errors import InternalError, InvalidArgument, MalformedXML
from clary.services.s3.http import S3Request, S3Response
from clary.services.s3.routes import SUBRESOURCES as SUBRESOURCES

_PARAMETERS = frozenset({
    "bucket-region", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "id", "key-marker",
    "list-type", "marker", "max-buckets", "max-keys", "max-uploads", "prefix", "start-after", "upload-id-marker",
    "version-id-marker", "versionId",
})  # fmt: skip
_OF_UPLOADS = frozenset({"max-parts", "part-number-marker", "partNumber", "uploadId"})
_PASSED = frozenset({
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-md5", "content-type",
    "expires", "if-match", "if-modified-since", "if-none-match", "if-unmodified-since", "range",
})  # fmt: skip
_OURS = frozenset({
    "x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-date", "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner", "x-amz-sdk-checksum-algorithm", "x-amz-security-token",
    "x-amz-source-expected-bucket-owner", "x-amz-trailer", "x-amz-user-agent",
})  # fmt: skip
"""Headers that say something to Clary and nothing to the store."""
_SIGNING = frozenset({
    "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature",
    "x-amz-security-token", "x-amz-content-sha256", "awsaccesskeyid", "signature", "expires", "x-id",
})  # fmt: skip
"""Parameters of presigned addresses."""
_KEPT_BACK = frozenset({
    "connection", "date", "keep-alive", "proxy-authenticate", "server", "set-cookie", "strict-transport-security",
    "te", "trailer", "transfer-encoding", "upgrade", "via", "x-amz-id-2", "x-amz-request-id", "x-trans-id",
    "x-openstack-request-id", "alt-svc", "x-clary-local-path",
})  # fmt: skip
"""Headers of the store's answer that speak of its connection to Clary, or of itself."""
_OWN_KEYS_REFUSED = frozenset({
    "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "RequestTimeTooSkewed",
    "SignatureDoesNotMatch", "TokenRefreshRequired",
})  # fmt: skip
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MOST_OF_ERROR = 1 << 20

log = logging.getLogger(__name__)


class StoreUnavailable(ServiceError):
    """The external store cannot be asked, or does not know the platform; clients try again."""

    code = "ServiceUnavailable"
    status = 503


def take_headers(request: S3Request) -> None:
    """Make headers of those parameters that are headers, as some clients presign them. Raises ``InvalidArgument``."""
    for name in [name for name in request.parameters if name.lower().startswith("x-amz-")]:
        value = request.parameters.pop(name)
        if name.lower() in _SIGNING:
            continue
        if _CONTROLS.search(value):
            raise InvalidArgument(ArgumentName=name)
        request.headers.setdefault(name.lower(), value.encode("utf-8", "surrogateescape").decode("latin-1"))


def parameters_of(request: S3Request) -> dict[str, str]:
    """The parameters that go on: the one that chose the operation, and those that are known to change none.

    Of what Clary does not know, nobody can say whether it was allowed.
    """
    chosen = next((name for name in request.parameters if name in SUBRESOURCES), "")
    known = _PARAMETERS if chosen else _PARAMETERS | _OF_UPLOADS
    return {
        name: value
        for name, value in request.parameters.items()
        if name == chosen or name in known or name.startswith("response-")
    }


def headers_of(request: S3Request) -> dict[str, str]:
    """The headers that go on."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name in _PASSED or (name.startswith("x-amz-") and name not in _OURS and not name.startswith("x-amz-grant-"))
    }
    codings = [coding.strip() for coding in headers.pop("content-encoding", "").split(",")]
    # It describes how the body was sent to Clary, not the object.
    if codings := [coding for coding in codings if coding and coding != "aws-chunked"]:
        headers["content-encoding"] = ", ".join(codings)
    return headers


def without_checksums(headers: Mapping[str, str]) -> dict[str, str]:
    """``headers`` without those of checksums, which Clary checks itself.

    Those of parts come behind the bodies, where the store cannot get them: an upload must not promise it any.
    """
    return {
        name: value
        for name, value in headers.items()
        if not name.startswith("x-amz-checksum-") or name == "x-amz-checksum-mode"
    }


class Store:
    """The external store, as the platform asks it. ``keys`` sign for ``region``."""

    def __init__(self, url: str, region: str, keys: ExternalKeys) -> None:
        self.url = url.rstrip("/")
        self.region = region
        self.keys = keys
        self.client = Client(url)
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
        self._host = host if usual else f"{host}:{parts.port}"

    async def ask(
        self,
        method: str,
        bucket: str,
        key: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] = b"",
        length: int | None = None,
        payload: str = "",
    ) -> Answer:
        """Ask the store; ``length`` and ``payload`` (a SHA-256, or empty) are those of a streamed body.

        Raises ``StoreUnavailable``, and what ``body`` raises.
        """
        path, query = target_of(bucket, key, parameters)
        if isinstance(body, bytes):
            payload, length = hashlib.sha256(body).hexdigest(), len(body)
        elif not _SHA256.fullmatch(payload):
            payload = UNSIGNED
        keys = await asyncio.to_thread(self.keys.get) if self.keys.stale else self.keys.get()
        signed = sign(keys, self.region, method, path, query, {**headers, "host": self._host}, payload)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in signed.items()]
        target = f"{path}?{query}" if query else path
        try:
            answer = await self.client.request(method, target, pairs, body, length or 0)
        except (UpstreamError, TimeoutError) as error:
            log.warning("the external store %s does not answer: %s", self.url, error or "too late")
            raise StoreUnavailable("The external object store does not answer. Please try again.") from error
        return await self._checked(answer) if answer.status in (400, 401, 403) else answer

    async def _checked(self, answer: Answer) -> Answer:
        """The refusal, unless it is the platform that was refused. Raises ``StoreUnavailable``."""
        body = await whole(answer, _MOST_OF_ERROR)
        try:
            code = xml.read(body, "Error").value("Code")
        except MalformedXML:
            code = None
        if code in _OWN_KEYS_REFUSED:
            # Told as it is, a client would look for the mistake in its own key.
            log.error("the external store %s refuses the keys of %s: %s", self.url, self.keys.place, code)
            raise StoreUnavailable(f"The external object store refuses the keys of this platform ({code}).")
        return answer._replace(body=body)

    async def problem(self) -> str:
        """Why the store cannot be used; empty if it can."""
        try:
            answer = await self.ask("GET", "", "", {}, {})
            await whole(answer, 64 << 20)
        except ServiceError as error:
            return error.message
        return "" if answer.status == 200 else f"it answers ListBuckets with status {answer.status}"


async def whole(answer: Answer, most: int) -> bytes:
    """The body of an answer of at most ``most`` bytes. Raises ``InternalError`` for more, ``StoreUnavailable``."""
    if isinstance(answer.body, bytes):
        return answer.body
    data = bytearray()
    try:
        async for piece in answer.body:
            data += piece
            if len(data) > most:
                raise InternalError
    except (UpstreamError, TimeoutError) as error:
        raise StoreUnavailable("The external object store broke off its answer. Please try again.") from error
    finally:
        await answer.body.aclose()
    return bytes(data)


def response_of(answer: Answer) -> S3Response:
    """The store's answer for the client."""
    headers = [
        (name, value)
        for name, value in answer.headers
        if name not in _KEPT_BACK and not name.startswith("access-control-")
    ]
    return S3Response(answer.status, headers, answer.body)


def document(answer: Answer, body: bytes) -> S3Response:
    """The store's answer with another body."""
    response = response_of(answer)
    kept = [(name, value) for name, value in response.headers if name not in ("content-length", "content-md5", "etag")]
    return S3Response(response.status, [*kept, ("content-length", str(len(body)))], body)
