"""What is wrong with a model server is told as SageMaker tells it, harms no other request, and passes by itself.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from parity_lab import SKLEARN, Lab, eventually

pytestmark = pytest.mark.slow("survival")

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=80)
"""Tries once, and waits longer than a container may take."""

HANDLER = """
    import os, secrets, signal, time
    from pathlib import Path

    ml = Path(os.environ["CLARY_ML_ROOT"])

    def model_fn(folder):
        while "GATE" in os.environ and not (ml / "go").exists():
            time.sleep(0.01)
        return secrets.token_hex(4)

    def input_fn(body, content_type):
        return body.decode() if isinstance(body, bytes) else body

    def predict_fn(text, model):
        word, _, number = text.partition(" ")
        if word == "pause":
            time.sleep(float(number))
        elif word == "memory":
            held = []
            while True:
                held.append(b"x" * (32 << 20))
                time.sleep(0.01)
        elif word == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif word == "raise":
            raise {"MemoryError": MemoryError, "SystemExit": SystemExit}[number]("raised")
        return f"{text} by {model}"

    def output_fn(prediction, accept):
        return prediction, "text/plain"
    """
"""Answers with what it got and a word of the server's own, or does what it is told."""

RAW = """
import os, secrets, socket, socketserver, time

PLAIN = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n"
HUGE = (64 << 20) + 1
ill = []
name = secrets.token_hex(4).encode()

def answer(status, body):
    return b"HTTP/1.1 %s\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (status, len(body), body)

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while (line := self.rfile.readline()):
            length = 0
            while (header := self.rfile.readline().strip()):
                name, _, value = header.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
            body = self.rfile.read(length)
            if line.startswith(b"GET /ping"):
                if ill == [b"silent"]:
                    time.sleep(600)
                self.wfile.write(answer(b"503 Service Unavailable" if ill else b"200 OK", b""))
            elif getattr(self, body.decode().replace(" ", "_"), self.fine)(body):
                return

    def fine(self, body):
        self.wfile.write(answer(b"200 OK", body))

    def status_204(self, body):
        self.wfile.write(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")

    def status_400(self, body):
        self.wfile.write(answer(b"400 Bad Request", b"your fault"))

    def status_500(self, body):
        self.wfile.write(answer(b"500 Internal Server Error", b"x" * 5000))

    def until_the_end(self, body):
        self.wfile.write(PLAIN + b"Connection: close\\r\\n\\r\\nread until the end")
        return True

    def in_chunks(self, body):
        self.wfile.write(PLAIN + b"Transfer-Encoding: chunked\\r\\n\\r\\n3\\r\\nabc\\r\\n3\\r\\ndef\\r\\n0\\r\\n\\r\\n")

    def nothing(self, body):
        return True

    def no_http(self, body):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\\r\\n")
        return True

    def less_than_said(self, body):
        self.wfile.write(PLAIN + b"Content-Length: 100\\r\\n\\r\\nshort")
        return True

    def more_than_said(self, body):
        self.wfile.write(PLAIN + b"Content-Length: 4\\r\\n\\r\\nlong and longer")

    def half_a_head(self, body):
        self.wfile.write(PLAIN)
        return True

    def broken_off(self, body):
        self.wfile.write(PLAIN + b"Transfer-Encoding: chunked\\r\\n\\r\\n6\\r\\nabc")
        return True

    def no_length(self, body):
        self.wfile.write(PLAIN + b"Content-Length: many\\r\\n\\r\\nbody")
        return True

    def error_broken_off(self, body):
        self.wfile.write(b"HTTP/1.1 500 Internal Server Error\\r\\nContent-Length: 100\\r\\n\\r\\nshort")
        return True

    def huge(self, body):
        try:
            self.wfile.write(PLAIN + b"Content-Length: %d\\r\\n\\r\\n" % HUGE)
            for _ in range(64):
                self.wfile.write(bytes(1 << 20))
            self.wfile.write(b"x")
        except OSError:
            return True

    def become_ill(self, body):
        ill.append(b"")
        self.fine(body)

    def become_silent(self, body):
        ill.append(b"silent")
        self.fine(body)

    def who(self, body):
        self.wfile.write(answer(b"200 OK", name))

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 128

Server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""
"""A server that speaks HTTP by itself, on the port that a container is told, as badly as it is asked to."""

INTO_RAW = """
    import os, pathlib, sys

    def model_fn(folder):
        os.execv(sys.executable, [sys.executable, str(pathlib.Path(__file__).with_name("raw.py"))])
    """


def model(lab: Lab, name: str, raw: bool = False, **environment: str) -> None:
    code = lab.script(INTO_RAW, **{"raw.py": RAW}) if raw else lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code, **environment}
    lab.model(name, None, SKLEARN, Environment=variables)


def create(lab: Lab, name: str, count: int = 1, **members: Any) -> None:
    """An endpoint of the model of that name, which may not be in service yet."""
    given = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    variant = {"VariantName": "v", "ModelName": name, **(members if "ServerlessConfig" in members else given | members)}
    lab.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def deploy(lab: Lab, name: str, count: int = 1, **members: Any) -> None:
    create(lab, name, count, **members)
    assert lab.endpoint_settled(name)["EndpointStatus"] == "InService"


def ask(lab: Lab, endpoint: str, body: str) -> bytes:
    """What the endpoint answers to a single request."""
    runtime = lab.server.client("sagemaker-runtime", config=ONCE)
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/plain", Body=body)
    return bytes(answer["Body"].read())


def refused(lab: Lab, endpoint: str, body: str) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        ask(lab, endpoint, body)
    return dict(caught.value.response)


def model_error(lab: Lab, endpoint: str, body: str, status: int, message: str) -> None:
    """The request is answered with ``ModelError`` and all of its members; ``message`` is an expression."""
    answer = refused(lab, endpoint, body)
    assert answer["Error"]["Code"] == "ModelError", answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status, answer
    assert re.fullmatch(message, answer["OriginalMessage"], re.DOTALL), answer["OriginalMessage"]
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    assert answer["LogStreamArn"].startswith(f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"), answer
    kind = "client" if 400 <= status < 500 else "server"
    assert answer["Error"]["Message"].startswith(f"Received {kind} error ({status}) from v "), answer
    assert group in answer["Error"]["Message"]


def gone(error: dict[str, Any]) -> bool:
    """Whether this is what is told of a server that broke off, or that is not there now."""
    code, status = error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]
    return (code, status, error.get("OriginalStatusCode")) in (
        ("ModelError", 424, 0),
        ("ServiceUnavailable", 503, None),
        ("ModelNotReadyException", 429, None),
    )


def answers(lab: Lab, endpoint: str, body: str = "back") -> bool:
    """Whether the endpoint answers; fails if it refuses with anything but that its server is gone."""
    try:
        return ask(lab, endpoint, body).startswith(body.encode())
    except ClientError as error:
        assert gone(error.response), error.response
        return False


class Load:
    """Threads that ask an endpoint all the time, each request once, and check every answer."""

    def __init__(self, lab: Lab, endpoint: str, threads: int = 2) -> None:
        self.answered: Counter[str] = Counter()
        """By the server that answered."""
        self.errors: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self._endpoint = endpoint
        self._over = threading.Event()
        self._runtime = lab.server.client("sagemaker-runtime", config=ONCE)
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def _run(self, thread: int) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            body = f"load-{thread}-{number}"
            try:
                answer = self._runtime.invoke_endpoint(EndpointName=self._endpoint, ContentType="text/plain", Body=body)
                text = answer["Body"].read().decode()
                echo, _, server = text.partition(" by ")
                if echo == body:
                    self.answered[server] += 1
                else:
                    self.wrong.append(text[:100])
            except ClientError as error:
                self.errors.append(dict(error.response))
            except BotoCoreError as error:
                self.wrong.append(repr(error))

    def goes_on(self) -> None:
        """Until it has been answered as many times again as it has threads."""
        wanted = self.answered.total() + 2 * len(self._threads)
        eventually(lambda: self.answered.total() >= wanted, "the load goes on")

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        eventually(lambda: self.answered.total() >= len(self._threads), "the load is answered")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def neighbour(lab: Lab) -> Any:
    """Another endpoint, which answers all the while: no fault of a server harms it."""
    model(lab, "neighbour")
    deploy(lab, "neighbour")
    with Load(lab, "neighbour", 1) as load:
        yield load
        load.goes_on()
    assert load.errors == [] and load.wrong == []


def job_of(lab: Lab, endpoint: str) -> Path:
    """The folder of the job of a server of the endpoint, once its process runs."""

    def look() -> Path | None:
        for file in lab.server.home.glob("jobs/Endpoint-*/process"):
            variables = json.loads((file.parent / "spec.json").read_text())["environment"]
            if variables["SAGEMAKER_ENDPOINT_NAME"] == endpoint:
                return file.parent
        return None

    return Path(eventually(look, f"a server of {endpoint} runs"))


@pytest.fixture
def raw(lab: Lab) -> str:
    """The name of an endpoint that answers as it is asked to."""
    model(lab, "raw", raw=True)
    deploy(lab, "raw")
    return "raw"


def test_a_server_that_is_killed_under_load(lab: Lab, neighbour: Load) -> None:
    model(lab, "killed")
    deploy(lab, "killed", 2)
    threads = 4
    with Load(lab, "killed", threads) as load:
        for _ in range(3):
            load.answered.clear()
            eventually(lambda: len(load.answered) == 2, "both instances answer")
            before = len(load.errors)
            process = int((job_of(lab, "killed") / "process").read_text().split()[0])
            os.killpg(process, signal.SIGKILL)
            load.goes_on()
            # What it was working on cannot be asked of another one: it may have been seen.
            assert len(load.errors) - before <= threads, load.errors[before:]
        load.answered.clear()
        eventually(lambda: len(load.answered) == 2, "both instances answer again")
    assert load.wrong == []
    assert all(gone(error) and error["Error"]["Code"] == "ModelError" for error in load.errors), load.errors


def test_the_only_server_is_killed(lab: Lab, neighbour: Load) -> None:
    model(lab, "only")
    deploy(lab, "only")
    os.killpg(int((job_of(lab, "only") / "process").read_text().split()[0]), signal.SIGKILL)
    answer = refused(lab, "only", "hello")
    assert gone(answer), answer
    eventually(lambda: answers(lab, "only"), "it answers again")
    assert lab.sagemaker.describe_endpoint(EndpointName="only")["EndpointStatus"] == "InService"
    assert "It is started again." in lab.log_of("v/", "/aws/sagemaker/Endpoints/only")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("status 204", b""),
        ("until the end", b"read until the end"),
        ("in chunks", b"abcdef"),
        ("more than said", b"long"),
    ],
)
def test_unusual_answers(lab: Lab, raw: str, body: str, answer: bytes) -> None:
    with Load(lab, raw) as load:
        assert [ask(lab, raw, body) for _ in range(3)] == [answer] * 3
        load.goes_on()
    assert load.errors == [] and load.wrong == []


NO_RESPONSE = r"Amazon SageMaker could not get a response from the endpoint\. .*"
NOT_WHOLE = r"could not load the entire response body: .*"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("status 400", 400, "your fault"),
        ("status 500", 500, "x+"),
        ("nothing", 0, NO_RESPONSE),
        ("no http", 0, NO_RESPONSE),
        ("half a head", 0, NO_RESPONSE),
        ("no length", 0, NO_RESPONSE),
        ("less than said", 0, NOT_WHOLE),
        ("broken off", 0, NOT_WHOLE),
        ("huge", 0, NOT_WHOLE),
        ("error broken off", 500, NOT_WHOLE),
    ],
)
def test_answers_that_are_none(lab: Lab, raw: str, body: str, status: int, message: str) -> None:
    server = ask(lab, raw, "who")
    with Load(lab, raw) as load:
        for _ in range(3):
            model_error(lab, raw, body, status, message)
        load.goes_on()
    # Others got their answers from the same server, over connections of their own.
    assert load.errors == [] and load.wrong == []
    assert ask(lab, raw, "who") == server


def test_a_server_that_is_slow_to_load(lab: Lab, neighbour: Load) -> None:
    model(lab, "slow", GATE="yes")
    create(lab, "slow")
    job = job_of(lab, "slow")
    for _ in range(3):
        neighbour.goes_on()
        answer = refused(lab, "slow", "hello")
        assert answer["Error"]["Code"] == "ValidationError"
        assert "Endpoint slow of account 123456789012 not found" in answer["Error"]["Message"]
        assert lab.sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == "Creating"
    (job / "ml" / "go").touch()
    assert lab.endpoint_settled("slow")["EndpointStatus"] == "InService"
    assert ask(lab, "slow", "hello").startswith(b"hello by ")


def test_a_server_that_uses_too_much_memory(lab: Lab, neighbour: Load) -> None:
    model(lab, "memory")
    deploy(lab, "memory", ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 5})
    assert ask(lab, "memory", "hello").startswith(b"hello by ")
    model_error(lab, "memory", "memory", 0, NO_RESPONSE)
    # Until it has been started again.
    answer = refused(lab, "memory", "hello")
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelNotReadyException", 429)
    eventually(lambda: answers(lab, "memory"), "it answers again")
    log = lab.log_of("v/", "/aws/sagemaker/Endpoints/memory")
    assert re.search("more memory than the 1024 MiB|and may use 1024 MiB", log), log


@pytest.mark.parametrize("error", ["MemoryError", "SystemExit"])
def test_code_that_raises_what_ends_a_process(lab: Lab, error: str) -> None:
    model(lab, "raises")
    deploy(lab, "raises")
    with Load(lab, "raises") as load:
        for _ in range(3):
            model_error(lab, "raises", f"raise {error}", 500, "raised")
        load.goes_on()
    assert load.errors == [] and load.wrong == []
    assert len(load.answered) == 1, "the server was started again"


def test_predictions_that_hang(lab: Lab, neighbour: Load) -> None:
    """As many as it works on at once: the server's own limit ends each, and the server goes on."""
    model(lab, "hangs", SAGEMAKER_MODEL_SERVER_TIMEOUT="2", SAGEMAKER_MODEL_SERVER_WORKERS="2")
    deploy(lab, "hangs")
    callers = [
        threading.Thread(target=model_error, args=(lab, "hangs", "pause 600", 504, ".*did not answer within 2 seconds"))
        for _ in range(2)
    ]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    eventually(lambda: answers(lab, "hangs"), "it answers again")


