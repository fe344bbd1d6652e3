"""No secret stands where anybody reads it: in a log, in the trail, in an answer, in a list of processes, in the open.

A story with all sorts of secrets is told to a server of the test's own by unmodified clients; then everything that was
written, said or shown is searched for them.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from clary.services.iam.sessions import Session, Tokens
from clary.services.iam.vault import Vault

pytestmark = [pytest.mark.slow("survival"), pytest.mark.timeout(900)]

PASSWORD = "Correct-Horse-7-Battery!"
IN_ENVIRONMENT = "environment-value-of-a-job-9f3ab1"
PLAINTEXT = "a plaintext that KMS encrypts 51c0de"
WRONG_SECRET = "wrongwrongwrongwrongwrongwrongwrongwrong"
CUSTOM_ATTRIBUTES = "trace=custom-attribute-77aa10"
PAYLOAD = "payload-of-an-invocation-2b5d"
MESSAGE = "a message of a queue 83d1"
URL_PASSWORD = "url-password-0c91ee"

LONGEST_BUILD_S = 400
"""The environment of the endpoint's image may have to be built first."""

ASKS = ("Describe", "Get", "List", "Lookup", "Search")


class Secrets:
    """What must not be found; ``kept`` are values of resources, which are shown to those who may describe them."""

    def __init__(self) -> None:
        self.sealed: dict[str, bytes] = {}
        self.kept = {
            "a job's environment": IN_ENVIRONMENT.encode(),
            "a password in an address": URL_PASSWORD.encode(),
            "a message": MESSAGE.encode(),
        }

    def add(self, name: str, value: str | bytes) -> None:
        self.sealed[name] = value.encode() if isinstance(value, str) else value

    def found_in(self, data: bytes, kept: bool = True) -> set[str]:
        every = {**self.sealed, **(self.kept if kept else {})}
        return {name for name, secret in every.items() if any(form in data for form in forms(secret))}


def forms(secret: bytes) -> Iterator[bytes]:
    """The spellings of a secret: as it is, in JSON, in URLs, in hexadecimal, and in the three places of base64."""
    yield secret
    yield json.dumps(secret.decode("latin-1"))[1:-1].encode()
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield secret.hex().encode()
    for before in range(3):
        # Of the first and the last characters a neighbour has a part.
        whole = base64.b64encode(b"\0" * before + secret)
        inner = whole[4 if before else 0 : len(whole) - 4]
        if len(inner) >= 16:
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


class Watched:
    """Looks at the command lines of all processes, again and again."""

    def __init__(self) -> None:
        self.lines: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    with contextlib.suppress(OSError):
                        self.lines.add((entry / "cmdline").read_bytes())


