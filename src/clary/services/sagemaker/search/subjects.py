"""What can be searched for: each type of resource with its noun and the shape through which Search shows it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchRecord.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.view import Seen, seeing, viewer
from clary.services.sagemaker.search.nouns import Nouns
from clary.state.records import Record
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from botocore.model import ServiceModel, StructureShape


@dataclass(frozen=True, eq=False)
class Subject:
    """A type of resource that can be searched for."""

    member: str
    """The member of ``SearchRecord`` that shows it: ``Trial``."""
    resource: Resource
    """The noun, with the members that only Search has."""
    shape: StructureShape
    """What it looks like."""
    shown: bool
    """Whether ``SearchRecord`` has a member for it at all; it has none for images."""
    _seen: dict[str, Seen] = field(default_factory=dict)

    def look(self, context: Context, transaction: Transaction, record: Record) -> dict[str, Any]:
        """A record as Search answers with it."""
        return {self.member: viewer(self.resource, self.shape)(context, transaction, record)} if self.shown else {}

    def seen(self, member: str) -> Seen:
        """How one member of the record is seen."""
        if member not in self._seen:
            self._seen[member] = seeing(self.resource, member, self.shape.members[member])
        return self._seen[member]


def subjects(declared: Iterable[Resource], model: ServiceModel) -> dict[str, Subject]:
    """All types of resources that ``model`` lets one search for; ``declared`` are the service's nouns."""
    record = model.shape_for("SearchRecord").members
    nouns = Nouns(declared, record)
    found = {}
    for type_ in model.shape_for("ResourceType").enum:
        member = next((name for name in (type_, type_.removeprefix("Experiment")) if name in record), type_)
        shape = record[member] if member in record else model.operation_model(f"Describe{member}").output_shape
        found[type_] = Subject(member, nouns[member], shape, member in record)
    return found


class Glimpse:
    """A record as Search shows it, of which each member is worked out when it is first looked at."""

    def __init__(self, subject: Subject, context: Context, transaction: Transaction, record: Record) -> None:
        self._subject = subject
        self._seen_from = (context, transaction, record)
        self._known: dict[str, Any] = {}

    def get(self, member: str) -> Any:
        """What the record has as ``member``, or ``None``."""
        if member not in self._known:
            self._known[member] = self._subject.seen(member)(*self._seen_from)
        return self._known[member]
