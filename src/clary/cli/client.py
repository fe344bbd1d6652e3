"""A small client of the AWS API, for commands that must answer before boto3 would be imported.

Requests are signed as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html says.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

_JSON_TARGETS = {
    "sagemaker": "SageMaker",
    "logs": "Logs_20140328",
    "monitoring": "GraniteServiceVersion20100801",
    "cloudtrail": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
}
_QUERY_VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}


class ApiError(Exception):
    """The API refused: ``code`` is the AWS error code, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Credentials:
    """What signs a request."""

    access_key: str
    secret_key: str
    token: str | None = None


class Client:
    """Calls the API of the installation at ``url`` (``http://host:port``)."""

    def __init__(self, url: str, credentials: Credentials, region: str, timeout: float = 10) -> None:
        parts = urllib.parse.urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._netloc = parts.netloc
        self._credentials = credentials
        self._region = region
        self._timeout = timeout

    def call(self, service: str, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation of a JSON service (``sagemaker``, ``logs``). Raises ``ApiError`` and ``OSError``."""
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{_JSON_TARGETS[service]}.{operation}",
        }
        status, body = self.send("POST", "/", service, json.dumps(members).encode(), headers)
        if status >= 400:
            raise _json_error(status, body)
        answer: dict[str, Any] = json.loads(body or b"{}")
        return answer

    def query(self, service: str, action: str, **parameters: str) -> ElementTree.Element:
        """Call an operation of a query service (``sts``, ``iam``).

        Gives the root of its XML answer, without name spaces. Raises ``ApiError`` and ``OSError``.
        """
        form = urllib.parse.urlencode({"Action": action, "Version": _QUERY_VERSIONS[service], **parameters})
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        status, body = self.send("POST", "/", service, form.encode(), headers)
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError:
            raise ApiError("InvalidResponse", body[:200].decode("utf-8", "replace"), status) from None
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        if status >= 400:
            raise ApiError(root.findtext(".//Code", "Unknown"), root.findtext(".//Message", ""), status)
        return root

    def send(
        self, method: str, path: str, service: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a signed request; gives the status and the body. ``path`` has no query. Raises ``OSError``."""
        signed = self._signed(method, path, service, body, headers or {})
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, path, body=body, headers=signed)
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"no proper answer: {error!r}") from error
        finally:
            connection.close()

    def _signed(self, method: str, path: str, service: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        signed = {**headers, "host": self._netloc, "x-amz-date": moment}
        if self._credentials.token:
            signed["x-amz-security-token"] = self._credentials.token
        names = ";".join(sorted(signed))
        lines = [method, path, "", *(f"{name}:{signed[name].strip()}" for name in sorted(signed)), "", names]
        canonical = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
        scope = f"{moment[:8]}/{self._region}/{service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = b"AWS4" + self._credentials.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}".encode(), "sha256").hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return signed


def _json_error(status: int, body: bytes) -> ApiError:
    try:
        document = json.loads(body)
    except ValueError:
        return ApiError("InvalidResponse", body[:200].decode("utf-8", "replace"), status)
    code = str(document.get("__type", "Unknown")).rpartition("#")[2]
    return ApiError(code, str(document.get("message") or document.get("Message") or ""), status)