class Story:
    """Everything that is done, and all answers to those who only ask."""

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.secrets = Secrets()
        self.answers: list[tuple[str, bytes]] = []
        self.port = int(plant.url.rpartition(":")[2])

    def client(self, service: str, keys: dict[str, str] | None = None, **arguments: Any) -> Any:
        """A client whose answers to questions are kept."""
        if keys is None:
            made = self.plant.client(service)
        else:
            made = boto3.client(
                service,
                endpoint_url=self.plant.url,
                region_name="us-east-1",
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys.get("SessionToken"),
                **arguments,
            )
        made.meta.events.register("after-call", self._heard)
        return made

    def _heard(self, http_response: Any, model: Any, **_: Any) -> None:
        if model.name.startswith(ASKS) and model.name not in ("GetObject", "GetSessionToken"):
            self.answers.append((model.name, http_response.content or b""))

    def refused(self, call: Any, **arguments: Any) -> None:
        with pytest.raises(ClientError) as error:
            call(**arguments)
        self.answers.append(("a refusal", json.dumps(error.value.response, default=str).encode()))

    def send(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, Any, bytes]:
        """A request of no AWS client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body.encode(), {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def clary(self, *arguments: str) -> None:
        """What a command of Clary's says."""
        command = [sys.executable, "-m", "clary.cli", "--home", str(self.plant.home), *arguments]
        done = subprocess.run(command, capture_output=True, env=self.plant.environ, timeout=60)
        self.answers.append((" ".join(arguments), done.stdout + done.stderr))

    # -- what happens

    def of_identities(self) -> None:
        add, home = self.secrets.add, self.plant.home
        master = (home / "secrets" / "master.key").read_bytes()
        add("the master key", master)
        add("the administrator's secret", self.plant.installation.administrator.secret_key)
        iam, sts = self.client("iam"), self.client("sts")
        iam.create_user(UserName="ann")
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        add("a user's secret", key["SecretAccessKey"])
        iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        iam.create_login_profile(UserName="ann", Password=PASSWORD)
        add("a password", PASSWORD)
        assumed = sts.assume_role(RoleArn=self.plant.role, RoleSessionName="secrets")["Credentials"]
        own = self.client("sts", key).get_session_token()["Credentials"]
        for name, keys in (("a role's session", assumed), ("a user's session", own)):
            add(f"{name}: the secret", keys["SecretAccessKey"])
            add(f"{name}: the token", keys["SessionToken"])
            self.client("sts", keys).get_caller_identity()
        # Wrong ones.
        add("a wrong secret", WRONG_SECRET)
        wrong = {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": WRONG_SECRET}
        self.refused(self.client("sagemaker", wrong).list_models)
        self.refused(self.client("s3", wrong).list_buckets)
        swapped = {"AccessKeyId": key["SecretAccessKey"], "SecretAccessKey": key["AccessKeyId"]}
        self.refused(self.client("sagemaker", swapped).list_models)
        self.refused(self.client("s3", swapped).list_buckets)
        # One whose time is over.
        past = Session("ASIAPASTPASTPASTPAST", "p" * 40, "role", "123456789012", "x", "AROAX", "past", time.time() - 9)
        token = Tokens(Vault(master)).issue(past)
        add("an expired token", token)
        expired = {"AccessKeyId": past.access_key, "SecretAccessKey": past.secret, "SessionToken": token}
        for service, ask in (("sagemaker", "list_models"), ("s3", "list_buckets"), ("iam", "list_users")):
            self.refused(getattr(self.client(service, expired), ask))
        iam.list_access_keys(UserName="ann")
        iam.get_user(UserName="ann"), iam.get_login_profile(UserName="ann")
        self.ann = key

    def of_keys(self) -> None:
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        blob = kms.encrypt(KeyId=key, Plaintext=PLAINTEXT)["CiphertextBlob"]
        kms.decrypt(CiphertextBlob=blob)
        self.secrets.add("a plaintext of KMS", PLAINTEXT)
        self.secrets.add("a data key", kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"])
        self.secrets.add("a random of KMS", kms.generate_random(NumberOfBytes=32)["Plaintext"])
        kms.describe_key(KeyId=key), kms.list_keys(), kms.get_key_policy(KeyId=key, PolicyName="default")

    def of_objects(self) -> None:
        s3 = self.client("s3", self.ann, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
        own = os.urandom(32)
        self.secrets.add("a key of SSE-C", own)
        sse = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": own}
        s3.put_object(Bucket="survival", Key="mine", Body=b"x", **sse)
        assert s3.get_object(Bucket="survival", Key="mine", **sse)["Body"].read() == b"x"
        self.refused(s3.get_object, Bucket="survival", Key="mine")
        for key in ("mine", "missing"):
            url = s3.generate_presigned_url("get_object", {"Bucket": "survival", "Key": key})
            self.secrets.add(f"the signature of a URL ({key})", re.findall("X-Amz-Signature=([0-9a-f]+)", url)[0])
            path = url.removeprefix(self.plant.url)
            self.send("GET", path)
            self.send("GET", path.replace("X-Amz-Date=2", "X-Amz-Date=1"))
            self.send("PUT", path)
        s3.list_objects_v2(Bucket="survival")

    def of_jobs(self) -> None:
        plant = self.plant
        plant.train("job", "wait", Environment={"APP_TOKEN": IN_ENVIRONMENT})
        job = plant.job()
        plant.await_middle(job)
        tickets = set()
        for pid in plant.job_processes():
            with contextlib.suppress(OSError):
                variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                tickets |= {text.partition(b"=")[2] for text in variables if text.startswith(b"AWS_CONTAINER_AUTHOR")}
        assert tickets, "a job has no ticket"
        for number, ticket in enumerate(sorted(tickets)):
            self.secrets.add(f"a ticket ({number})", ticket)
            status, _, body = self.send("GET", "/_clary/credentials", Authorization=ticket.decode())
            assert status == 200, body
            minted = json.loads(body)
            self.secrets.add(f"a job's session: the secret ({number})", minted["SecretAccessKey"])
            self.secrets.add(f"a job's session: the token ({number})", minted["Token"])
        self.send("GET", "/_clary/credentials", Authorization=PASSWORD)
        plant.go(job)
        assert plant.await_end("job")["TrainingJobStatus"] == "Completed"
        sagemaker = self.client("sagemaker")
        sagemaker.list_training_jobs(), sagemaker.search(Resource="TrainingJob")
        # A value that is refused is not repeated where others read it.
        self.refused(self.client("iam").create_login_profile, UserName="job", Password=PASSWORD + "\x00")
        repository = f"https://someone:{URL_PASSWORD}@example.com/repository.git"
        with contextlib.suppress(ClientError):
            sagemaker.create_code_repository(CodeRepositoryName="code", GitConfig={"RepositoryUrl": repository})
        with contextlib.suppress(ClientError):
            sagemaker.delete_code_repository(CodeRepositoryName="code")

    def of_endpoints(self) -> None:
        runtime = self.client("sagemaker-runtime")
        self.secrets.add("custom attributes", CUSTOM_ATTRIBUTES)
        self.secrets.add("a payload", PAYLOAD)
        self.plant.deploy("endpoint", answer=IN_ENVIRONMENT)
        self.plant.await_service("endpoint", LONGEST_BUILD_S)
        asked = {"ContentType": "text/csv", "Body": PAYLOAD, "CustomAttributes": CUSTOM_ATTRIBUTES}
        answer = runtime.invoke_endpoint(EndpointName="endpoint", **asked)["Body"].read().decode()
        assert answer.startswith(f"{IN_ENVIRONMENT} {PAYLOAD}")
        self.refused(runtime.invoke_endpoint, EndpointName="none", Body=PAYLOAD, CustomAttributes=CUSTOM_ATTRIBUTES)
        sqs = self.client("sqs")
        queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody=MESSAGE)
        assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        sqs.purge_queue(QueueUrl=queue)

    def of_studio(self) -> None:
        ours = {"x_clary_studio": "1", "content_type": "application/json"}
        status, body = self.plant.installation.client().send("POST", "/_clary/link", "clary")
        assert status == 200
        ticket = json.loads(body)["path"].rpartition("=")[2]
        self.secrets.add("a one-time ticket", ticket)
        by_ticket = self._sign_in("sign-in/link", json.dumps({"ticket": ticket}), ours)
        by_password = self._sign_in("sign-in", json.dumps({"UserName": "ann", "Password": PASSWORD}), ours)
        wrong = json.dumps({"UserName": PASSWORD, "Password": "ann"})
        assert self.send("POST", "/_clary/studio/sign-in", wrong, **ours)[0] == 403
        for cookie in (by_ticket, by_password):
            call = "/_clary/studio/call/sagemaker/ListTrainingJobs"
            status, _, body = self.send("POST", call, "{}", cookie=f"clary-session={cookie}", **ours)
            assert status == 200, body
            self.answers.append(("Studio", body))
            answered = self.send("GET", "/_clary/studio/session", cookie=f"clary-session={cookie}", **ours)
            self.answers.append(("the session", answered[2]))
        path = "/_clary/studio/sign-out"
        assert self.send("POST", path, cookie=f"clary-session={by_password}", **ours)[0] == 204
        assert self.send("GET", "/_clary/studio/session", cookie=f"clary-session={by_password}", **ours)[0] == 401

    def _sign_in(self, page: str, body: str, headers: dict[str, str]) -> str:
        status, answered, said = self.send("POST", f"/_clary/studio/{page}", body, **headers)
        assert status == 204, said
        cookie = answered["set-cookie"].partition("=")[2].partition(";")[0]
        self.secrets.add(f"a session's cookie ({page})", cookie)
        return str(cookie)

    def of_malformed_requests(self) -> None:
        """Secrets in places where no client puts them."""
        scope = "20260101/us-east-1/sagemaker/aws4_request"
        bare = f"AWS4-HMAC-SHA256 Credential={PASSWORD}/{scope}, SignedHeaders=host, Signature={'0' * 64}"
        for text in (bare, f"Basic {PASSWORD}", f"Bearer {PASSWORD}", PASSWORD, "AWS4-HMAC-SHA256 " + PASSWORD):
            for path in ("/", "/bucket/key", "/endpoints/e/invocations", "/_clary/reset"):
                self.send("POST", path, "{", Authorization=text, x_amz_target="SageMaker.ListModels")
        self.send("GET", f"/?X-Amz-Signature={PASSWORD}&X-Amz-Security-Token={PASSWORD}&Password={PASSWORD}")
        self.send("POST", f"/_clary/studio/call/{PASSWORD}/{PASSWORD}", PASSWORD, x_clary_studio="1")
        self.send("GET", "/", Cookie=f"clary-session={PASSWORD}", Host=f"{PASSWORD}.example.com")
        body = urllib.parse.urlencode({"Action": "CreateLoginProfile", "Version": "2010-05-08", "Password": PASSWORD})
        self.send("POST", "/", body, content_type="application/x-www-form-urlencoded")

    def of_commands(self) -> None:
        for command in (
            ["status"],
            ["status", "--json"],
            ["doctor"],
            ["logs", "job"],
            ["logs", "endpoint"],
            ["version", "--json"],
        ):
            self.clary(*command)
        for options in ([], ["--json"], ["--data", "--json"], ["--user", "ann", "--json"]):
            self.clary("audit", *options)
        trail = self.client("cloudtrail")
        for page in trail.get_paginator("lookup_events").paginate():
            assert "Events" in page
        logs = self.client("logs")
        for group in logs.describe_log_groups()["logGroups"]:
            logs.filter_log_events(logGroupName=group["logGroupName"])


def test_no_secret_is_found_anywhere(plant: Any) -> None:
    story = Story(plant)
    with Watched() as watched:
        story.of_identities()
        story.of_keys()
        story.of_objects()
        story.of_jobs()
        story.of_endpoints()
        story.of_studio()
        story.of_malformed_requests()
        story.of_commands()
    secrets, home = story.secrets, plant.home

    asked = {name for name, _ in story.answers}
    assert {"LookupEvents", "GetUser", "DescribeKey", "ListTrainingJobs", "doctor", "audit --json"} <= asked
    in_answers = {(name, found) for name, data in story.answers for found in secrets.found_in(data, kept=False)}
    assert not in_answers

    lines = b"\n".join(watched.lines)
    assert b"clary.control" in lines
    assert not secrets.found_in(lines)

    told = [*_files(home / "log"), *_files(home / "trail")]
    assert len(told) >= 5
    assert not {(str(file), found) for file in told for found in secrets.found_in(file.read_bytes())}

    database = _files(home / "state")
    assert database
    assert not {(file.name, found) for file in database for found in secrets.found_in(file.read_bytes(), kept=False)}

    # Only this user can read what is below the home folder, and secrets lie in one place of it.
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    closed = [path for path in (home / "jobs").glob("*") if not _is_open(path)]
    assert [path.name for path in closed if path.name.startswith("Endpoint")]
    # What a job finds in its own folder looks as files of a system do; the folder itself is closed.
    within = {path for folder in closed for path in folder.rglob("*")}
    open_to_others = {str(path.relative_to(home)) for path in home.rglob("*") if path not in within and _is_open(path)}
    assert not open_to_others
    elsewhere = [file for file in _files(home) if file.parent != home / "secrets" and file not in told + database]
    assert not {(str(file), found) for file in elsewhere for found in secrets.found_in(file.read_bytes(), kept=False)}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _is_open(path: Path) -> bool:
    """Whether others may read a file or a socket, or look into a folder."""
    status = path.lstat()
    return not stat.S_ISLNK(status.st_mode) and bool(status.st_mode & 0o077)
