"""The declaration of a resource: what the service model does not say about a noun."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from clary.core.errors import ServiceError
from clary.core.names import arn as make_arn
from clary.core.names import owner_of
from clary.resources.context import Context, Reconciler
from clary.resources.dialect import Dialect
from clary.state.records import Key, Link, Query, Record
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from clary.resources.told import StateChange

ErrorFor = Callable[[str, str], ServiceError]
"""Takes a name and an ARN, gives the error to answer."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One noun of a service; its ordinary operations follow from the shapes of the service model.

    Only what differs from the rule is declared. A noun whose behaviour is more than to be kept hangs its part into
    ``prepare``, ``amend``, ``computed``, ``stop``, ``start`` and ``remove``; an operation that fits none of them is a
    plain function, listed beside the grammar's.
    """

    dialect: Dialect
    noun: str
    """As in the operations' names: ``TrainingJob`` for ``CreateTrainingJob``."""
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Its ordinary operations that are not named after it, by verb: ``{"list": ("ListLabelingJobsForWorkteam",)}``."""

    # What it is called

    arn: str = ""
    """The resource part of the ARN, or all of it: ``{name}`` stands for the name, ``{id}`` for an id that Create makes
    up, a member's name for the member that names a parent. By default the noun in small letters, and the name."""
    names: tuple[str, ...] = ()
    """The members of requests that name it, after those that name what it belongs to: ``("DomainId", "SpaceName")``.
    By default the noun's name."""
    any_case: bool = False
    """Whether names that differ by capital letters alone are one name; it is shown as Create was given it."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other spellings of those members in requests."""
    unnamed: Mapping[str, str] = field(default_factory=dict)
    """What members of ``names`` are when a request leaves them out."""
    arn_member: str = ""
    """The member that shows the ARN; by default the noun's."""
    generated: Callable[[Resource, Context, Transaction, dict[str, Any]], str] | None = None
    """Makes the name that Create gives, where the caller does not choose it."""
    parent: Resource | None = None
    """What it belongs to, and must exist when it is created."""
    locate: Callable[[Context, Transaction, Mapping[str, Any]], Record | None] | None = None
    """Finds the record that a request means, where names and ARNs do not tell it."""

    # What it shows

    status: str | None = None
    """The member that shows the status."""
    initial: str = ""
    """The status after Create."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Members of answers, filters and sort keys that stand elsewhere in the document: their dotted paths, or a column
    such as ``@name``, ``@status``, ``@created``, ``@modified`` and ``@arn``."""
    computed: Mapping[str, Callable[[Context, Transaction, Record], Any]] = field(default_factory=dict)
    """Members of answers that are not kept as they were given; ``None`` leaves a member out."""
    descending: bool = False
    """Whether List shows the newest first unless told otherwise."""
    sort_by: str = "@created"
    """What List sorts by unless told otherwise: a column, or a path as in ``paths``."""
    page: int = 0
    """How many rows a page of List has when the request does not say, where it is not the dialect's number."""
    related: Mapping[str, Callable[[Context, Transaction, Any], Iterable[str] | Link]] = field(default_factory=dict)
    """Members of List's request, each with a function that gives the ARNs of the resources that it asks for, or the
    connection that they have."""

    # What it does

    later: str = ""
    """What Clary does not do yet, so that Create refuses: ``"Compilation jobs"``."""
    references: Mapping[str, Resource] = field(default_factory=dict)
    """Members of Create's and Update's requests that name other resources, which must exist."""
    versions: Resource | None = None
    """The noun that keeps each state which an Update replaces."""
    missing: ErrorFor | None = None
    """The error for a name that is not there, where it is not the dialect's."""
    present: ErrorFor | None = None
    """The error for a name that is taken, where it is not the dialect's."""
    prepare: Callable[[Context, Transaction, dict[str, Any]], None] | None = None
    """Checks a Create request that is valid by its shapes, and fills in defaults."""
    added: Callable[[Context, Transaction, Record], None] | None = None
    """What else is stored with a new resource."""
    amend: Callable[[Context, Transaction, Record, dict[str, Any]], None] | None = None
    """Checks an Update request and says what else it changes."""
    stop: Callable[[Context, Record], None] | None = None
    """Changes the record when Stop is called, or refuses to."""
    start: Callable[[Context, Record], None] | None = None
    """Changes the record when Start is called, or refuses to."""
    remove: Callable[[Context, Transaction, Record], bool] | None = None
    """Called by Delete: true when the row goes now, false when a reconciler ends the resource's work first."""
    reconcile: Reconciler | None = None
    tells: tuple[StateChange, ...] = ()
    """Which of its changes the default event bus is told."""

    def __post_init__(self) -> None:
        # A frozen dataclass is filled in once, here.
        if not self.names:
            object.__setattr__(self, "names", (f"{self.noun}Name",))
        if not self.arn_member:
            object.__setattr__(self, "arn_member", f"{self.noun}Arn")
        if not self.arn:
            object.__setattr__(self, "arn", f"{kebab(self.noun)}/{{name}}")
        if self.versions is not None:
            # Neither can be declared with the other before it.
            object.__setattr__(self.versions, "parent", self)

    @property
    def service(self) -> str:
        return self.dialect.service

    @property
    def name_member(self) -> str:
        return self.names[-1]

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The members that name what it belongs to."""
        return self.names[:-1]

    def key(self, context: Context, name: str, *parents: str) -> Key:
        """The database key of the resource called ``name``."""
        name = name.lower() if self.any_case else name
        return Key(context.account, context.region, self.service, self.noun, "/".join(parents), name)

    def make_arn(self, context: Context, name: str, *parents: str, id: str = "*") -> str:
        """The ARN of the resource called ``name``."""
        values = dict(zip(self.parents, parents, strict=False))
        place = {"account": context.account, "region": context.region}
        # What a resource does not belong to leaves no gap.
        text = self.arn.format(name=name, id=id, **values, **place).replace("//", "/")
        return text if text.startswith("arn:") else make_arn(self.service, context.region, context.account, text)

    def query(self, context: Context) -> Query:
        """The question for all resources of this noun."""
        return Query(context.account, context.region, self.service, self.noun)

    def called(self, params: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The name that a request has for the resource, perhaps an ARN, and those of what it belongs to."""
        name = self._name(
            params.get(self.name_member) or params.get(self.arn_member) or self.unnamed.get(self.name_member)
        )
        parents = (_last(self._name(params.get(member) or self.unnamed.get(member))) for member in self.parents)
        return name, tuple(parents)

    def _name(self, value: Any) -> str:
        text = _text(value)
        return text.lower() if self.dialect.small_names and not text.startswith("arn:") else text

    def arn_of(self, context: Context, params: Mapping[str, Any]) -> str:
        """The ARN that a request means, for policies; an asterisk stands for a name that it does not have."""
        spelled = {self.aliases.get(member, member): value for member, value in params.items()}
        name, parents = self.called(spelled)
        if name.startswith("arn:"):
            return name
        for member in self.names:
            # What belongs to something that is called by its ARN is of the same account.
            if (account := owner_of(_text(spelled.get(member)), context.account)) != context.account:
                context = replace(context, account=account)
        if (record := self._meant(context, spelled, name, parents)) is not None:
            return record.arn
        return self.make_arn(context, name or "*", *parents)

    def _meant(self, context: Context, params: Mapping[str, Any], name: str, parents: tuple[str, ...]) -> Record | None:
        """The record that a request means, where its ARN does not follow from what the request says.

        Where letters are all one, a policy says the name as it was given to Create, whatever letters this request has.
        """
        if not (self.any_case or "{id}" in self.arn or (self.locate is not None and not name)):
            return None
        with context.platform.database.read() as transaction:
            if name or self.locate is None:
                return transaction.get(self.key(context, name, *parents))
            try:
                return self.locate(context, transaction, params)
            except ServiceError:
                # That something is not there is told to those alone who may ask.
                return None

    def named(self, context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
        """The resource that a request names, by its name or by its ARN.

        Raises the noun's not-found error.
        """
        name, parents = self.called(params)
        if self.locate is None:
            return self.find(context, transaction, name, *parents)
        record = self.locate(context, transaction, params)
        if record is None:
            raise self.not_found(context, _last(name), *parents)
        return record

    def by_arn(self, context: Context, transaction: Transaction, arn: str) -> Record | None:
        """The resource of this noun with this ARN, if the caller's account has it."""
        record = transaction.by_arn(arn)
        mine = record is not None and (record.key.kind, record.key.account) == (self.noun, context.account)
        return record if mine else None

    def find(self, context: Context, transaction: Transaction, name: str, *parents: str) -> Record:
        """The resource with this name or ARN; raises the noun's not-found error."""
        if name.startswith("arn:"):
            record = self.by_arn(context, transaction, name)
        else:
            record = transaction.get(self.key(context, name, *parents))
        if record is None:
            raise self.not_found(context, _last(name), *parents)
        return record

    def not_found(self, context: Context, name: str, *parents: str) -> ServiceError:
        """The error for a name that is not there."""
        arn = self.make_arn(context, name, *parents, *("",) * (len(self.parents) - len(parents)))
        if self.missing is not None:
            return self.missing(name, arn)
        return self.dialect.missing(self.noun, name, arn)

    def taken(self, record: Record) -> ServiceError:
        """The error for a name that is there already."""
        if self.present is not None:
            return self.present(record.name, record.arn)
        return self.dialect.present(self.noun, record.name, record.arn)


def kebab(noun: str) -> str:
    """A noun in small letters and hyphens: ``training-job``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", noun).lower()


def _text(value: Any) -> str:
    """What a key holds of a member: text as it is, and a list's items one after the other."""
    if value is None:
        return ""
    return "\x1f".join(map(str, value)) if isinstance(value, list) else str(value)


def _last(name: str) -> str:
    """The name at the end of an ARN, or the name itself."""
    return name.rsplit("/", 1)[-1] if name.startswith("arn:") else name
