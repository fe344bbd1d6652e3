"""The model server's contract: loading, limits, and an event loop that never waits."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

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


def test_a_tcp_port(sklearn: Any, ml_root: Path) -> None:
    import http.client
    import socket
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
