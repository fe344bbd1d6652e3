"""An environment's parts by themselves; tests/compute runs the whole of it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clary_runtimes.functions import frames, handler, variables
from clary_runtimes.functions.context import LambdaContext
from clary_runtimes.functions.invocation import Answer, Invocations
from clary_runtimes.functions.process import Function


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for each in (reader, writer):
        os.close(each)


def test_frames_arrive_whole_and_in_order(pipe: tuple[int, int]) -> None:
    large = os.urandom(300_000)

    def write() -> None:
        frames.write(pipe[1], frames.EVENT, b"head", large)
        frames.write(pipe[1], frames.READY)

    writing = threading.Thread(target=write)
    writing.start()
    reader, found = frames.Reader(pipe[0]), []
    while len(found) < 2:
        frame = reader.whole() or reader.take()
        found += [frame] if frame is not None else []
    writing.join()
    assert found == [(frames.EVENT, [b"head", large]), (frames.READY, [])]
    assert not reader.ended


def test_answers_are_json_with_decimals() -> None:
    assert (
        handler._marshalled({"a": Decimal("1.5"), "b": Decimal(2), "ü": None})
        == '{"a": 1.5, "b": 2, "ü": null}'.encode()
    )
    with pytest.raises(handler.Fault, match="Object of type set is not JSON serializable") as raised:
        handler._marshalled({1, 2})
    assert raised.value.kind == "Runtime.MarshalError"


def test_the_context_counts_down() -> None:
    context = LambdaContext(
        "r", "arn", int((time.time() + 5) * 1000), {"custom": {"a": 1}, "client": {"app_title": "x"}}
    )
    assert 4_000 < context.get_remaining_time_in_millis() <= 5_000
    assert context.client_context is not None and context.client_context.custom == {"a": 1}
    assert context.client_context.client.app_title == "x"
    assert LambdaContext("r", "arn", 0, None).get_remaining_time_in_millis() == 0


class _Credentials(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "ticket"
        told = json.dumps({"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T"}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_function_has_its_own_variables_and_its_roles_credentials() -> None:
    with HTTPServer(("127.0.0.1", 0), _Credentials) as server:
        threading.Thread(target=server.handle_request).start()
        environ = {
            "PATH": "/bin",
            "CLARY_SERVE_SOCKET": "/x",
            "PIP_PREFIX": "/x",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "ticket",
            "CLARY_FUNCTION_VARIABLES": '{"SAGEMAKER_X": "y", "PATH": "/mine"}',
        }
        keys = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T"}
        assert variables.of_function(environ) == {"PATH": "/mine", "SAGEMAKER_X": "y", **keys}
    assert variables.credentials({}) == {}


@pytest.fixture
def invoke(tmp_path: Path) -> Iterator[Callable[..., Answer]]:
    """Invokes a function with this code; its process is that of an environment."""
    started: list[Function] = []

    def invoke(code: str, event: object = None, timeout: float = 20.0) -> Answer:
        (tmp_path / "app.py").write_text(code)
        environ = {"_HANDLER": "app.handler", "PATH": os.environ["PATH"]}

        def start(log: Callable[[bytes], None]) -> Function:
            started.append(Function(handler.run, environ, str(tmp_path), log))
            return started[-1]

        return Invocations(start, timeout, 128).invoke("r-1", "arn", "", json.dumps(event).encode())

    yield invoke
    for function in started:
        # It is a copy of this process, and would hold open what the tests have open: the lifeline of a server, say.
        function.kill()


def test_an_answer_comes_with_the_end_of_the_log(invoke: Callable[..., Answer]) -> None:
    answer = invoke("def handler(event, context):\n    print('x' * 9000)\n    return event", {"a": 1})
    assert (json.loads(answer.body), answer.error, answer.spent) == ({"a": 1}, False, False)
    assert len(answer.log) == 4096 and answer.log.decode().splitlines()[-2] == "END RequestId: r-1"


def test_what_is_printed_without_a_line_end_does_not_swallow_the_report(invoke: Callable[..., Answer]) -> None:
    answer = invoke("def handler(event, context):\n    print('x', end='')")
    assert answer.log.decode().splitlines()[1:3] == ["x", "END RequestId: r-1"]


def test_a_start_that_takes_too_long_is_ended(invoke: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary_runtimes.functions.invocation.INIT_SECONDS", 0.0)
    answer = invoke("import time\ntime.sleep(60)", timeout=0.5)
    assert answer.spent and json.loads(answer.body)["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("import os\nos._exit(4)", "exit status 4"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "signal: SIGTERM"),
        ("def handler(event, context):\n    raise SystemExit(5)", "exit status 5"),
        (
            "import os, subprocess\ndef handler(event, context):\n"
            "    subprocess.Popen(['sleep', '5'], close_fds=False)\n    os._exit(6)",
            "exit status 6",
        ),
    ],
    ids=["start", "signal", "exit", "child-left"],
)
def test_a_process_that_ends(invoke: Callable[..., Answer], code: str, how: str) -> None:
    answer = invoke(code)
    told = json.loads(answer.body)
    assert told == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: r-1 Error: Runtime exited with error: {how}",
    }
    assert answer.spent and answer.error
