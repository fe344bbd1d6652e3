"""Studio below a path of another server, as behind a reverse proxy."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from clary.testing.server import Server, server

pytestmark = pytest.mark.slow("studio")

PREFIX = "/tools/clary"
_OWN = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Proxy(BaseHTTPRequestHandler):
    """Hands on what lies below ``PREFIX`` without it."""

    protocol_version = "HTTP/1.1"
    target = ""

    def _hand_on(self) -> None:
        if not self.path.startswith(PREFIX):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        connection = http.client.HTTPConnection(self.target, timeout=60)
        connection.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _hand_on

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def deployed(studio_server: Server) -> Iterator[tuple[Server, str]]:
    """A Clary that knows that it lives below a path, and the public address of that path."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    public = f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    with server(public_url=public) as running:
        Proxy.target = urlsplit(running.url).netloc
        yield running, public
    proxy.shutdown()
    proxy.server_close()


def test_pages_links_and_calls_stay_below_the_path(tab: Any, deployed: Any, one_time_link: Any) -> None:
    running, public = deployed
    running.client("s3").create_bucket(Bucket="below-a-path")
    running.client("sagemaker").create_experiment(ExperimentName="below")
    studio = tab(base=f"{public}/studio")
    address = one_time_link(running, {"CLARY_PUBLIC_URL": public})
    assert address.startswith(f"{public}/studio/#ticket=")
    studio.page.goto(address)
    expect(studio.heading("Home")).to_be_visible()
    studio.page.get_by_role("link", name="Storage", exact=True).click()
    studio.page.get_by_role("link", name="below-a-path").click()
    expect(studio.heading("below-a-path")).to_be_visible()
    assert urlsplit(studio.page.url).path == f"{PREFIX}/studio/storage/below-a-path/"
    studio.page.reload()
    expect(studio.heading("below-a-path")).to_be_visible()
    studio.open("/experiments/below")
    expect(studio.heading("below")).to_be_visible()
    studio.page.get_by_role("navigation").get_by_role("link", name="Experiments").first.click()
    expect(studio.heading("Experiments")).to_be_visible()
    assert all(urlsplit(url).path.startswith(f"{PREFIX}/") for url in studio.requests)
