"""What a decision about one request costs on the edge, beside moto's, in one run.

    ./dev bench decisions [--rounds 20000]

The callers are kept in a database as any are; what is timed is ``Identities.authorize``, as the edge calls it before it
lets a request in. "first" asks each time for another resource, so that nothing is remembered of it; "again" asks for
the same few. moto decides by the same identity policies, as it does for every request where its check is switched on;
it knows neither boundaries nor policies of sessions, and of conditions only those of trust policies.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.environments import environment_of
from clary.core.settings import load
from clary.services.iam.api import Identities, session_principal
from clary.services.iam.entities import create
from clary.services.iam.managed import managed_policies
from clary.services.iam.policy import Policies
from clary.services.iam.principals import Principal
from clary.services.iam.resource_policies import compiled
from clary.state.database import Database

MOTO = "moto[iam,s3,sts]==5.1.22"
LIMIT_US = 100.0
"""What a decision may cost."""
_PARTS = 10
_AWS = "arn:aws:iam::aws:policy/"
_PASSED = {"aws:SecureTransport": "true", "aws:SourceIp": "203.0.113.7", "aws:RequestedRegion": "us-east-1"}


def _own(number: int) -> dict[str, Any]:
    """One of the scientist's own policies: variables, tags, networks and hours."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sagemaker:Create*", "sagemaker:Describe*", "sagemaker:List*"],
                "Resource": f"arn:aws:sagemaker:*:*:*/${{aws:username}}-{number}-*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": f"arn:aws:s3:::lab-{number}/${{aws:PrincipalTag/team, 'all'}}/*",
                "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}},
            },
            {
                "Effect": "Deny",
                "Action": ["sagemaker:*", "s3:*"],
                "Resource": "*",
                "Condition": {"DateGreaterThan": {"aws:CurrentTime": f"209{number}-01-01T00:00:00Z"}},
            },
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ],
    }


_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:user/reader"},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::shared", "arn:aws:s3:::shared/*"],
            "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::shared/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ],
}
_SESSION = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": ["sagemaker:*", "s3:*"],
        "Resource": ["arn:aws:sagemaker:us-east-1:*:*/run-*", "arn:aws:s3:::lab-*"],
        "Condition": {"StringLike": {"aws:RequestedRegion": "us-*"}},
    },
}


@dataclass
class Asker:
    """Who asks for what: ``resource`` makes the ARN of a number."""

    title: str
    principal: Principal
    action: str
    resource: Callable[[int], str]
    documents: list[str]
    policy: Policies | None = None
    context: dict[str, str] = field(default_factory=lambda: dict(_PASSED))


