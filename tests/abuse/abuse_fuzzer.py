"""The request of a number: an operation of every service in its turn, S3, invocations, Studio, and spoilt bytes."""

from __future__ import annotations

import io
import json
import re
import tarfile
from random import Random
from typing import Any
from urllib.parse import quote

from abuse_requests import Call, Keys, call_of, spoil_bytes
from abuse_values import (
    HEADERS,
    ODD,
    S3_HEADERS,
    S3_QUERIES,
    S3_VALUES,
    Known,
    Unfit,
    Values,
)
from abuse_wire import Line

from clary.cli.installation import EXECUTION_ROLE, Installation
from clary.core.settings import load
from clary.services.catalog import services
from clary.testing.server import Server
from clary.wire.catalog import service as model_of

ENDPOINT = "protected-endpoint"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
INFERENCE = b"""
def model_fn(folder):
    return None
def input_fn(body, content_type):
    return body
def predict_fn(body, model):
    return len(body)
def output_fn(size, accept):
    return str(size), accept
"""

POLICIES = {
    "admin": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    "reader": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Action":["sagemaker:List*","sagemaker:Describe*",'
    '"s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:*:*:*:*fuzz*"}]}',
}


class Fuzzer:
    """Makes the request of a number, the same for the same seed but for the names that the server has told."""

    def __init__(self, server: Server, seed: str) -> None:
        self.server, self.seed = server, seed
        self.known = Known(("administrator", "protected-", EXECUTION_ROLE, "AmazonSageMaker"))
        self.operations = [
            (model_of(name), operation)
            for name, app in sorted(services().items())
            for operation in sorted(app.operations)
            if operation in model_of(name).description["operations"]
        ]
        s3 = model_of("s3")
        self.s3 = [(s3, operation) for operation in sorted(s3.operation_names) if operation != "WriteGetObjectResponse"]
        runtime = model_of("sagemaker-runtime")
        self.runtime = [(runtime, operation) for operation in ("InvokeEndpoint", "InvokeEndpointWithResponseStream")]
        self.keys: list[Keys] = []
        self.cookie = ""

    def prepare(self) -> None:
        """Who asks, and something that requests can be about."""
        iam, s3 = self.server.client("iam"), self.server.client("s3")
        self.keys = []
        for name, policy in POLICIES.items():
            user = f"protected-{name}"
            iam.create_user(UserName=user)
            iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=policy)
            made = iam.create_access_key(UserName=user)["AccessKey"]
            self.keys.append(Keys(made["AccessKeyId"], made["SecretAccessKey"]))
        # Else a request would end the key that the next ones are signed with.
        self.known.protected += tuple(each.access for each in self.keys)
        temporary = self.server.session(EXECUTION_ROLE).get_credentials()
        self.keys.append(Keys(temporary.access_key, temporary.secret_key, temporary.token))
        s3.create_bucket(Bucket="fuzz")
        s3.put_object(Bucket="fuzz", Key="data", Body=b"1,2\n3,4\n")
        self._deploy()
        ticket = Installation(load(self.server.home)).studio_link().partition("#ticket=")[2]
        line = Line(self.server.url)
        call = Call(path="/_clary/studio/sign-in/link", body=json.dumps({"ticket": ticket}).encode())
        answer = line.ask(call.raw({"host": line.host, "x-clary-studio": "1"}))
        line.close()
        assert answer.status == 204, answer
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def _deploy(self) -> None:
        """A small endpoint that really answers."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            member = tarfile.TarInfo("code/inference.py")
            member.size = len(INFERENCE)
            archive.addfile(member, io.BytesIO(INFERENCE))
        self.server.client("s3").put_object(Bucket="fuzz", Key="protected-model.tar.gz", Body=packed.getvalue())
        sagemaker = self.server.client("sagemaker")
        variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        container = {"Image": IMAGE, "ModelDataUrl": "s3://fuzz/protected-model.tar.gz", "Environment": variables}
        sagemaker.create_model(ModelName=ENDPOINT, ExecutionRoleArn=self.server.role_arn, PrimaryContainer=container)
        variant = {
            "VariantName": "all",
            "ModelName": ENDPOINT,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=ENDPOINT, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=ENDPOINT)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT, WaiterConfig={"Delay": 1})

    def request(self, number: int, host: str) -> tuple[bytes, Call]:
        """The request of that number, and what it was before it was signed."""
        random = Random(f"{self.seed}/{number}")
        keys = random.choices(self.keys, (8, 1, 1))[0]
        kind = random.random()
        if kind < 0.68:
            # Each operation in its turn, so that none is left out.
            call = self._operation(*self.operations[number % len(self.operations)], random)
        elif kind < 0.86:
            call = self._s3(random)
        elif kind < 0.89:
            call = self._operation(*random.choice(self.runtime), random)
            if random.random() < 0.8:
                # What names other endpoints or parts of one is refused; most of it shall reach the model.
                call.path = re.sub(r"^/endpoints/[^/]*", f"/endpoints/{ENDPOINT}", call.path)
                call.headers = {name: value for name, value in call.headers.items() if "target" not in name.lower()}
                call.headers.pop("X-Amzn-SageMaker-Inference-Component", None)
                call.headers.pop("X-Amzn-SageMaker-Session-Id", None)
        elif kind < 0.94:
            return self._studio(random, host)
        else:
            return self._raw(random, host, keys)
        if random.random() < 0.06:
            call.body = spoil_bytes(call.body, random)
        if random.random() < 0.03:
            call.headers[random.choice(HEADERS)] = str(random.choice(ODD))[:3000]
        if random.random() < 0.02:
            call.method = random.choice(("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST"))
        if random.random() < 0.02:
            call.service = random.choice(("s3", "sts", "iam", "sagemaker", "nope", "logs"))
        return call.signed(host, keys), call

    def _operation(self, service: Any, name: str, random: Random) -> Call:
        operation = service.operation(name)
        values = Values(service.name, self.known, random)
        try:
            value = values.of(operation.input_shape) if operation.input_shape is not None else {}
        except Unfit:
            value = {}
        for _ in range(random.choice((0, 0, 0, 1, 1, 1, 2, 4))):
            value = values.spoil(value)
        if isinstance(value, dict) and isinstance(value.get("WaitTimeSeconds"), int):
            value["WaitTimeSeconds"] = min(value["WaitTimeSeconds"], 1)
        return call_of(service, operation, value, random)

    def _s3(self, random: Random) -> Call:
        call = self._operation(*random.choice(self.s3), random)
        if random.random() < 0.5:
            call.path = re.sub(r"^/[^/]*", "/fuzz", call.path)
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            name = random.choice(S3_QUERIES)
            value = quote(str(random.choice(ODD)).encode("utf-8", "replace")[:2000], safe="")
            call.query += f"{'&' if call.query else ''}{name}" + (f"={value}" if random.random() < 0.7 else "")
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            call.headers[random.choice(S3_HEADERS)] = str(random.choice((*ODD, *S3_VALUES)))[:3000]
        return call

    def _studio(self, random: Random, host: str) -> tuple[bytes, Call]:
        if random.random() < 0.6:
            service, name = random.choice(self.operations)
            made = self._operation(service, name, random)
            call = Call(path=f"/_clary/studio/call/{service.name}/{name}", body=made.body, name=f"studio {made.name}")
        else:
            words = random.choices(
                (
                    "_clary",
                    "studio",
                    "call",
                    "s3",
                    "invoke",
                    "session",
                    "sign-in",
                    "link",
                    "model",
                    "health",
                    "credentials",
                    "reset",
                    "objects",
                    "sagemaker",
                    "..",
                    "%2e%2e",
                    "",
                    "fuzz",
                    "data",
                    "%00",
                    "%ff",
                    "assets",
                    "index.html",
                    "sign-in",
                    "prices",
                    "algorithms",
                    "role-manager",
                    "policies",
                ),
                k=random.randrange(1, 6),
            )
            start = random.choice(("/_clary/studio/", "/_clary/", "/studio/", "/"))
            method = random.choice(("GET", "GET", "POST", "PUT", "DELETE", "HEAD"))
            call = Call(method, start + "/".join(words), name="studio")
            if method in ("POST", "PUT"):
                call.body = spoil_bytes(b'{"UserName": "a", "Password": "b", "ticket": "c"}', random)
        if "/reset" in call.path or "/sign-out" in call.path or ("/sign-in" in call.path and random.random() < 0.9):
            call.path = "/_clary/studio/session"
        headers = {"host": host, "x-clary-studio": "1", "cookie": self.cookie, "content-type": "application/json"}
        if random.random() < 0.1:
            value = str(random.choice(ODD))[:2000].encode("utf-8", "replace").decode("latin-1")
            headers[random.choice((*headers, "x-clary-region", "origin", "sec-fetch-site", "range"))] = re.sub(
                r"[\r\n\0]", " ", value
            )
        return call.raw(headers), call

    def _raw(self, random: Random, host: str, keys: Keys) -> tuple[bytes, Call]:
        """A request that is signed and then spoilt as bytes."""
        call = self._operation(*random.choice((*self.s3, *self.operations)), random)
        raw = call.signed(host, keys)
        head, _, body = raw.partition(b"\r\n\r\n")
        place = random.randrange(len(head))
        way = random.randrange(8)
        call.name = f"raw {way} {call.name}"
        if way == 0:
            head = (
                head[:place] + random.choice((b"\0", b"\n", b"\r", b"\xff", b" ", b":", b"\r\n", b"%")) + head[place:]
            )
        elif way == 1:
            head = head[:place] + head[place + random.choice((1, 2, 5, 50)) :]
        elif way == 2:
            head += random.choice(
                (
                    b"\r\ncontent-length: 5",
                    b"\r\ntransfer-encoding: chunked",
                    b"\r\ntransfer-encoding: gzip",
                    b"\r\nhost: b",
                    b"\r\nexpect: 100-continue",
                    b"\r\nupgrade: websocket\r\nconnection: upgrade",
                    b"\r\nupgrade: h2c",
                    b"\r\ncontent-encoding: gzip",
                    b"\r\nrange: bytes=0-0,-1",
                    b"\r\n folded: 1",
                    b"\r\nconnection: close",
                )
            )
        elif way == 3:
            head = head.replace(b"HTTP/1.1", random.choice((b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9", b"HTTP", b"")), 1)
        elif way == 4:
            head = re.sub(
                rb"^\S+ \S*",
                random.choice(
                    (
                        b"GET *",
                        b"OPTIONS *",
                        b"CONNECT a:1",
                        b"GET http://evil/x",
                        b"GET //evil/x",
                        b"GET /%zz",
                        b"GET /%00",
                        b"GET /\xff",
                        b"PRI *",
                        b"GET ?",
                        b"GET /?%ff=%00&&=&a",
                        b"GET /a/../../b",
                        b"GET /#x",
                        b"GET http://[",
                        b"POST /%2e%2e/",
                    )
                ),
                head,
                count=1,
            )
        elif way == 5:
            head = re.sub(
                rb"content-length: \d+",
                random.choice(
                    (
                        b"content-length: -1",
                        b"content-length: 1e3",
                        b"content-length: 0x10",
                        b"content-length: 99999999999999999999",
                        b"content-length: 0",
                    )
                ),
                head,
            )
        elif way == 6:
            head = re.sub(
                rb"(?i)authorization: .*",
                lambda found: spoil_bytes(found.group(), random).replace(b"\r\n", b" "),
                head,
                count=1,
            )
        else:
            return random.randbytes(random.choice((1, 20, 3000))), call
        return head + b"\r\n\r\n" + body, call
