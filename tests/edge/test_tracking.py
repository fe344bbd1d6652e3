"""The way to a tracking server: signatures, sessions of browsers, permissions, and what passes on.

What stands at its end here tells only what has come; MLflow itself is tried in the parity tests.
"""

from __future__ import annotations

import http.client
import http.server
import json
import socketserver
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from clary.state.database import Database
from clary.state.records import Key, Record
from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server

ID = "t-0123456789abcdef"
LARGE = b"x" * 5_000_000
RUN = "/api/2.0/mlflow/runs/create"


class Told(http.server.BaseHTTPRequestHandler):
    """Answers what it was asked."""

    def address_string(self) -> str:
        return "client"

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        content = LARGE if self.path == "/static-files/large.js" else json.dumps(told).encode()
        self.send_response(500 if self.path == "/static-files/broken.js" else 200)
        self.send_header("content-type", "application/json")
        self.send_header("set-cookie", "mlflow=1")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer


class Team:
    """The tracking server ``team``: its record, its route, and who asks it."""

    def __init__(self, aws: Server, address: str) -> None:
        self.aws = aws
        self.address = address
        self.arn = f"arn:aws:sagemaker:{aws.region}:{aws.account}:mlflow-tracking-server/team"
        self._database = Database(f"sqlite:///{aws.home / 'state' / 'clary.db'}")
        self.netloc = urlsplit(aws.url).netloc
        self.pages = f"{ID}.localhost:{urlsplit(aws.url).port}"
        now = time.time()
        key = Key(aws.account, aws.region, "sagemaker", "MlflowTrackingServer", "", "team")
        with self._database.write() as transaction:
            transaction.insert(Record(key, self.arn, now, now, {"_id": ID}, "Created"))
        self.publish(address)

    def publish(self, address: str | None, stopped: bool = False) -> None:
        document = {"arn": self.arn, "server": ID, "address": address, "stopped": stopped}
        with self._database.write() as transaction:
            transaction.set_route(self.aws.account, self.aws.region, "mlflow-tracking-server/team", document)

    def ask(
        self, method: str, path: str, body: bytes = b"", *, host: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Send a request as it is."""
        connection = http.client.HTTPConnection(self.netloc, timeout=20)
        connection.request(method, path, body, {"host": host or self.netloc, **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        try:
            return answer.status, json.loads(content), answer.headers
        except ValueError:
            return answer.status, content, answer.headers

    def signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        session: boto3.Session | None = None,
        service: str = "sagemaker-mlflow",
        **headers: str,
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Send a request as AWS's plugin does."""
        named = {"x-mlflow-sm-tracking-server-arn": self.arn} if service == "sagemaker-mlflow" else {}
        request = AWSRequest(method, f"{self.aws.url}{path}", data=body, headers=named | headers)
        SigV4Auth((session or self.aws.session()).get_credentials(), service, self.aws.region).add_auth(request)
        return self.ask(method, path, body, headers=dict(request.headers))

    def close(self) -> None:
        self._database.close()


@pytest.fixture
def team(clary_aws: Server) -> Iterator[Team]:
    with tempfile.TemporaryDirectory(prefix="clary-") as folder:
        socket = str(Path(folder) / "s")
        server = socketserver.ThreadingUnixStreamServer(socket, Told)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        made = Team(clary_aws, f"unix:{socket}")
        wait_for(lambda: made.signed("GET", "/version")[0] == 200, what="the route is known")
        yield made
        made.close()
        server.shutdown()
        server.server_close()


def user(aws: Server, name: str, *actions: str, resource: str = "*") -> boto3.Session:
    """A session of a user who may do ``actions``."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps({"Statement": allowed}))
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], region_name=aws.region)


def test_a_signed_request_passes_without_its_signature(team: Team) -> None:
    status, told, headers = team.signed(
        "POST", f"{RUN}?a=b%20c", b'{"experiment_id": "0"}', **{"content-type": "application/json", "x-own": "1"}
    )
    assert status == 200
    assert (told["method"], told["path"], told["body"]) == ("POST", f"{RUN}?a=b%20c", '{"experiment_id": "0"}')
    sent = {name.lower() for name in told["headers"]}
    assert told["headers"]["host"] == "localhost"
    assert {"content-type", "x-own"} <= sent
    assert not any(name.startswith(("authorization", "x-amz", "cookie", "x-mlflow-sm", "origin")) for name in sent)
    assert headers["set-cookie"] is None


def test_the_servers_own_address_takes_a_signature_for_any_service(team: Team) -> None:
    status, told, _ = team.signed("GET", f"/_clary/mlflow/{ID}/api/2.0/mlflow/runs/get?run_id=1", service="execute-api")
    assert (status, told["path"]) == (200, "/api/2.0/mlflow/runs/get?run_id=1")
    assert team.signed("GET", f"/_clary/mlflow/{ID}", service="execute-api")[1]["path"] == "/"
    assert team.signed("GET", "/_clary/mlflow/t-other/version", service="execute-api")[0] == 403


def test_nobody_passes_without_a_right_signature(team: Team) -> None:
    for path, headers in (
        (f"/_clary/mlflow/{ID}{RUN}", {}),
        (RUN, {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sagemaker-mlflow/aws4_request"}),
    ):
        status, told, _ = team.ask("POST", path, headers=headers)
        assert status == 403
        assert set(told) == {"error_code", "message"}
    wrong = boto3.Session(team.aws.session().get_credentials().access_key, "wrong")
    assert team.signed("POST", RUN, session=wrong)[0] == 403
    elsewhere = boto3.Session("AKIAIOSFODNN7EXAMPLE", "wrong")
    assert team.signed("POST", RUN, session=elsewhere)[0] == 403


def test_each_request_needs_its_permission(team: Team) -> None:
    reader = user(team.aws, "reader", "sagemaker-mlflow:GetRun", "sagemaker-mlflow:Search*")
    assert team.signed("GET", "/api/2.0/mlflow/runs/get", session=reader)[0] == 200
    assert team.signed("POST", "/ajax-api/2.0/mlflow/runs/search", session=reader)[0] == 200
    assert team.signed("GET", "/version", session=reader)[0] == 200
    status, told, _ = team.signed("POST", RUN, session=reader)
    assert (status, told["error_code"]) == (403, "PERMISSION_DENIED")
    assert (
        "user/reader is not authorized to perform: sagemaker-mlflow:CreateRun on resource: " + team.arn
        in told["message"]
    )
    assert team.signed("GET", "/", session=reader)[0] == 403
    other = user(team.aws, "other", "sagemaker-mlflow:*", resource=f"{team.arn}-other")
    assert team.signed("GET", "/api/2.0/mlflow/runs/get", session=other)[0] == 403
    # What AWS names no action for is for those who may do everything.
    assert team.signed("POST", "/api/3.0/mlflow/datasets/create", session=reader)[0] == 403
    assert team.signed("POST", "/api/3.0/mlflow/datasets/create")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow/webhooks",
        "/api/2.0/mlflow/runs/../webhooks",
        "/api/2.0/mlflow/datasets/%2e%2e/webhooks",
        "/api/2.0/mlflow/%77ebhooks",
        "//api/2.0/mlflow/webhooks",
        "/metrics",
    ],
)
def test_what_is_not_served_does_not_pass(team: Team, path: str) -> None:
    status, told, _ = team.signed("POST", f"/_clary/mlflow/{ID}{path}", service="execute-api")
    assert (status, told["error_code"]) in ((404, "ENDPOINT_NOT_FOUND"), (403, "PERMISSION_DENIED"))


def test_a_server_that_is_not_up_says_so(team: Team) -> None:
    team.publish(None)
    wait_for(lambda: team.signed("POST", RUN)[0] == 503, what="the server is being started")
    assert team.signed("POST", RUN)[1]["error_code"] == "TEMPORARILY_UNAVAILABLE"
    team.publish(None, stopped=True)
    wait_for(lambda: team.signed("POST", RUN)[0] == 400, what="the server is stopped")
    team.publish(f"{team.address}-gone")
    wait_for(lambda: team.signed("POST", RUN)[0] == 503, what="the server does not answer")


def test_answers_of_any_size_and_kind_pass(team: Team) -> None:
    status, content, headers = team.signed("GET", "/static-files/large.js")
    assert (status, content, headers["content-length"]) == (200, LARGE, str(len(LARGE)))
    assert team.signed("GET", "/static-files/broken.js")[0] == 500
    status, content, headers = team.signed("HEAD", "/static-files/large.js")
    assert (status, content, headers["content-length"]) == (200, b"", str(len(LARGE)))


# Browsers


def presigned(team: Team, session: boto3.Session | None = None, **members: Any) -> str:
    client = (session or team.aws.session()).client("sagemaker", endpoint_url=team.aws.url)
    url = client.create_presigned_mlflow_tracking_server_url(TrackingServerName="team", **members)["AuthorizedUrl"]
    parts = urlsplit(url)
    assert parts.netloc == team.pages
    return f"{parts.path}?{parts.query}"


def signed_in(team: Team, **arguments: Any) -> str:
    """The cookie of a browser that has opened a presigned URL."""
    status, _, headers = team.ask("GET", presigned(team, **arguments), host=team.pages)
    assert (status, headers["location"]) == (303, "/")
    cookie = str(headers["set-cookie"])
    assert "; HttpOnly; SameSite=Lax" in cookie
    return cookie.partition(";")[0]


def test_a_presigned_url_begins_one_session(team: Team) -> None:
    path = presigned(team)
    status, _, headers = team.ask("GET", path, host=team.pages)
    assert status == 303
    cookie = str(headers["set-cookie"]).partition(";")[0]
    status, told, headers = team.ask("GET", "/?a=b", host=team.pages, headers={"cookie": f"x=1; {cookie}"})
    assert (status, told["path"]) == (200, "/?a=b")
    assert "cookie" not in {name.lower() for name in told["headers"]}
    assert "default-src 'self'" in headers["content-security-policy"]
    assert team.ask("GET", path, host=team.pages)[0] == 403
    assert team.ask("GET", "/auth?authToken=0", host=team.pages)[0] == 403
    assert team.ask("GET", "/", host=team.pages)[0] == 403
    assert b"There is no session" in team.ask("GET", "/", host=team.pages, headers={"accept": "text/html"})[1]


def test_a_session_is_good_for_the_servers_pages_alone(team: Team) -> None:
    cookie = {"cookie": signed_in(team)}
    assert team.ask("GET", f"/_clary/mlflow/{ID}/version", headers=cookie)[0] == 403
    assert (
        team.ask("GET", "/version", host=f"t-ffff.localhost:{team.pages.rpartition(':')[2]}", headers=cookie)[0] != 200
    )
    # Nothing of Clary's own is of the origin of what users bring.
    for path in ("/studio/", "/_clary/health", "/_clary/studio/session"):
        assert team.ask("GET", path, host=team.pages, headers=cookie | {"x-clary-studio": "1"})[0] == 404


def test_other_pages_cannot_use_a_session(team: Team) -> None:
    cookie = {"cookie": signed_in(team)}
    own = cookie | {"origin": f"http://{team.pages}"}
    assert team.ask("POST", "/ajax-api/2.0/mlflow/runs/create", host=team.pages, headers=own)[0] == 200
    same = cookie | {"sec-fetch-site": "same-origin"}
    assert team.ask("POST", "/ajax-api/2.0/mlflow/runs/create", host=team.pages, headers=same)[0] == 200
    for other in ({}, {"origin": "http://evil.localhost"}, {"origin": "null"}, {"sec-fetch-site": "same-site"}):
        asked = cookie | other
        assert team.ask("POST", "/ajax-api/2.0/mlflow/runs/create", host=team.pages, headers=asked)[0] == 403


def test_a_session_may_do_what_its_user_may_do_now(team: Team) -> None:
    actions = ("sagemaker:CreatePresignedMlflowTrackingServerUrl", "sagemaker-mlflow:AccessUI")
    cookie = {"cookie": signed_in(team, session=user(team.aws, "ada", *actions))}
    assert team.ask("GET", "/", host=team.pages, headers=cookie)[0] == 200
    create = cookie | {"origin": f"http://{team.pages}"}
    assert team.ask("POST", "/ajax-api/2.0/mlflow/runs/create", host=team.pages, headers=create)[0] == 403
    iam = team.aws.client("iam")
    iam.delete_user_policy(UserName="ada", PolicyName="own")
    assert team.ask("GET", "/", host=team.pages, headers=cookie)[0] == 403
    for key in iam.list_access_keys(UserName="ada")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ada")
    # One of the same name is somebody else.
    user(team.aws, "ada", *actions)
    assert team.ask("GET", "/", host=team.pages, headers=cookie)[0] == 403


def test_the_servers_address_leads_browsers_to_its_pages(team: Team) -> None:
    status, _, headers = team.ask("GET", f"/_clary/mlflow/{ID}")
    assert (status, headers["location"]) == (307, f"http://{team.pages}/")
