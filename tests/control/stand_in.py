"""A program for the supervisor to keep: it listens as the edge does, or idles as control might."""

from __future__ import annotations

import argparse
import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"status": "ok", "control": True}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def leave(*_: object) -> None:
    print(f"{options.name} leaves at {time.time()}", flush=True)
    os._exit(0)


parser = argparse.ArgumentParser()
parser.add_argument("--home", type=Path)
parser.add_argument("--name")
parser.add_argument("--fail", type=int)
parser.add_argument("--stubborn", action="store_true")
parser.add_argument("--put-forward", type=Path, help="the file of a clock, which is put forward before it listens")
options = parser.parse_args()

if options.fail is not None:
    print("the reason why it fails", flush=True)
    sys.exit(options.fail)

signal.signal(signal.SIGTERM, signal.SIG_IGN if options.stubborn else leave)
print(f"{options.name} runs as {os.getpid()}", flush=True)

if options.put_forward is not None:
    options.put_forward.write_text("3600")

if options.name == "edge":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["CLARY_PORT"])), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = options.home / "run" / "edge.json"
    file.write_text(json.dumps({"port": server.server_address[1], "pid": os.getpid()}))

sys.stdin.read()
os._exit(0)
