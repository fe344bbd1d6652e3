"""An installation's folders, a Python image, and a small S3 endpoint that checks signatures with botocore."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.compute.isolation.select import ISOLATIONS, availability
from clary.compute.placement.local import LocalPlacement
from clary.compute.spec import ImageSpec
from clary.core.settings import Settings
from clary.testing.contracts.jobs import Jobs


def _share(name: str) -> None:
    """Load a module beside this file so that tests, which pytest imports one by one, can import it by its name."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)


_share("gpu_trial")
_share("transform_trial")

TICKET = "ticket-of-the-job"
PAGE = 2


class Endpoint:
    """What the agent needs of the platform: objects, listings, uploads in parts, and credentials for a ticket."""

    ticket = TICKET

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.local: dict[tuple[str, str], Path] = {}
        """Objects that are answered with the path of a file on this machine."""
        self.keys_of: dict[tuple[str, str], str] = {}
        """The KMS keys that objects were put with."""
        self.refused: set[str] = set()
        """The KMS keys that nobody may use."""
        self.failures = 0
        """So many requests are answered with 503."""
        self.cuts = 0
        """So many objects are answered with their first half, after which the connection is lost."""
        self.secret = "secret-0"
        self.fetched = 0
        self.requests: list[str] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None: ...

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, headers, answer = endpoint.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                if endpoint.cuts and self.command == "GET" and "etag" in headers:
                    endpoint.cuts -= 1
                    answer = answer[: len(answer) // 2]
                    self.close_connection = True
                self.wfile.write(answer)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def put(self, bucket: str, key: str, data: bytes) -> None:
        self.objects[bucket, key] = data

    def get(self, bucket: str, key: str) -> bytes:
        return self.objects[bucket, key]

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for each, key in self.objects if each == bucket)

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        path, _, query = target.partition("?")
        self.requests.append(f"{method} {path}")
        if path == "/_clary/credentials":
            if headers["authorization"] != TICKET:
                return 403, {}, b""
            self.fetched += 1
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            keys = {"AccessKeyId": "ASIATEST", "SecretAccessKey": self.secret, "Token": "token", "Expiration": until}
            return 200, {}, json.dumps(keys).encode()
        if self.failures:
            self.failures -= 1
            return 503, {}, b"<Error><Code>ServiceUnavailable</Code><Message>not now</Message></Error>"
        if problem := self._check(method, target, headers, body):
            return 403, {}, f"<Error><Code>{problem}</Code><Message>no</Message></Error>".encode()
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        values = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if method == "GET" and not key:
            return 200, {}, self._list(bucket, values).encode()
        if method == "GET":
            if (bucket, key) in self.local and headers.get("x-clary-local-path"):
                return 200, {"x-clary-local-path": str(self.local[bucket, key])}, b""
            if (bucket, key) not in self.objects:
                return (
                    404,
                    {},
                    b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
                )
            data = self.objects[bucket, key]
            tag = hashlib.md5(data).hexdigest()
            if headers.get("if-match", tag) != tag:
                return 412, {}, b"<Error><Code>PreconditionFailed</Code><Message>changed</Message></Error>"
            start = int((headers.get("range") or "bytes=0-")[6:].rstrip("-"))
            return 206 if start else 200, {"etag": tag}, data[start:]
        if method == "POST" and "uploads" in values:
            upload = f"upload-{len(self.uploads)}"
            self.uploads[upload] = {}
            self._note_key(bucket, key, headers)
            return 200, {}, f"<R xmlns='http://s3'><UploadId>{upload}</UploadId></R>".encode()
        if method == "PUT" and "uploadId" in values:
            self.uploads[values["uploadId"]][int(values["partNumber"])] = body
            return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b""
        if method == "POST":
            parts = self.uploads.pop(values["uploadId"])
            tags = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>(.*?)</ETag>", body.decode())
            assert [tag.strip('"') for _, tag in tags] == [
                hashlib.md5(parts[int(number)]).hexdigest() for number, _ in tags
            ]
            self.objects[bucket, key] = b"".join(parts[int(number)] for number, _ in tags)
            return 200, {}, b"<CompleteMultipartUploadResult/>"
        if method == "PUT":
            if headers.get("x-amz-server-side-encryption-aws-kms-key-id") in self.refused:
                said = "User: x is not authorized to perform: kms:GenerateDataKey on resource: y"
                return 403, {}, f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>".encode()
            self.objects[bucket, key] = body
            self._note_key(bucket, key, headers)
            return 200, {"ETag": '"x"'}, b""
        return 405, {}, b""

    def _note_key(self, bucket: str, key: str, headers: Any) -> None:
        if headers.get("x-amz-server-side-encryption") == "aws:kms":
            self.keys_of[bucket, key] = headers["x-amz-server-side-encryption-aws-kms-key-id"]

    def _list(self, bucket: str, values: dict[str, str]) -> str:
        keys = [key for key in self.keys(bucket) if key.startswith(values["prefix"])]
        start = int(values.get("continuation-token", 0))
        page = keys[start : start + PAGE]
        more = start + PAGE < len(keys)
        contents = "".join(
            f"<Contents><Key>{urllib.parse.quote(key)}</Key><Size>{len(self.objects[bucket, key])}</Size></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
        return (
            f"<?xml version='1.0'?><ListBucketResult xmlns='http://s3'><EncodingType>url</EncodingType>"
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{contents}</ListBucketResult>"
        )

    def _check(self, method: str, target: str, headers: Any, body: bytes) -> str:
        if hashlib.sha256(body).hexdigest() != headers["x-amz-content-sha256"]:
            return "XAmzContentSHA256Mismatch"
        request = AWSRequest(method, self.url + target, data=body)
        for name in ("x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "host"):
            request.headers[name] = headers[name]
        for name, value in headers.items():
            if name.startswith("x-amz-") and name not in request.headers:
                request.headers[name] = value
        request.context["timestamp"] = headers["x-amz-date"]
        auth = S3SigV4Auth(Credentials("ASIATEST", self.secret, "token"), "s3", "us-east-1")
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if not headers["authorization"].endswith(f"Signature={signature}"):
            return "ExpiredToken" if self.secret != "secret-0" else "SignatureDoesNotMatch"
        return ""


@pytest.fixture
def store() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache")
    settings.create_folders()
    return settings


@pytest.fixture
def placement(settings: Settings) -> LocalPlacement:
    return LocalPlacement(settings)


@pytest.fixture
def image() -> ImageSpec:
    """The Python that runs the tests, without packages."""
    return ImageSpec("python", python=f"{sys.base_prefix}/bin/python3", paths=[sys.base_prefix])


@pytest.fixture(params=list(ISOLATIONS))
def jobs(
    request: pytest.FixtureRequest, placement: LocalPlacement, image: ImageSpec, store: Endpoint
) -> Iterator[Jobs]:
    """Jobs of a model server and others, under each isolation."""
    works, remedy = availability(request.param)
    if not works:
        pytest.skip(remedy)
    yield Jobs(placement, request.param, image, store)
    for id in placement.list():
        placement.remove(id)