def test_what_is_under_way_is_finished_where_instances_go(lab: Lab) -> None:
    model(lab, "leaving")
    deploy(lab, "leaving", 2)
    outcomes: list[bytes] = []
    callers = [threading.Thread(target=lambda: outcomes.append(ask(lab, "leaving", "pause 10"))) for _ in range(4)]
    with Load(lab, "leaving", 1) as load:
        eventually(lambda: len(load.answered) == 2, "both instances answer")
        for each in callers:
            each.start()
        load.goes_on()
        lab.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="leaving", DesiredWeightsAndCapacities=[{"VariantName": "v", "DesiredInstanceCount": 1}]
        )
        assert lab.endpoint_settled("leaving")["EndpointStatus"] == "InService"
        for each in callers:
            each.join()
        eventually(lambda: len(list(lab.server.home.glob("jobs/Endpoint-*/lock"))) == 1, "the other has ended")
    assert load.errors == [] and load.wrong == []
    assert len(outcomes) == 4 and len(set(outcomes)) == 2


# -- as long as SageMaker's limits are -------------------------------------------------------------------------------


@pytest.mark.slow("load")
def test_a_server_that_does_not_answer_within_a_minute(lab: Lab, neighbour: Load) -> None:
    model(lab, "silent", SAGEMAKER_MODEL_SERVER_TIMEOUT="600", SAGEMAKER_MODEL_SERVER_WORKERS="4")
    deploy(lab, "silent")
    message = r"Your invocation timed out while waiting for a response from container v\. Review the latency metrics .*"
    with Load(lab, "silent") as load:
        model_error(lab, "silent", "pause 70", 0, message)
        load.goes_on()
    assert load.errors == [] and load.wrong == []


