"""What the tests of batch transform share: a model server of the standard library, and short ways to drive it."""

from __future__ import annotations

from typing import Any

from clary.compute.placement.base import Observation
from clary.compute.spec import Input, JobSpec, Transform
from clary.testing.contracts.jobs import Jobs
from clary.testing.contracts.waiting import log_text, wait_for_end

MODEL = """
import http.server, json, os, socketserver, threading, time

PARAMETERS, ADDED = os.environ.get("PARAMETERS", ""), os.environ.get("ADDED", "!")
lock, met, under_way, seen = threading.Lock(), threading.Event(), 0, {}

def say(*words):
    print(*words, flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self): return "client"
    def log_message(self, *args): pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if kind := os.environ.get("KIND"):
            self.send_header("content-type", kind)
        self.end_headers()
        if body:  # who pings may be gone by now
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/execution-parameters":
            self.answer(200 if PARAMETERS else 404, PARAMETERS.encode())
        else:
            self.answer(200)

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers["content-length"]))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        say("chunks", len(pieces))
        return b"".join(pieces)

    def do_POST(self):
        global under_way
        text = self.body().decode()
        with lock:
            under_way += 1
            seen[text] = seen.get(text, 0) + 1
            types = [self.headers.get("content-type"), self.headers.get("accept")]
            say("call", under_way, seen[text], *types, len(text), repr(text[:20]))
            if under_way == 3:
                met.set()
        if "meet" in text:
            met.wait(20)
        if "late" in text:
            time.sleep(60)
        if "bad" in text:
            self.answer(400, b"this is bad\\nvery bad")
        elif "broken" in text or ("flaky" in text and seen[text] < 3):
            self.answer(500, b"broken")
        elif "die" in text:
            say("Traceback (most recent call last):\\n  frame\\nValueError: dead")
            os._exit(3)
        else:
            if "first" in text:
                time.sleep(0.3)  # overtaken by those after it
            self.answer(200, "\\n".join(line + ADDED for line in text.splitlines()).encode())
        with lock:
            under_way -= 1

class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

Unix(os.environ["CLARY_SERVE_SOCKET"], Handler).serve_forever()
"""
"""A model that adds ``ADDED`` to each line, unless the line says that something is to go wrong."""


def spec(jobs: Jobs, fields: dict[str, Any] | None = None, **transform: Any) -> JobSpec:
    """A transform of what is below ``in/`` to what is below ``out``; lines, unless told otherwise."""
    source = transform.pop("source", Input("transform", "s3://bucket/in/", sharded=True))
    given = {"split": "Line", "assemble_lines": True, "max_concurrent": 1, "max_payload_mb": 6, "retries": 0}
    asked = Transform(source, "s3://bucket/out", **{**given, **transform})
    return jobs.python(MODEL, kind="server", transform=asked, **(fields or {}))


def transform(jobs: Jobs, fields: dict[str, Any] | None = None, **more: Any) -> Observation:
    started = jobs.start(spec(jobs, fields, **more))
    return wait_for_end(jobs.placement, started.id)


def calls(jobs: Jobs, id: str) -> list[list[str]]:
    return [line.split()[1:] for line in log_text(jobs.placement, id).splitlines() if line.startswith("call ")]


def data_log(jobs: Jobs, id: str) -> str:
    text = jobs.placement.log(id).with_name("data-log").read_text()
    return "\n".join(line.partition(":[sagemaker logs]: ")[2] for line in text.splitlines())


def output(store: Any, name: str) -> str:
    return str(store.get("bucket", f"out/{name}.out").decode())


def outputs(store: Any) -> list[str]:
    return [key for key in store.keys("bucket") if key.startswith("out/")]
