"""A hostile page in the browser of somebody who is signed in: it changes nothing and reads nothing.

It is tried from another port of the same host, which a browser takes for the same site and sends SameSite cookies to,
and from another host.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from clary.cli.client import Client, Credentials
from clary.cli.installation import Installation
from clary.core.settings import load
from clary.testing.server import Server, server

pytestmark = pytest.mark.slow("studio")

HOSTS = ["127.0.0.1", "evil.localhost"]
SECRET = "nobody-else-reads-this"


class Page(BaseHTTPRequestHandler):
    """An empty page, whatever the path, that may do anything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("service-worker-allowed", "/")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>hostile</title><body></body>")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def victim() -> Iterator[Server]:
    """A Clary with something to read and something to break."""
    with server() as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket="private")
        s3.put_object(Bucket="private", Key="secret.txt", Body=SECRET.encode())
        everybody = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}]
        s3.put_bucket_cors(Bucket="private", CORSConfiguration={"CORSRules": everybody})
        running.client("sagemaker").create_experiment(ExperimentName=SECRET)
        yield running


@pytest.fixture(scope="module")
def state(chromium: Any, victim: Server) -> Any:
    """The administrator's sign-in."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(Installation(load(victim.home)).studio_link())
    page.get_by_role("heading", level=1, name="Home").wait_for()
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the hostile pages are."""
    pages = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=pages.serve_forever, daemon=True)
    thread.start()
    yield pages.server_port
    pages.shutdown()
    pages.server_close()


@pytest.fixture(params=HOSTS)
def hostile(request: pytest.FixtureRequest, chromium: Any, state: Any, port: int) -> Iterator[Any]:
    """A hostile page in the browser in which the administrator is signed in."""
    context = chromium.new_context(storage_state=state)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"http://{request.param}:{port}/")
    yield page
    context.close()


def unharmed(victim: Server, page: Any) -> None:
    """Nothing was made, nothing is gone, and the administrator is signed in as before."""
    experiments = victim.client("sagemaker").list_experiments()["ExperimentSummaries"]
    assert [each["ExperimentName"] for each in experiments] == [SECRET]
    objects = victim.client("s3").list_objects_v2(Bucket="private")["Contents"]
    assert [each["Key"] for each in objects] == ["secret.txt"]
    own = page.context.new_page()
    own.goto(f"{victim.url}/studio/")
    own.get_by_role("heading", level=1, name="Home").wait_for()
    told = own.evaluate("""async () => {
        const answer = await fetch("/_clary/studio/session", {headers: {"x-clary-studio": "1"}});
        return (await answer.json()).name;
    }""")
    assert told == "administrator"
    own.close()


FETCHES = """async ([url, secret]) => {
    const told = [];
    const create = JSON.stringify({ExperimentName: "forged"});
    const call = "/_clary/studio/call/sagemaker/CreateExperiment";
    const ours = {"x-clary-studio": "1"};
    for (const [path, options] of [
        [call, {method: "POST", body: create}],
        [call, {method: "POST", body: create, headers: {"content-type": "text/plain"}}],
        [call, {method: "POST", body: create, headers: {"content-type": "text/plain"}, mode: "no-cors"}],
        [call, {method: "POST", body: create, headers: ours, mode: "no-cors"}],
        [call, {method: "POST", body: create, headers: ours}],
        [call, {method: "POST", body: create, headers: {...ours, "content-type": "application/json"}}],
        ["/_clary/studio/call/sagemaker/ListExperiments", {method: "POST", body: "{}", headers: ours}],
        ["/_clary/studio/session", {headers: ours}],
        ["/_clary/studio/session", {}],
        ["/_clary/studio/session", {mode: "no-cors"}],
        ["/_clary/studio/s3/private/secret.txt", {headers: ours}],
        ["/_clary/studio/s3/private/secret.txt", {}],
        ["/_clary/studio/s3/private/new.txt", {method: "PUT", body: "forged", headers: ours}],
        ["/_clary/studio/s3/private/secret.txt", {method: "DELETE", headers: ours}],
        ["/_clary/studio/sign-out", {method: "POST", headers: ours}],
        ["/_clary/studio/sign-out", {method: "POST", mode: "no-cors"}],
        ["/_clary/studio/sign-in", {method: "POST", body: '{"UserName": "eve", "Password": "x"}', headers: ours}],
        ["/_clary/link", {method: "POST"}],
        ["/_clary/reset", {method: "POST", mode: "no-cors"}],
        ["/_clary/credentials", {}],
        ["/private/secret.txt", {}],
        ["/private/new.txt", {method: "PUT", body: "forged"}],
        ["/private/secret.txt", {method: "DELETE"}],
        ["/", {method: "POST", body: "Action=CreateUser&UserName=eve&Version=2010-05-08", mode: "no-cors",
               headers: {"content-type": "application/x-www-form-urlencoded"}}],
        ["/studio/", {}],
    ]) {
        try {
            const answer = await fetch(url + path, {credentials: "include", ...options});
            told.push(`${path} ${answer.type} ${answer.status} ${await answer.text()}`);
        } catch (error) { told.push(`${path} ${error}`); }
    }
    return told;
}"""


