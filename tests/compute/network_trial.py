"""Run in a network that has nothing but its loopback: other machines are made there, and a job looks what it reaches.

Arguments: the home folder, and ``outside`` or ``alone``.
"""

from __future__ import annotations

import _socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clary.compute.agent import gate
from clary.compute.placement import local
from clary.compute.spec import ImageSpec, JobSpec, Limits
from clary.core.settings import Settings
from clary.testing.contracts.waiting import log_text, wait_for_end

PLATFORM, MACHINE, METADATA = "203.0.113.9", "203.0.113.7", "169.254.169.254"
CODE = f"""
import urllib.request
def look(name, url):
    try: print(name, urllib.request.urlopen(url, timeout=20).read().decode())
    except OSError as error: print(name, 'not reached:', error)
look('platform', 'http://clary.example:4566/')
look('service beside the platform', 'http://clary.example:9999/')
look('machine', 'http://{MACHINE}:8000/')
look('metadata', 'http://{METADATA}/latest/meta-data/iam/security-credentials/')
"""


class Handler(BaseHTTPRequestHandler):
    """Says where it was reached."""

    def do_GET(self) -> None:
        body = f"reached at {self.server.server_address[0]!s}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


def main(home: Path, mode: str) -> None:
    """Print the log of the job."""
    for address in (PLATFORM, MACHINE, METADATA):
        gate.add_address(_socket.AF_INET, address)
    for place in ((PLATFORM, 4566), (PLATFORM, 9999), (MACHINE, 8000), (METADATA, 80)):
        server = ThreadingHTTPServer(place, Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    if mode == "alone":
        local.outside = lambda: ""
    placement = local.LocalPlacement(Settings(home=home, cache=home / "cache"))
    spec = JobSpec(
        "job",
        ImageSpec("image", python="/usr/bin/python3"),
        command=["python3", "-c", CODE],
        limits=Limits(grace_s=1),
        endpoint_url="http://clary.example:4566",
        isolation="bubblewrap",
    )
    placement.launch(spec, "ticket")
    wait_for_end(placement, "job", 60)
    print(log_text(placement, "job"))
    placement.remove("job")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
