"""The REST API on a port of this machine's loopback interface, for scripts that ask the models themselves.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html, where a
``handler`` posts to ``context.rest_uri``.
"""

from __future__ import annotations

import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.frameworks.tensorflow_serving import rest
from clary_runtimes.frameworks.tensorflow_serving.models import Models
from clary_runtimes.frameworks.tensorflow_serving.payload import rest_document
from clary_runtimes.frameworks.tensorflow_serving.target import of_path, refusal
from clary_runtimes.serving.request import RequestError


def listen(models: Models) -> str:
    """Begin to listen on a free port; gives the address, such as ``http://127.0.0.1:40001``."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = post(models, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", content_types.JSON)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """The log is the script's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="rest", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def post(models: Models, path: str, body: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to a request of the REST API."""
    try:
        return 200, rest.answer(models, of_path(path), rest_document(body))
    except RequestError as error:
        return error.status, error.message.encode()
    except Exception as error:  # noqa: BLE001 - a model may fail in any way, and the script must learn of it
        traceback.print_exc()
        return 500, refusal(str(error)).message.encode()
