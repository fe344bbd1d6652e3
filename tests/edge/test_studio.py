"""Sign-in of people, and the API for a browser: what a session may do, what ends it, what another page cannot cause."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from clary.cli.installation import Installation
from clary.core.settings import load
from clary.services.iam.sign_in import MOST_FAILURES
from clary.testing.server import Server

PASSWORD = "Correct-horse-7"


@dataclass
class Browser:
    """Sends requests as Studio's pages do, and keeps the cookie."""

    url: str
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"x-clary-studio": "1"})

    def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=20)
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookie:
            sent["cookie"] = self.cookie
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else None
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        content = answer.read()
        if given := answer.headers.get("set-cookie"):
            self.cookie = given.partition(";")[0]
        connection.close()
        try:
            return answer.status, json.loads(content), answer.headers
        except ValueError:
            return answer.status, content, answer.headers

    def studio(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self.send(method, f"/_clary/studio/{path}", body, **headers)[:2]

    def call(self, service: str, operation: str, **members: Any) -> tuple[int, Any]:
        return self.studio("POST", f"call/{service}/{operation}", members)

    def sign_in(self, name: str, password: str = PASSWORD) -> int:
        return self.studio("POST", "sign-in", {"UserName": name, "Password": password})[0]


@pytest.fixture
def browser(clary_aws: Server) -> Browser:
    return Browser(clary_aws.url)


@pytest.fixture
def ada(clary_aws: Server) -> Iterator[str]:
    """A user with a password, who may look at experiments and nothing else."""
    iam = clary_aws.client("iam")
    iam.create_user(UserName="ada")
    iam.create_login_profile(UserName="ada", Password=PASSWORD)
    allowed = {"Effect": "Allow", "Action": "sagemaker:*Experiment*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="ada", PolicyName="experiments", PolicyDocument=policy)
    yield "ada"


def link(server: Server) -> str:
    """The ticket of a one-time link."""
    return Installation(load(server.home)).studio_link().partition("#ticket=")[2]


def test_a_link_signs_in_once(clary_aws: Server, browser: Browser) -> None:
    assert browser.studio("GET", "session")[0] == 401
    ticket = link(clary_aws)
    status, _, headers = browser.send("POST", "/_clary/studio/sign-in/link", {"ticket": ticket})
    assert status == 204
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in headers["set-cookie"].split(";")}
    status, session = browser.studio("GET", "session")
    assert (status, session["name"], session["account"]) == (200, "administrator", "123456789012")

    second = Browser(clary_aws.url)
    status, refused = second.studio("POST", "sign-in/link", {"ticket": ticket})
    assert (status, refused["__type"]) == (403, "SignInFailed")
    assert second.studio("POST", "sign-in/link", {"ticket": "made-up"})[0] == 403
    assert second.studio("GET", "session")[0] == 401


def test_a_user_signs_in_with_a_password_and_may_do_what_policies_allow(browser: Browser, ada: str) -> None:
    assert browser.sign_in(ada) == 204
    assert browser.studio("GET", "session")[1]["name"] == ada
    assert browser.call("sagemaker", "CreateExperiment", ExperimentName="mine")[0] == 200
    status, listed = browser.call("sagemaker", "ListExperiments")
    assert (status, [row["ExperimentName"] for row in listed["ExperimentSummaries"]]) == (200, ["mine"])
    status, refused = browser.call("sagemaker", "ListModels")
    assert (status, refused["__type"]) == (400, "AccessDeniedException") or status == 403
    assert browser.call("iam", "CreateUser", UserName="eve")[0] == 403
    assert browser.studio("GET", "s3/")[0] == 403


@pytest.mark.parametrize("name", ["ada", "nobody", "administrator", "", "a" * 5000])
def test_wrong_passwords_are_told_alike(browser: Browser, ada: str, name: str) -> None:
    status, refused = browser.studio("POST", "sign-in", {"UserName": name, "Password": "wrong"})
    assert (status, refused["message"]) == (403, "The user name or the password is wrong.")
    assert browser.studio("GET", "session")[0] == 401


def test_after_too_many_wrong_passwords_the_right_one_does_not_help(browser: Browser, ada: str) -> None:
    for _ in range(MOST_FAILURES):
        assert browser.sign_in(ada, "wrong") == 403
    status, refused = browser.studio("POST", "sign-in", {"UserName": ada, "Password": PASSWORD})
    assert status == 403
    assert "too many" in refused["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b'{"UserName": 1, "Password": {}}', b"{}", b"\xff\xfe"])
def test_what_is_no_sign_in_is_refused(browser: Browser, body: bytes) -> None:
    assert browser.studio("POST", "sign-in", body)[0] in (400, 403)
    assert browser.studio("POST", "sign-in/link", body)[0] in (400, 403)


def test_a_session_that_was_ended_is_over_for_whoever_kept_its_cookie(browser: Browser, ada: str) -> None:
    browser.sign_in(ada)
    kept = Browser(browser.url, browser.cookie)
    assert kept.studio("GET", "session")[0] == 200
    assert browser.studio("POST", "sign-out")[0] == 204
    assert browser.cookie == "clary-session="
    assert kept.studio("GET", "session")[0] == 401


def test_a_new_password_and_the_end_of_the_user_end_sessions(clary_aws: Server, browser: Browser, ada: str) -> None:
    iam = clary_aws.client("iam")
    browser.sign_in(ada)
    iam.update_login_profile(UserName=ada, Password="Another-horse-8")
    assert browser.studio("GET", "session")[0] == 401
    assert browser.sign_in(ada, "Another-horse-8") == 204
    iam.delete_login_profile(UserName=ada)
    assert browser.sign_in(ada, "Another-horse-8") == 403
    iam.delete_user_policy(UserName=ada, PolicyName="experiments")
    iam.delete_user(UserName=ada)
    iam.create_user(UserName=ada)
    assert browser.studio("GET", "session")[0] == 401


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "A" * 4000])
def test_made_up_cookies_are_no_sessions(browser: Browser, text: str) -> None:
    browser.cookie = f"clary-session={text}"
    assert browser.studio("GET", "session")[0] == 401


