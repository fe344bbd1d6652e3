"""The jobs of the contracts, and what is looked at of them."""

from __future__ import annotations

import os
import textwrap
import uuid
from typing import Any, Protocol

from clary.compute.placement.base import Observation, Placement
from clary.compute.spec import ImageSpec, JobSpec, Limits
from clary.testing.contracts.waiting import wait_for, wait_for_end

SERVER = """
import http.server, os, socket, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "client"
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"ok")
class Unix(socketserver.ThreadingUnixStreamServer): pass
if sys.argv[1] == "unix":
    server = Unix(os.environ["CLARY_SERVE_SOCKET"], Handler)
else:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler)
print("server process", os.getpid(), flush=True)
server.serve_forever()
"""


class Store(Protocol):
    """The S3 endpoint of a suite."""

    url: str
    ticket: str

    def put(self, bucket: str, key: str, data: bytes) -> None: ...
    def get(self, bucket: str, key: str) -> bytes: ...
    def keys(self, bucket: str) -> list[str]: ...


class Jobs:
    """Launches jobs of one combination."""

    def __init__(self, placement: Placement, isolation: str, image: ImageSpec, store: Store) -> None:
        self.placement = placement
        self.isolation = isolation
        self.image = image
        self.store = store

    def python(self, code: str, *words: str, **fields: Any) -> JobSpec:
        """A job that runs Python code."""
        fields.setdefault("id", f"job-{uuid.uuid4().hex[:12]}")
        fields.setdefault("limits", Limits(grace_s=10, retry_s=10))
        command = ["python3", "-c", textwrap.dedent(code), *words]
        return JobSpec(
            image=self.image,
            command=command,
            isolation=self.isolation,
            endpoint_url=self.store.url,
            role_arn="arn:aws:iam::123456789012:role/TestRole",
            **fields,
        )

    def run(self, code: str, *words: str, **fields: Any) -> Observation:
        """Run Python code to its end."""
        spec = self.python(code, *words, **fields)
        self.placement.launch(spec, self.store.ticket)
        return wait_for_end(self.placement, spec.id)

    def start(self, spec: JobSpec) -> JobSpec:
        """Launch a job and return it."""
        self.placement.launch(spec, self.store.ticket)
        return spec

    def says(self, id: str, text: str) -> None:
        """Wait until the job's log holds ``text``."""
        log = self.placement.log(id)
        wait_for(lambda: log.exists() and text in log.read_text("utf-8"), what=f"{text!r} in the log")


def names(seen: Observation) -> list[str]:
    """The names of the events."""
    return [str(each["event"]) for each in seen.events]


def end(seen: Observation) -> Any:
    """The last event."""
    assert seen.terminal is not None
    return seen.terminal


def alive(process: int) -> bool:
    """Whether the process runs: neither gone nor ended and not waited for."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def commands_with(text: str) -> list[int]:
    """Pids of running processes with ``text`` in their command."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:  # noqa: PTH123
                    if text.encode() in file.read():
                        found.append(int(name))
            except OSError:
                continue  # it ended
    return found


def ask(address: str, path: str = "/ping") -> int:
    """The status that a server answers with."""
    from clary.compute.agent.http import Connection

    connection = Connection(address if address.startswith("unix:") else f"http://{address[4:]}", 5)
    try:
        answer = connection.request("GET", path, {"connection": "close"})
        answer.read()
        return answer.status
    finally:
        connection.close()
