"""The small client signs as botocore does, and reads errors of both protocols."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from clary.cli.client import ApiError, Client, Credentials


class Recorder(http.server.BaseHTTPRequestHandler):
    """Remembers a request, and answers as it was told."""

    seen: dict[str, Any]
    answer: tuple[int, bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen = {"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body, "path": self.path}
        self.send_response(self.answer[0])
        self.send_header("Content-Length", str(len(self.answer[1])))
        self.end_headers()
        self.wfile.write(self.answer[1])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def recorder() -> Iterator[tuple[type[Recorder], str]]:
    handler = type("Handler", (Recorder,), {"answer": (200, b"{}")})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("token", [None, "a-token/with+signs=="])
def test_the_signature_is_botocores(recorder: tuple[type[Recorder], str], token: str | None) -> None:
    handler, url = recorder
    Client(url, Credentials("AKID", "secret", token), "eu-west-3").call("sagemaker", "ListModels", MaxResults=3)
    headers = handler.seen["headers"]
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest("POST", url + "/", data=handler.seen["body"], headers={name: headers[name] for name in signed})
    request.context["timestamp"] = headers["x-amz-date"]
    botocore = SigV4Auth(BotocoreCredentials("AKID", "secret", token), "sagemaker", "eu-west-3")
    canonical = botocore.canonical_request(request)
    assert canonical.endswith(hashlib.sha256(handler.seen["body"]).hexdigest())
    signature = botocore.signature(botocore.string_to_sign(request, canonical), request)
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert headers["x-amz-target"] == "SageMaker.ListModels"


def test_errors_of_the_json_protocol(recorder: tuple[type[Recorder], str]) -> None:
    handler, url = recorder
    handler.answer = (400, b'{"__type":"com.amazon#ValidationException","message":"No such job"}')
    with pytest.raises(ApiError) as caught:
        Client(url, Credentials("a", "b"), "us-east-1").call("sagemaker", "DescribeTrainingJob", TrainingJobName="x")
    assert (caught.value.code, caught.value.message, caught.value.status) == ("ValidationException", "No such job", 400)


def test_errors_of_the_query_protocol(recorder: tuple[type[Recorder], str]) -> None:
    handler, url = recorder
    handler.answer = (
        403,
        b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        b"<Code>AccessDenied</Code><Message>Not you</Message></Error></ErrorResponse>",
    )
    with pytest.raises(ApiError) as caught:
        Client(url, Credentials("a", "b"), "us-east-1").query("sts", "AssumeRole", RoleArn="r")
    assert str(caught.value) == "AccessDenied: Not you"


@pytest.mark.parametrize("service", ["sagemaker", "sts"])
def test_an_answer_that_is_no_answer(recorder: tuple[type[Recorder], str], service: str) -> None:
    handler, url = recorder
    handler.answer = (502, b"Bad Gateway")
    client = Client(url, Credentials("a", "b"), "us-east-1")
    with pytest.raises(ApiError, match="Bad Gateway"):
        client.query("sts", "GetCallerIdentity") if service == "sts" else client.call("sagemaker", "ListModels")
