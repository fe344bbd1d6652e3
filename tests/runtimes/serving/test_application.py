"""The model server's contract: loading, limits, and an event loop that never waits."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.serving import frames

SLOW = """
import os, time
HERE = os.path.dirname(__file__)
def wait_for(name):
    while not os.path.exists(os.path.join(HERE, name)):
        time.sleep(0.01)
def model_fn(model_dir):
    wait_for("load")
def transform_fn(model, body, content_type, accept):
    if body == b"wait":
        open(os.path.join(HERE, "waiting"), "w").close()
        wait_for("answer")
    return body
"""


def _start(sklearn: Any, ml_root: Path, serve: Any, **extra: str) -> tuple[Any, Path]:
    code = ml_root / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(SLOW)
    return serve(sklearn, ml_root, **extra), code


def test_ping_says_503_while_the_model_loads(sklearn: Any, ml_root: Path, serve: Any) -> None:
    server, code = _start(sklearn, ml_root, serve)
    server.wait(503)
    assert server.invoke("x", "text/plain").status == 503
    (code / "load").touch()
    server.wait(200)
    assert server.invoke("x", "text/plain").body == b"x"
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600


def test_a_slow_prediction_holds_nobody_up(sklearn: Any, ml_root: Path, serve: Any) -> None:
    server, code = _start(sklearn, ml_root, serve, SAGEMAKER_MODEL_SERVER_WORKERS="2")
    (code / "load").touch()
    server.wait()
    answers: list[Any] = []
    slow = threading.Thread(target=lambda: answers.append(server.invoke("wait", "text/plain")))
    slow.start()
    while not (code / "waiting").exists():
        pass
    assert server.ping() == 200
    assert server.invoke("quick", "text/plain").body == b"quick"
    (code / "answer").touch()
    slow.join(30)
    assert answers[0].body == b"wait"


def test_time_limit(sklearn: Any, ml_root: Path, serve: Any) -> None:
    server, code = _start(sklearn, ml_root, serve, SAGEMAKER_MODEL_SERVER_TIMEOUT="0.2")
    (code / "load").touch()
    server.wait()
    answer = server.invoke("wait", "text/plain")
    assert (answer.status, answer.body) == (504, b"The model did not answer within 0.2 seconds")
    (code / "answer").touch()
    assert server.invoke("x", "text/plain").status == 200


def test_body_limit(sklearn: Any, ml_root: Path, serve: Any) -> None:
    server, code = _start(sklearn, ml_root, serve, MAX_CONTENT_LENGTH="1000000")
    (code / "load").touch()
    server.wait()
    body = os.urandom(1_000_000)
    assert server.invoke(body, "application/octet-stream").body == body
    assert server.invoke(body + b"x", "application/octet-stream").status == 413


BATCHES = """
import os, numpy, time
HERE = os.path.dirname(__file__)
def model_fn(model_dir):
    return None
def input_fn(body, content_type):
    if content_type == "text/csv":
        return numpy.array([[float(cell) for cell in line.split(",")] for line in body.split()])
    import pandas
    return pandas.DataFrame({"a": [float(cell) for cell in body.decode().split()]})
def predict_fn(rows, model):
    with open(os.path.join(HERE, "sizes"), "a") as sizes:
        sizes.write(f"{len(rows)}\\n")
    while not os.path.exists(os.path.join(HERE, "go")):
        time.sleep(0.01)
    return rows.sum(axis=1)
def output_fn(sums, accept):
    return " ".join(f"{value:g}" for value in sums)
"""


def test_requests_that_wait_for_the_model_share_a_prediction(sklearn: Any, ml_root: Path, serve: Any) -> None:
    code = ml_root / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(BATCHES)
    server = serve(sklearn, ml_root, SAGEMAKER_TS_BATCH_SIZE="16", SAGEMAKER_MODEL_SERVER_WORKERS="1")
    server.wait()
    with server.frames() as connection:
        connection.ask((0, b"text/csv", b"0,0"))
        while not (code / "sizes").exists():
            pass
        connection.ask(
            (1, b"text/csv", b"1,2"),
            (2, b"text/csv", b"3,4\n5,6"),
            (3, b"text/csv", b"7"),
            (4, b"text/plain", b"1 2 3"),
            (5, b"text/plain", b"4"),
        )
        assert (server.ping(), server.ping()) == (200, 200)  # by now the server has read what was sent before
        (code / "go").touch()
        bodies = [connection.answer(number)[2] for number in range(6)]
    assert bodies == [b"0", b"3", b"7 11", b"7", b"1 2 3", b"4"]
    # One request alone; then two columns, one column, and the data frames, each predicted at once.
    sizes = [int(line) for line in (code / "sizes").read_text().split()]
    assert sizes[0] == 1 and sorted(sizes[1:]) == [1, 3, 4]


def test_frames_and_http_answer_the_same(sklearn: Any, ml_root: Path, serve: Any) -> None:
    code = ml_root / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(
        "def model_fn(folder): return None\n"
        "def transform_fn(model, body, content_type, accept):\n"
        "    if body == b'pieces': return iter([b'a', b'b']), 'text/x'\n"
        "    if body == b'bad': raise ValueError('bad')\n"
        "    return body, 'text/x'\n"
    )
    server = serve(sklearn, ml_root, MAX_CONTENT_LENGTH="100000").wait()
    with server.frames() as connection:
        for number, body in enumerate((b"", b"x", b"\0" * 100_000, b"pieces", b"bad", b"y" * 100_001)):
            connection.ask((number, b"application/octet-stream", body))
            http = server.invoke(body, "application/octet-stream")
            status, kind, answer = connection.answer(number)
            assert (status, kind.decode(), answer) == (http.status, http.content_type, http.body)


@pytest.mark.parametrize("sent", [b"\0\0\0\1x", b"\xff\xff\xff\xff" + b"x" * 100, b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_frame_ends_its_connection_and_no_other(
    sklearn: Any, ml_root: Path, serve: Any, sent: bytes
) -> None:
    server, code = _start(sklearn, ml_root, serve)
    (code / "load").touch()
    server.wait()
    with server.frames() as good, socket.socket(socket.AF_UNIX) as bad:
        bad.settimeout(30)
        bad.connect(str(server.socket))
        bad.sendall(frames.PREFACE + sent)
        assert bad.recv(100) == b""
        good.ask((1, b"text/plain", b"here"))
        assert good.answer(1)[2] == b"here"


def test_a_tcp_port(sklearn: Any, ml_root: Path) -> None:
    import http.client
    import subprocess
    import time

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = ml_root / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text("def model_fn(d): pass\ndef transform_fn(m, b, c, a): return b\n")
    process = subprocess.Popen(
        [sklearn.python, "-m", "clary_runtimes.serve"],
        env=sklearn.variables(ml_root, SAGEMAKER_BIND_TO_PORT=str(port)),
    )
    try:
        deadline = time.monotonic() + 60
        status = 0
        while status != 200 and time.monotonic() < deadline:
            assert process.poll() is None
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/ping")
                status = connection.getresponse().status
            except ConnectionError:
                time.sleep(0.02)
            finally:
                connection.close()
        assert status == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0