@pytest.mark.slow("load")
def test_a_server_that_hangs_as_a_whole(lab: Lab, neighbour: Load) -> None:
    """Its process is stopped: it neither answers nor ends when it is told to."""
    model(lab, "hung")
    deploy(lab, "hung", 2)
    threads = 4
    with Load(lab, "hung", threads) as load:
        eventually(lambda: len(load.answered) == 2, "both instances answer")
        stopping = threading.Thread(target=model_error, args=(lab, "hung", "stop", 0, ".+"))
        stopping.start()
        log = ("v/", "/aws/sagemaker/Endpoints/hung")
        while "It is started again." not in lab.log_of(*log):
            load.goes_on()
        load.answered.clear()
        eventually(lambda: len(load.answered) == 2, "two instances answer")
        stopping.join()
    assert load.wrong == []
    assert all(gone(error) and error["Error"]["Code"] == "ModelError" for error in load.errors), load.errors
    assert len(load.errors) <= 2 * threads, load.errors


@pytest.mark.slow("load")
@pytest.mark.parametrize("how", ["ill", "silent"])
def test_a_server_whose_health_check_turns_bad(lab: Lab, neighbour: Load, how: str) -> None:
    model(lab, "raw", raw=True)
    deploy(lab, "raw", 2)
    with Load(lab, "raw") as load:
        servers = set()
        eventually(lambda: servers.add(ask(lab, "raw", "who")) or len(servers) == 2, "both instances answer")
        ask(lab, "raw", f"become {how}")
        log = ("v/", "/aws/sagemaker/Endpoints/raw")
        again = "The server does not answer /ping any more. It is started again."
        eventually(lambda: again in lab.log_of(*log), "the health check ends it")
        eventually(lambda: ask(lab, "raw", "who") not in servers, "a new one answers")
        eventually(lambda: ask(lab, "raw", "who") in servers, "the other one answers")
        load.goes_on()
    assert load.errors == [] and load.wrong == []


@pytest.mark.slow("load")
def test_a_server_that_takes_too_long_to_load(lab: Lab, neighbour: Load) -> None:
    model(lab, "late", GATE="yes")
    create(lab, "late", ContainerStartupHealthCheckTimeoutInSeconds=60)
    endpoint = lab.endpoint_settled("late")
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"].startswith(
        "The primary container for production variant v did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    assert "did not answer /ping within 60 seconds" in lab.log_of("v/", "/aws/sagemaker/Endpoints/late")
    answer = refused(lab, "late", "hello")
    assert answer["Error"]["Code"] == "ValidationError"
    lab.sagemaker.delete_endpoint(EndpointName="late")