def test_fetch_with_credentials(victim: Server, hostile: Any) -> None:
    told = hostile.evaluate(FETCHES, [victim.url, SECRET])
    for each in told:
        assert SECRET not in each
        assert "administrator" not in each
        # An opaque answer tells nothing; S3 lets everybody read its refusals, by the bucket's own CORS rules.
        readable = " 200 " in each or " 204 " in each
        assert not readable, each
    unharmed(victim, hostile)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_forms(victim: Server, hostile: Any, kind: str) -> None:
    for path in ("call/sagemaker/CreateExperiment", "sign-out", "sign-in", "sign-in/link", "s3/private/new.txt"):
        with hostile.context.expect_page() as opened:
            hostile.evaluate(
                """([url, kind]) => {
                const form = document.createElement("form");
                form.action = url; form.method = "POST"; form.enctype = kind; form.target = "_blank";
                const input = document.createElement("input");
                input.name = '{"ExperimentName": "forged", "x": "'; input.value = '"}';
                form.append(input); document.body.append(form); form.submit();
            }""",
                [f"{victim.url}/_clary/studio/{path}", kind],
            )
        page = opened.value
        page.wait_for_load_state()
        assert "AccessDenied" in page.content()
        page.close()
    unharmed(victim, hostile)


def test_images_scripts_and_styles(victim: Server, hostile: Any) -> None:
    told = hostile.evaluate(
        """async url => {
        const told = [];
        for (const path of ["/_clary/studio/session", "/_clary/studio/call/sagemaker/ListExperiments",
                            "/_clary/studio/s3/private/secret.txt", "/_clary/studio/model"])
            for (const [tag, name] of [["img", "src"], ["script", "src"], ["link", "href"], ["video", "src"]])
                told.push(await new Promise(done => {
                    const element = document.createElement(tag);
                    if (tag === "link") element.rel = "stylesheet";
                    element.onload = element.onloadeddata = () => done(`${tag} ${path} loaded`);
                    element.onerror = () => done("refused");
                    element[name] = url + path;
                    document.body.append(element);
                }));
        return told;
    }""",
        victim.url,
    )
    assert set(told) == {"refused"}


def test_frames_and_windows(victim: Server, hostile: Any) -> None:
    hostile.evaluate(
        """async url => {
        const frame = document.createElement("iframe");
        const loaded = new Promise(done => { frame.onload = done; });
        frame.src = url + "/studio/";
        document.body.append(frame);
        await loaded;
    }""",
        victim.url,
    )
    # What is shown there is the browser's own page that says why not.
    assert all(not frame.url.startswith(victim.url) for frame in hostile.frames[1:])
    with hostile.context.expect_page() as opened:
        hostile.evaluate("url => { window.theirs = window.open(url + '/studio/'); }", victim.url)
    theirs = opened.value
    theirs.get_by_role("heading", level=1, name="Home").wait_for()
    assert theirs.evaluate("window.opener") is None
    reached = hostile.evaluate("""() => {
        try { return [theirs.closed, String(theirs.document && theirs.document.body.innerText)]; }
        catch (error) { return [theirs.closed, error.name]; }
    }""")
    # With a policy on openers the two windows know nothing of each other.
    assert reached[0] is True or reached[1] == "SecurityError"
    hostile.evaluate("() => { try { theirs.postMessage('x', '*'); theirs.location = '/gone'; } catch (error) {} }")
    theirs.wait_for_timeout(200)
    assert theirs.url.startswith(f"{victim.url}/studio/")
    unharmed(victim, hostile)


def test_sockets_workers_and_cookies(victim: Server, hostile: Any) -> None:
    told = hostile.evaluate(
        """async url => {
        const told = {};
        told.socket = await new Promise(done => {
            const socket = new WebSocket(url.replace("http", "ws") + "/_clary/studio/session");
            socket.onopen = () => done("open"); socket.onerror = () => done("refused");
        });
        const script = url + "/studio/assets/sw.js";
        try { await navigator.serviceWorker.register(script, {scope: "/"}); told.worker = "open"; }
        catch (error) { told.worker = "refused"; }
        told.events = await new Promise(done => {
            const events = new EventSource(url + "/_clary/studio/session", {withCredentials: true});
            events.onopen = () => done("open"); events.onerror = () => { events.close(); done("refused"); };
        });
        told.beacon = navigator.sendBeacon(url + "/_clary/studio/call/sagemaker/CreateExperiment",
                                           new Blob(['{"ExperimentName": "forged"}'], {type: "text/plain"}));
        told.cookie = document.cookie;
        return told;
    }""",
        victim.url,
    )
    assert told["socket"] == told["worker"] == told["events"] == "refused"
    # The session's cookie is not for scripts, though the host may be the same.
    assert "clary" not in told["cookie"]
    unharmed(victim, hostile)