def main() -> None:
    """Print microseconds a decision, and how many times that moto takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20_000)
    rounds = parser.parse_args().rounds
    moto = environment_of("moto-decisions", [MOTO])
    print(f"{'who asks':44} {'first':>9} {'again':>9} {'moto':>11} {'moto/first':>10}")
    slowest = 0.0
    with tempfile.TemporaryDirectory() as home:
        identities = _identities(Path(home))
        for asker in _askers(identities):
            first = _timed(identities, asker, range(rounds))
            again = _timed(identities, asker, [number % 8 for number in range(rounds)])
            theirs = _moto(moto, asker, max(20, rounds // 100))
            slowest = max(slowest, first, again)
            print(f"{asker.title:44} {first:6.1f} µs {again:6.1f} µs {theirs:8.1f} µs {theirs / first:9.1f}x")
    print(f"the slowest decision takes {slowest:.1f} µs; it may take {LIMIT_US:.0f}")


def _identities(home: Path) -> Identities:
    settings = load(home, environ={})
    settings.create_folders()
    database = Database(settings.database_url)
    database.prepare()
    identities = Identities(database, settings)
    identities.bootstrap()
    attached = [f"{_AWS}{name}" for name in _SCIENTIST]
    inline = {f"own-{number}": json.dumps(_own(number)) for number in range(5)}
    scientist = {"Inline": inline, "Attached": attached, "Groups": []}
    worker = {
        "Inline": {"own": json.dumps(_own(1))},
        "Attached": [f"{_AWS}AmazonSageMakerFullAccess"],
        "Boundary": f"{_AWS}PowerUserAccess",
        "Trust": json.dumps({"Statement": []}),
        "MaxSessionDuration": 3600,
    }
    with database.write() as transaction:
        create(transaction, settings.account, "User", "ann", time.time(), scientist)
        create(transaction, settings.account, "User", "reader", time.time(), {"Inline": {}, "Attached": []})
        create(transaction, settings.account, "Role", "worker", time.time(), worker)
    identities.refresh()
    return identities


_SCIENTIST = (
    "AmazonS3ReadOnlyAccess",
    "AmazonSageMakerReadOnly",
    "CloudWatchLogsReadOnlyAccess",
    "AmazonEC2ContainerRegistryReadOnly",
    "IAMReadOnlyAccess",
)


def _askers(identities: Identities) -> list[Asker]:
    account = identities.settings.account
    jobs = f"arn:aws:sagemaker:us-east-1:{account}:training-job"
    managed = {name: managed_policies()[f"{_AWS}{name}"].document for name in (*_SCIENTIST, "AdministratorAccess")}
    full = managed_policies()[f"{_AWS}AmazonSageMakerFullAccess"].document
    own = [json.dumps(_own(number)) for number in range(5)]

    def user(name: str) -> Principal:
        found = identities.user(account, name)
        assert found is not None
        return Principal(found.arn, account, found.id, "user", name)

    role = identities.role(f"arn:aws:iam::{account}:role/worker")
    assert role is not None
    session = session_principal(role, "run", (json.dumps(_SESSION),))
    create_job = "sagemaker:CreateTrainingJob"
    scientist = [*(managed[name] for name in _SCIENTIST), *own]
    return [
        Asker(
            "administrator",
            user("administrator"),
            create_job,
            lambda number: f"{jobs}/{number}",
            [managed["AdministratorAccess"]],
        ),
        Asker(
            "data scientist, ten policies: a job",
            user("ann"),
            create_job,
            lambda number: f"{jobs}/ann-4-{number}",
            scientist,
        ),
        Asker(
            "data scientist, ten policies: an object",
            user("ann"),
            "s3:PutObject",
            lambda number: f"arn:aws:s3:::lab-4/all/{number}",
            scientist,
        ),
        Asker(
            "role session, boundary and session policy",
            session,
            create_job,
            lambda number: f"{jobs}/run-{number}",
            [full, own[1]],
        ),
        Asker(
            "a bucket that has a policy",
            user("reader"),
            "s3:GetObject",
            lambda number: f"arn:aws:s3:::shared/{number}",
            [json.dumps(_BUCKET)],
            compiled(json.dumps(_BUCKET)),
        ),
    ]


def _timed(identities: Identities, asker: Asker, numbers: Any) -> float:
    """Microseconds a decision, of the quickest of several parts, since other programs run too."""
    resources = [asker.resource(number) for number in numbers]
    owner = identities.settings.account if asker.policy is not None else None
    authorize, principal, action, policy = identities.authorize, asker.principal, asker.action, asker.policy
    size = max(1, len(resources) // _PARTS)
    best = float("inf")
    for start in range(0, len(resources), size):
        part = resources[start : start + size]
        began = time.perf_counter()
        for resource in part:
            authorize(principal, action, resource, asker.context, policy, owner)
        best = min(best, (time.perf_counter() - began) / len(part))
    return best * 1e6


_WITH_MOTO = """
import json, sys, time
from moto.iam.access_control import IAMPolicy
given = json.load(sys.stdin)
best = float("inf")
for resource in given["resources"]:
    began = time.perf_counter()
    for text in given["documents"]:
        IAMPolicy(text).is_action_permitted(given["action"], resource, incoming_condition_values=given["context"])
    best = min(best, time.perf_counter() - began)
print(best * 1e6)
"""


def _moto(python: Path, asker: Asker, rounds: int) -> float:
    """Microseconds that moto takes to ask all the documents."""
    resources = [asker.resource(number) for number in range(rounds)]
    given = {"resources": resources, "documents": asker.documents, "action": asker.action, "context": asker.context}
    done = subprocess.run(
        [str(python), "-P", "-c", _WITH_MOTO], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
