"""The declaration of a resource: what the service model does not say about a noun."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clary.core.errors import ResourceInUse, ResourceNotFound, ServiceError
from clary.core.names import arn as make_arn
from clary.resources.context import Context, Reconciler
from clary.state.records import Key, Record
from clary.state.transaction import Transaction

ErrorFor = Callable[[str, str], ServiceError]
"""Takes a name and an ARN, gives the error to answer."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One noun of a service; its Create, Describe, List, Update, Delete and Stop follow from the shapes of the model.

    A noun whose behaviour is more than to be kept hangs its part into ``prepare``, ``computed``, ``stop``, ``remove``;
    an operation that fits none of them is a plain function, listed beside the grammar's.
    """

    service: str
    noun: str
    """As in the operations' names: ``TrainingJob`` for ``CreateTrainingJob``."""
    arn: str
    """The resource part of the ARN, for example ``training-job/{name}``; ``{parent}`` stands for the parent's name."""
    parent: str | None = None
    """The member of the requests that names the parent."""
    generated: bool = False
    """Whether the key is an id that Create makes up, because names need not be unique."""
    status: str | None = None
    """The member that shows the status."""
    initial: str = ""
    """The status after Create."""
    descending: bool = False
    """Whether List shows the newest first unless told otherwise."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Further members of List's request, each with the dotted path in the document that must equal it."""
    related: Mapping[str, Callable[[Context, Transaction, str], Iterable[str]]] = field(default_factory=dict)
    """Further members of List's request, each with a function that gives the ARNs of the resources that it asks for."""
    missing: ErrorFor | None = None
    """The error for a name that is not there."""
    present: ErrorFor | None = None
    """The error for a name that is taken."""
    prepare: Callable[[Context, Transaction, dict[str, Any]], None] | None = None
    """Checks a Create request that is valid by its shapes, and fills in defaults."""
    amend: Callable[[Context, Transaction, Record, dict[str, Any]], None] | None = None
    """Checks an Update request and says what else it changes."""
    computed: Mapping[str, Callable[[Context, Transaction, Record], Any]] = field(default_factory=dict)
    """Members of Describe and List that are not kept as they were given."""
    stop: Callable[[Context, Record], None] | None = None
    """Changes the record when Stop is called, or refuses to."""
    remove: Callable[[Context, Transaction, Record], bool] | None = None
    """Called by Delete: true when the row goes now, false when a reconciler ends the resource's work first."""
    reconcile: Reconciler | None = None

    @property
    def name_member(self) -> str:
        return f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        return f"{self.noun}Arn"

    def key(self, account: str, region: str, name: str, parent: str = "") -> Key:
        """The database key of the resource called ``name``."""
        return Key(account, region, self.service, self.noun, parent, name)

    def make_arn(self, account: str, region: str, name: str, parent: str = "") -> str:
        """The ARN of the resource called ``name``."""
        return make_arn(self.service, region, account, self.arn.format(name=name, parent=parent))

    def named(self, context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
        """The resource that a request names, by its name or by its ARN.

        Raises the noun's not-found error.
        """
        name = str(params.get(self.name_member) or params.get(self.arn_member) or "")
        parent = str(params.get(self.parent, "")) if self.parent else ""
        if name.startswith("arn:"):
            record = transaction.by_arn(name)
            if record is not None and (record.key.kind, record.key.account) == (self.noun, context.account):
                return record
            name = name.rsplit("/", 1)[-1]
        elif (record := transaction.get(self.key(context.account, context.region, name, parent))) is not None:
            return record
        raise self.not_found(context, name, parent)

    def find(self, context: Context, transaction: Transaction, name: str, parent: str = "") -> Record:
        """The resource called ``name``; raises the noun's not-found error."""
        record = transaction.get(self.key(context.account, context.region, name, parent))
        if record is None:
            raise self.not_found(context, name, parent)
        return record

    def not_found(self, context: Context, name: str, parent: str = "") -> ServiceError:
        """The error for a name that is not there."""
        arn = self.make_arn(context.account, context.region, name, parent)
        if self.missing is not None:
            return self.missing(name, arn)
        return ResourceNotFound(f"{self.noun} '{name}' does not exist.")

    def taken(self, record: Record) -> ServiceError:
        """The error for a name that is there already."""
        if self.present is not None:
            return self.present(record.name, record.arn)
        return ResourceInUse(f"{self.noun} '{record.name}' already exists ({record.arn}).")
