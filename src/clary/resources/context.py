"""What a handler and a reconciler are given, and what a service gives the platform."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from clary.core.settings import Settings
from clary.core.tracing import Span
from clary.resources.traced import own_place
from clary.state.database import Database
from clary.state.records import Record
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from clary.compute.functions.pool import Functions
    from clary.compute.images.environments import ImageStore
    from clary.compute.placement.base import Placement
    from clary.compute.programs import Programs
    from clary.resources.grammar import Spelled
    from clary.resources.resource import Resource


class Caller(Protocol):
    """The identity behind a request; the identity service has the full class."""

    @property
    def arn(self) -> str: ...

    @property
    def account(self) -> str: ...


class Identity(Protocol):
    """What services need of the identity service."""

    def check_pass_role(
        self,
        caller: Caller,
        role_arn: str,
        service: str,
        source_arn: str | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:
        """Refuse a role that does not exist, does not trust ``service``, or that ``caller`` may not hand on; ``told``
        are condition keys of the request."""

    def ticket(self, role_arn: str, session_name: str, seconds: float, row_id: int) -> str:
        """A sealed token with which a job fetches temporary credentials of ``role_arn`` for so long, or until the
        resource in the row is at work no more."""

    def seal(self, purpose: str, secret: str, bound_to: str) -> str:
        """A secret of a caller's as a resource may keep it; it can be opened for this purpose and ``bound_to`` only."""


class Calls(Protocol):
    """Calls of operations that a resource makes for its owner."""

    def offers(self, service: str, operation: str) -> bool:
        """Whether the platform has this operation of a service, both as botocore calls them."""

    def make(self, context: Context, service: str, operation: str, members: Any) -> Mapping[str, Any]:
        """Call it as ``context.caller``, whom the policies must allow it; ``members`` are those of the request in JSON.

        Raises ``ServiceError``.
        """


@dataclass(frozen=True)
class Platform:
    """What every handler and reconciler shares."""

    settings: Settings
    database: Database
    identity: Identity
    placement: Placement
    images: ImageStore
    programs: Programs
    functions: Functions
    wake: Callable[[int], None]
    """Says that the resource in this row wants its reconciler now."""
    clock: Callable[[], float]
    calls: Calls | None = None
    """Missing where nobody calls, such as in tests of other parts."""


@dataclass(frozen=True)
class Context:
    """One request: who asks, where, and with what at hand."""

    caller: Caller
    account: str
    region: str
    request_id: str
    platform: Platform
    token: str = ""
    """The same for all attempts of a client at one call, so that a Create which is sent again is known; or empty."""
    token_given: bool = False
    """Whether the request carries the token as a member, so that a client may repeat it after a long time."""
    told: Mapping[str, str] = field(default_factory=dict)
    """The condition keys of the way that the request came: ``aws:SourceIp``, ``aws:UserAgent`` and the like."""
    trace: str = ""
    """The ``traceparent`` of what begins with the request; empty where it is not traced."""
    passed: bool = False
    """Whether the caller was allowed already to hand on the roles that are named: a resource makes others for him."""


@dataclass(frozen=True)
class Creator:
    """Who created a resource, as the caller of what the resource does for him."""

    arn: str
    account: str


def on_behalf(platform: Platform, record: Record) -> Context:
    """A request of a resource's own, made for its creator after he was answered, and in the resource's trace."""
    key, place = record.key, own_place(record)
    creator = Creator(record.document["CreatedBy"]["IamIdentity"]["Arn"], key.account)
    trace = str(place) if place is not None else ""
    return Context(creator, key.account, key.region, str(uuid.uuid4()), platform, trace=trace, passed=True)


Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]
"""Takes the validated members of the request and gives the members of the answer; raises ``ServiceError``."""


class Reconciliation(Protocol):
    """One look at one resource, under a lease."""

    platform: Platform
    record: Record

    def save(self, also: Callable[[Transaction], object] | None = None) -> None:
        """Store ``record``, and in the same transaction what ``also`` does with it.

        Raises ``VersionConflict`` if the record changed since it was read or if the lease is lost.
        """

    def rest(self, until: float) -> None:
        """Store ``record`` and give the lease back: it is looked at again when somebody changes it, or at that time in
        seconds since the epoch. The look must end with ``None``. Raises as ``save`` does."""

    def delete(self, also: Callable[[Transaction], object] | None = None) -> None:
        """Remove the record; otherwise as ``save``."""

    def trace(self, spans: Iterable[Span]) -> None:
        """Tell spans that are over, which are sent if the look is saved; times are those that the record keeps."""


Reconciler = Callable[[Reconciliation], float | None]
"""Takes the next step for a resource; gives the seconds until the next look, or ``None`` when nothing is left to do."""


@dataclass(frozen=True)
class ServiceApp:
    """One AWS service: its operations by name, and the reconcilers of its kinds of resource."""

    name: str
    operations: Mapping[str, Handler]
    reconcilers: Mapping[str, Reconciler] = field(default_factory=dict)
    telling: Mapping[str, Resource] = field(default_factory=dict)
    """The nouns whose changes the default event bus is told, by their kinds."""
    open_operations: frozenset[str] = frozenset()
    """Operations that need no permission, such as ``GetCallerIdentity``, or whose handlers ask for it themselves."""
    action_prefix: str = ""
    """What stands before the colon of an action in a policy, where it is not ``name``."""
    resource_of: Callable[[Context, str, Mapping[str, Any]], str | tuple[str, ...]] | None = None
    """The ARN that an operation acts on, for the policies, or all that must be allowed; ``*`` where there is none."""
    conditions_of: Callable[[Context, str, Mapping[str, Any]], Mapping[str, Any]] | None = None
    """The service's own condition keys with what an operation's members give them, for the policies."""
    conditions_at: Callable[[Record], Mapping[str, Any]] | None = None
    """The service's own condition keys that a resource has; tags are known of all."""
    tagged_as: Callable[[str], str] | None = None
    """The ARN under which the tags of a resource are kept, where policies call it by another."""
    tagging: str | Callable[[str], str] = ""
    """The action that is needed beside an operation that gives tags to what it makes; or how to tell it."""
    actions: Mapping[str, str] = field(default_factory=dict)
    """Operations that policies know as another action: ``SendMessageBatch`` is ``SendMessage``."""
    policy_of: Callable[[Context, str], str | None] | None = None
    """The text of the policy that the resource with this ARN has itself, whosever it is."""
    acts_for_owner: bool = False
    """Whether what is done with a resource of another account, as its policy allows, is done in that account."""
    spelled: Callable[[], Mapping[str, Spelled]] = dict
    """The ordinary operations of its nouns by the operation's name, where the service is made by the grammar."""