def test_another_page_can_cause_nothing(clary_aws: Server, browser: Browser) -> None:
    browser.studio("POST", "sign-in/link", {"ticket": link(clary_aws)})
    create = {"ExperimentName": "forged"}
    path = "call/sagemaker/CreateExperiment"
    elsewhere = Browser(browser.url, browser.cookie, {})
    assert elsewhere.studio("POST", path, create)[0] == 403
    assert browser.studio("POST", path, create, origin="http://evil.example")[0] == 403
    assert browser.studio("POST", path, create, origin="null")[0] == 403
    assert browser.studio("POST", path, create, origin="http://[::1")[0] == 403  # no address at all
    assert browser.studio("POST", path, create, sec_fetch_site="cross-site")[0] == 403
    assert browser.studio("POST", path, create, sec_fetch_site="same-site")[0] == 403
    # The cookie is good for Studio's own addresses alone.
    assert browser.send("GET", "/some-bucket/some-key")[0] == 403
    assert browser.call("sagemaker", "ListExperiments")[1]["ExperimentSummaries"] == []
    assert browser.studio("POST", path, create, origin=browser.url)[0] == 200


def test_answers_are_plain_json_whatever_the_service_speaks(clary_aws: Server, browser: Browser) -> None:
    browser.studio("POST", "sign-in/link", {"ticket": link(clary_aws)})
    status, user = browser.call("iam", "GetUser", UserName="administrator")
    assert (status, user["User"]["UserName"]) == (200, "administrator")
    assert browser.call("sts", "GetCallerIdentity")[1]["Account"] == "123456789012"
    for service, operation, wanted in [
        ("sagemaker", "NoSuchOperation", "UnknownOperationException"),
        ("no-such-service", "List", "UnknownOperationException"),
        ("sagemaker", "CreateModel", "ValidationException"),
    ]:
        status, refused = browser.call(service, operation)
        assert status in (400, 404)
        assert refused["__type"] == wanted
    assert browser.studio("POST", "call/sagemaker/ListModels", b"\xff")[0] == 400


def test_regions_are_apart(clary_aws: Server, browser: Browser) -> None:
    browser.studio("POST", "sign-in/link", {"ticket": link(clary_aws)})
    browser.call("sagemaker", "CreateExperiment", ExperimentName="here")
    path = "call/sagemaker/ListExperiments"
    assert browser.studio("POST", path, {}, x_clary_region="eu-west-1")[1]["ExperimentSummaries"] == []
    assert browser.studio("POST", path, {}, x_clary_region="../../etc")[0] == 403