def test_a_made_up_cookie_is_no_session(victim: Server, hostile: Any) -> None:
    """A page of the same host may set cookies for it; the worst is that the victim has to sign in again."""
    hostile.evaluate("""() => {
        document.cookie = "clary-session=made-up; path=/_clary/studio/";
        document.cookie = "clary-session=made-up; path=/";
        document.cookie = "clary-session=made-up; domain=localhost; path=/";
        document.cookie = "__Host-clary=made-up; path=/";
    }""")
    own = hostile.context.new_page()
    own.goto(f"{victim.url}/studio/")
    told = own.evaluate("""async () => {
        const answer = await fetch("/_clary/studio/session", {headers: {"x-clary-studio": "1"}});
        return [answer.status, (await answer.json()).name ?? ""];
    }""")
    assert told in ([200, "administrator"], [401, ""])


@pytest.mark.parametrize("way", ["public", "presigned"])
def test_a_page_in_s3_is_not_of_studios_origin(victim: Server, chromium: Any, state: Any, way: str) -> None:
    """Whoever may write to a bucket could else act as everybody who looks at what is in it."""
    s3 = victim.client("s3")
    s3.create_bucket(Bucket=f"pages-{way}")
    script = """<!doctype html><title>run</title><body><script>
        (async () => {
            let told = [document.title];
            try { told.push(document.cookie); } catch (error) { told.push(error.name); }
            try { told.push(localStorage.length); } catch (error) { told.push(error.name); }
            for (const path of ["/_clary/studio/session", "/_clary/studio/call/sagemaker/ListExperiments"])
                try {
                    const method = path.endsWith("session") ? "GET" : "POST";
                    const answer = await fetch(path, {method, body: method === "POST" ? "{}" : undefined,
                                                      credentials: "include", headers: {"x-clary-studio": "1"}});
                    told.push(answer.status + " " + await answer.text());
                } catch (error) { told.push(error.name); }
            document.body.textContent = JSON.stringify(told);
        })();
    </script></body>"""
    for name, kind in (
        ("page.html", "text/html"),
        ("page.xhtml", "application/xhtml+xml"),
        ("page.svg", "image/svg+xml"),
    ):
        body = script if kind == "text/html" else _wrapped(script, kind)
        s3.put_object(Bucket=f"pages-{way}", Key=name, Body=body.encode(), ContentType=kind)
    if way == "public":
        everybody = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::pages-{way}/*",
        }
        s3.delete_public_access_block(Bucket=f"pages-{way}")
        s3.put_bucket_policy(
            Bucket=f"pages-{way}", Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
        )
    context = chromium.new_context(storage_state=state)
    page = context.new_page()
    for name in ("page.html", "page.xhtml", "page.svg"):
        url = f"{victim.url}/pages-{way}/{name}"
        if way == "presigned":
            url = s3.generate_presigned_url("get_object", Params={"Bucket": f"pages-{way}", "Key": name})
        asked: list[str] = []
        page.on("response", lambda answer, asked=asked: asked.append(f"{answer.status} {urlsplit(answer.url).path}"))
        answer = page.goto(url)
        assert answer.status == 200
        page.wait_for_load_state("networkidle")
        assert page.evaluate("self.origin") == "null"
        assert SECRET not in page.content()
        assert "administrator" not in page.content()
        assert not any(each.startswith("200 /_clary/studio/") for each in asked)
    context.close()
    s3.delete_bucket_policy(Bucket=f"pages-{way}")


def _wrapped(script: str, kind: str) -> str:
    inner = script.partition("<script>")[2].partition("</script>")[0]
    name = {"application/xhtml+xml": ("html", "http://www.w3.org/1999/xhtml")}.get(
        kind, ("svg", "http://www.w3.org/2000/svg")
    )
    return f'<{name[0]} xmlns="{name[1]}"><script><![CDATA[{inner}]]></script></{name[0]}>'


def test_a_link_of_somebody_else_does_not_take_the_place_of_a_session(victim: Server, hostile: Any) -> None:
    """Else what the victim writes from then on is written for whoever made the link."""
    iam = victim.client("iam")
    iam.create_user(UserName="mallory")
    keys = iam.create_access_key(UserName="mallory")["AccessKey"]
    link = Client(victim.url, Credentials(keys["AccessKeyId"], keys["SecretAccessKey"]), victim.region)
    status, body = link.send("POST", "/_clary/link", "clary")
    assert status == 200
    hostile.goto(f"{victim.url}{json.loads(body)['path']}")
    hostile.get_by_role("heading", level=1, name="Home").wait_for()
    unharmed(victim, hostile)
    iam.delete_access_key(UserName="mallory", AccessKeyId=keys["AccessKeyId"])
    iam.delete_user(UserName="mallory")


def test_studio_is_not_served_under_the_name_of_a_bucket(victim: Server, chromium: Any) -> None:
    """A page in that bucket would be of its origin, and could ask for passwords."""
    context = chromium.new_context()
    page = context.new_page()
    answer = page.goto(f"http://private.localhost:{urlsplit(victim.url).port}/studio/")
    assert answer.status == 403
    assert "AccessDenied" in page.content()
    context.close()
