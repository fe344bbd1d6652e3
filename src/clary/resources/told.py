"""What a noun tells the default event bus when one of its resources changes: events that show it as Describe does.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clary.resources.view import viewer
from clary.state.observed import Change
from clary.wire.catalog import service as service_named

if TYPE_CHECKING:
    from botocore.model import Shape

    from clary.resources.context import Context
    from clary.resources.resource import Resource
    from clary.state.records import Record
    from clary.state.transaction import Transaction

Detail = dict[str, Any]
"""The members of an event's ``detail``."""


def milliseconds(seconds: float) -> int:
    """A time as most events have it: milliseconds since the epoch."""
    return round(seconds * 1000)


def members(*names: str) -> Callable[[Detail], Any]:
    """The state of a resource that is what these members show."""
    return lambda detail: tuple(detail.get(name) for name in names)


def itself(detail: Detail, before: Detail | None) -> Detail:
    """A detail that needs nothing more."""
    return detail


@dataclass(frozen=True)
class StateChange:
    """Events of one kind: one whenever the state of a resource of the noun has changed."""

    detail_type: str
    state: Callable[[Detail], Any]
    """What is told when it changes; nothing is told of one that is false."""
    time: Callable[[float], Any] = milliseconds
    """How times are written, which the state has in seconds since the epoch."""
    finish: Callable[[Detail, Detail | None], Detail] = itself
    """Gives a detail what Describe does not show; the second one is that from before the change, if there was one."""
    deleted: bool = False
    """Whether the end of a resource is told too, as it last was."""

    def told(
        self, resource: Resource, context: Context, transaction: Transaction, change: Change
    ) -> Iterator[Mapping[str, Any]]:
        """The event of a change, for ``clary.services.events.api.emit_within``; none if the state is what it was."""
        after = transaction.by_id(change.row)
        before = self._detail(resource, context, transaction, change.before)
        detail = self._detail(resource, context, transaction, after)
        if detail is None:
            if before is None or not self.deleted:
                return
            shown, tags = before, change.tags
        else:
            if before is not None and self.state(before) == self.state(detail):
                return
            shown, tags = detail, transaction.tags(detail[resource.arn_member])
        if self.state(shown):
            yield {
                "source": f"aws.{resource.service}",
                "detail-type": self.detail_type,
                "resources": [shown[resource.arn_member]],
                "detail": {**self.finish(shown, before), "Tags": dict(tags)},
            }

    def _detail(
        self, resource: Resource, context: Context, transaction: Transaction, record: Record | None
    ) -> Detail | None:
        if record is None:
            return None
        shape = service_named(resource.service).model.operation_model(f"Describe{resource.noun}").output_shape
        detail: Detail = self._plain(shape, viewer(resource, shape)(context, transaction, record))
        return detail

    def _plain(self, shape: Shape, value: Any) -> Any:
        """A value as JSON, with its times as events have them."""
        if value is None:
            return None
        if shape.type_name == "structure":
            return {
                name: self._plain(inner, value[name])
                for name, inner in shape.members.items()
                if value.get(name) is not None
            }
        if shape.type_name == "list":
            return [self._plain(shape.member, each) for each in value]
        if shape.type_name == "map":
            return {key: self._plain(shape.value, each) for key, each in value.items()}
        return self.time(value) if shape.type_name == "timestamp" else value