def test_what_users_bring_is_never_shown_as_a_page(clary_aws: Server, browser: Browser) -> None:
    s3 = clary_aws.client("s3")
    s3.create_bucket(Bucket="brought")
    page = b"<script>alert(document.domain)</script>"
    s3.put_object(Bucket="brought", Key="page.html", Body=page, ContentType="text/html")
    browser.studio("POST", "sign-in/link", {"ticket": link(clary_aws)})
    status, content, headers = browser.send("GET", "/_clary/studio/s3/brought/page.html")
    assert (status, content) == (200, page)
    assert headers["content-disposition"] == "attachment"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    status, _, _ = browser.send("PUT", "/_clary/studio/s3/brought/new", b"data")
    assert status == 200
    assert s3.get_object(Bucket="brought", Key="new")["Body"].read() == b"data"


def test_the_model_tells_every_noun_and_every_operation(clary_aws: Server, browser: Browser) -> None:
    assert browser.studio("GET", "model")[0] == 401
    browser.studio("POST", "sign-in/link", {"ticket": link(clary_aws)})
    services = {each["service"]: each["nouns"] for each in browser.studio("GET", "model")[1]["services"]}
    nouns = {noun["noun"]: noun for noun in services["sagemaker"]}
    assert len(nouns) > 80
    assert nouns["TrainingJob"]["verbs"]["list"] == "ListTrainingJobs"
    assert nouns["TrainingJob"]["rows"] == "TrainingJobSummaries"
    assert {"NameContains", "StatusEquals"} <= set(nouns["TrainingJob"]["filters"])
    for noun in services["sagemaker"]:
        for operation in noun["verbs"].values():
            status, told = browser.studio("GET", f"model/sagemaker/{operation}")
            assert (status, told["input"]["type"]) == (200, "structure")
    assert browser.studio("GET", "model/sagemaker/Nothing")[0] in (400, 404)
    assert browser.studio("GET", "model/../../etc/passwd")[0] in (400, 404)


def test_algorithms_and_prices_are_told_to_whoever_is_signed_in(clary_aws: Server, browser: Browser, ada: str) -> None:
    for page in ("algorithms", "prices"):
        assert browser.studio("GET", page)[0] == 401
    browser.sign_in(ada)
    status, told = browser.studio("GET", "algorithms")
    assert status == 200
    assert {"xgboost", "kmeans", "forecasting-deepar"} <= {each["name"] for each in told["algorithms"]}
    status, prices = browser.studio("GET", "prices")
    assert (status, prices["region"], prices["hour"]["ml.m5.large"]) == (200, "us-east-1", 0.115)
    assert browser.studio("POST", "prices", {})[0] == 404


def test_role_manager_is_told_to_whoever_is_signed_in(browser: Browser, ada: str) -> None:
    wish = {"Name": "ada", "Persona": "compute", "Parameters": {"S3Buckets": ["science"]}}
    assert browser.studio("GET", "role-manager")[0] == 401
    assert browser.studio("POST", "role-manager/policies", wish)[0] == 401
    browser.sign_in(ada)
    status, told = browser.studio("GET", "role-manager")
    assert (status, len(told["Activities"])) == (200, 16)
    status, made = browser.studio("POST", "role-manager/policies", wish)
    assert (status, made["RoleName"]) == (200, "sagemaker-ada")
    status, refusal = browser.studio("POST", "role-manager/policies", {**wish, "Parameters": {}})
    assert (status, refusal["__type"]) == (400, "ValidationException")
    assert "at 'S3Buckets'" in refusal["message"]
    assert browser.studio("POST", "role-manager", wish)[0] == 404
    assert browser.studio("GET", "role-manager/policies")[0] == 404


def test_pages_let_no_script_of_others_in(clary_server: Server) -> None:
    browser = Browser(clary_server.url, headers={})
    for path in ("/studio/", "/studio/explorer/sagemaker/Model", "/studio/%3Cscript%3E"):
        status, page, headers = browser.send("GET", path)
        assert status == 200
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert b'<base href="/studio/" />' in page
    assert browser.send("GET", "/studio/assets/none.js")[0] == 404
    assert browser.send("POST", "/studio/")[0] == 405
