"""Schedules over a database of their own, whose clock the tests move."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from clary.control.calls import Calls
from clary.resources.context import Context, Platform
from clary.services.catalog import services
from clary.services.scheduler.invocations import keep_time
from clary.state.records import Record

ACCOUNT = "123456789012"
SERVICES = services()


@dataclass
class Look:
    platform: Platform
    record: Record


class Scheduled:
    """Calls operations of all services as the administrator, and runs the reconciler of the schedules that are due."""

    def __init__(self, installation: Any) -> None:
        self.installation = installation
        self.services = SERVICES
        calls = Calls(installation.identities, self.services)
        self.platform: Platform = replace(installation.platform, calls=calls)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "scheduler.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        self("iam", "CreateRole", RoleName="schedules", AssumeRolePolicyDocument=json.dumps(trust))
        self.allow("*")

    def allow(self, *actions: str) -> None:
        """Let the schedules' role do this and nothing else."""
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self("iam", "PutRolePolicy", RoleName="schedules", PolicyName="all", PolicyDocument=document)
        self.installation.identities.refresh()

    def context(self) -> Context:
        return replace(self.installation.context(), platform=self.platform)

    def __call__(self, service: str, operation: str, **params: Any) -> Any:
        return self.services[service].operations[operation](self.context(), params)

    @property
    def role(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/schedules"

    def queue(self, name: str = "q") -> str:
        """A queue without a policy; gives its ARN."""
        self("sqs", "CreateQueue", QueueName=name)
        return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    def create(self, name: str = "s", expression: str = "rate(5 minutes)", **members: Any) -> str:
        target = {"RoleArn": self.role, **members.pop("Target")}
        given = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": expression, **members}
        return str(self("scheduler", "CreateSchedule", Name=name, Target=target, **given)["ScheduleArn"])

    def later(self, seconds: float = 0.0) -> None:
        """Move the clock, and let the schedules that are due be looked at."""
        self.installation.now += seconds
        now = self.installation.now
        with self.platform.database.write() as transaction:
            # The lease is over with each look, or the schedule would not be due in time.
            due = [each for each in transaction.claim("test", now, now + 1e9) if each.key.service == "scheduler"]
        for record in due:
            assert keep_time(Look(self.platform, record)) is None  # type: ignore[arg-type]

    def received(self, name: str = "q") -> list[Any]:
        params = {"QueueUrl": f"http://h/{ACCOUNT}/{name}", "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        messages: list[Any] = self("sqs", "ReceiveMessage", **params).get("Messages", [])
        for each in messages:
            self("sqs", "DeleteMessage", QueueUrl=params["QueueUrl"], ReceiptHandle=each["ReceiptHandle"])
        return messages

    def bodies(self, name: str = "q") -> list[str]:
        return [each["Body"] for each in self.received(name)]


@pytest.fixture
def scheduled(installation: Any) -> Scheduled:
    installation.now = 1_800_000_000.0
    return Scheduled(installation)
