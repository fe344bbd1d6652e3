"""Requests made from the shapes of service models, for any operation of any service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import reference
from shapes import GIVEN, Maker

from clary.resources.context import Context, ServiceApp
from clary.services.catalog import services
from clary.wire import catalog

FACTS: dict[str, dict[str, Any]] = {
    "PublishInput": {"TopicArn": GIVEN},
}
"""Optional members that a request is nothing without."""
VALUES = {
    "QueueUrl": "http://127.0.0.1/123456789012/some",
    "SubscriptionArn": "arn:aws:sns:us-east-1:123456789012:some:0f1e",
    "EventPattern": (
        '{"source": ["a"], "detail-type": ["b"],'
        ' "detail": {"service": ["c"], "eventTypeCode": ["d"], "userIdentity": {"principalId": ["e"]}}}'
    ),
}
"""Members whose form no pattern tells."""
SERVICES = services()


@dataclass(frozen=True)
class Asked:
    """One operation of a service, with what the reference says of the action that policies know it by."""

    service: str
    operation: str

    @property
    def app(self) -> ServiceApp:
        return SERVICES[self.service]

    @property
    def action(self) -> str:
        return self.app.actions.get(self.operation, self.operation)

    @property
    def told(self) -> reference.Action | None:
        return reference.action(self.app.action_prefix or self.service, self.action)

    @property
    def shape(self) -> Any:
        return catalog.service(self.service).model.operation_model(self.operation).input_shape

    def request(self, *, whole: bool = False) -> dict[str, Any]:
        """A valid request, whose ARNs are those of the action's resources."""
        if self.shape is None:
            return {}
        params = Maker(FACTS, {}, whole=whole).structure(self.shape)
        for member, value in params.items():
            if member in VALUES:
                params[member] = VALUES[member]
            elif isinstance(value, str) and member.lower().endswith("arn"):
                params[member] = self._arn(member) or value
            elif isinstance(value, str) and value.startswith("arn:") and member.endswith("Name"):
                # What may be named by its ARN too is named.
                params[member] = "some"
            elif member == "MetricQueries":
                params[member] = [{"ResourceArn": self._arn("TrainingJobArn")}]
        return params

    def arns(self, context: Context, params: dict[str, Any]) -> tuple[str, ...]:
        """The ARNs that the caller must be allowed to act on."""
        found = self.app.resource_of(context, self.operation, params) if self.app.resource_of is not None else "*"
        return (found,) if isinstance(found, str) else found

    def _arn(self, member: str) -> str:
        """The ARN of the type of resource that the member's name speaks of, or else of the first."""
        patterns = self.told.resources if self.told is not None else {}
        words = re.sub(r"[^a-z]", "", member.lower().removesuffix("arn"))
        named = [arn for name, arn in patterns.items() if re.sub(r"[^a-z]", "", name.lower()) == words]
        return next((reference.example(arn) for arn in (*named, *patterns.values())), "")


def every() -> Iterator[Asked]:
    """Every operation that Clary answers, other than with the word that it comes later."""
    for name, app in SERVICES.items():
        spelled = app.spelled()
        for operation in sorted(app.operations):
            ordinary = spelled.get(operation)
            later = ordinary is not None and ordinary.resource.later
            if not later and "_refusing" not in getattr(app.operations[operation], "__qualname__", ""):
                yield Asked(name, operation)
