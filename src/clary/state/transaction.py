"""What can be asked and changed within one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from clary.state import graph, statements
from clary.state.messages import Messages
from clary.state.metrics import Metrics
from clary.state.observed import Changes, Observer
from clary.state.places import Places
from clary.state.records import AlreadyExists, Association, Key, Query, Record, VersionConflict
from clary.state.search import statements as searches
from clary.state.search.clauses import Hit, Path, Search
from clary.state.series import SeriesStore
from clary.state.session import Prepared, Session
from clary.state.tables import (
    associations,
    message_tokens,
    messages,
    metrics,
    places,
    points,
    resources,
    revisions,
    routes,
    series,
    tags,
)

_R = resources.c
_FEW = 2_000
"""Up to so many resources a search looks up one by one, instead of going through all in their order."""
_FEW_SORTED = 500
"""Up to so many resources of a status or a parent a list looks up and sorts, instead of going through all in order."""
_FEW_LINKED = 500
"""The same for lists of what is connected with a resource."""


class Transaction:
    """What can be asked and changed within one transaction."""

    def __init__(self, session: Session, observer: Observer | None = None) -> None:
        self._session = session
        self._connection = session.connection
        self.changes = Changes(self, observer)

    # Resources

    def get(self, key: Key) -> Record | None:
        """The resource with this key."""
        return self._one(statements.by_key, key._asdict())

    def by_id(self, row_id: int) -> Record | None:
        """The resource in this row."""
        return self._one(statements.by_row, {"row": row_id})

    def by_arn(self, arn: str) -> Record | None:
        """The resource with this ARN."""
        return self._one(statements.by_arn, {"arn": arn})

    def _one(self, statement: Prepared, parameters: Mapping[str, Any]) -> Record | None:
        row = self._session.first(statement, parameters)
        return _record(row) if row is not None else None

    def insert(self, record: Record) -> Record:
        """Store a new resource and give it its row id.

        Raises ``AlreadyExists`` if there is one with its key.
        """
        values = {**record.key._asdict(), **_values(record), "version": 1, "created": record.created, "fence": 0}
        try:
            row = self._session.insert(statements.insertion, values)
        except (IntegrityError, sqlite3.IntegrityError):
            present = self.get(record.key)
            if present is None:
                raise
            raise AlreadyExists(present) from None
        record.id, record.version = row, 1
        self.changes.added(record)
        return record

    def update(self, record: Record, *, fence: int | None = None, release: bool = False) -> Record:
        """Store a changed resource; with ``release`` its lease ends, as it does where nothing is left to be done.

        Raises ``VersionConflict`` if it changed since it was read, or if ``fence`` is no longer that of its lease.
        """
        parameters = {f"new_{name}": value for name, value in _values(record).items()}
        parameters |= {"new_version": record.version + 1, "row": record.id, "old_version": record.version}
        if fence is not None:
            parameters["old_fence"] = fence
        statement = statements.change(fence is not None, release or record.wake_at is None)
        change = self.changes.coming(record)
        if self._session.change(statement, parameters) != 1:
            raise VersionConflict(record.arn)
        self.changes.made(change)
        record.version += 1
        return record

    def delete(self, record: Record) -> None:
        """Remove a resource with its tags.

        Raises ``VersionConflict`` if it changed since it was read.
        """
        parameters = {"row": record.id, "old_version": record.version}
        change = self.changes.coming(record, deleted=True)
        if self._session.change(statements.deletion, parameters) != 1:
            raise VersionConflict(record.arn)
        self.changes.made(change)
        self._session.change(statements.untagging, {"of": record.arn})

    def has(self, account: str, region: str, service: str, kind: str, parent: str) -> bool:
        """Whether there is a resource of this kind and parent."""
        place = {"account": account, "region": region, "service": service, "kind": kind, "parent": parent}
        return self._session.first(statements.any_within, place) is not None

    def find(self, query: Query) -> list[Record]:
        """The resources that ``query`` asks for; a page costs the same wherever in the list it lies."""
        told = self._told(query)
        statement, parameters = statements.listing(told, self._tells_few_apart(told))
        return [_record(row) for row in self._session.rows(statement, parameters)]

    def _tells_few_apart(self, query: Query) -> bool:
        """Whether it is better to look up what ``query`` asks for and sort it than to go through all in its order.

        SQLite's planner, unlike others, does not know how many rows have which value.
        """
        if self._session.driver is None or (apart := statements.apart(query)) is None:
            return False
        row = self._session.first(*statements.counting_some(apart, _FEW_SORTED + 1))
        return row is not None and row[0] <= _FEW_SORTED

    def count(self, query: Query) -> int:
        """How many resources ``query`` asks for, its page left aside."""
        statement, parameters = statements.counting(self._told(query))
        return int(self._connection.execute(statement, parameters).scalar_one())

    def _told(self, query: Query) -> Query:
        """``query`` with the ARNs of what is connected with few; those are looked up one by one."""
        for link in query.linked:
            arns = self._connection.execute(graph.linked(link, query.account, query.region).limit(_FEW_LINKED + 1))
            found = set(arns.scalars())
            if len(found) <= _FEW_LINKED:
                kept = tuple(found if query.arns is None else found.intersection(query.arns))
                query = replace(query, arns=kept, linked=tuple(each for each in query.linked if each != link))
        return query

    def search(self, search: Search) -> Iterator[Hit]:
        """The resources that ``search`` asks for, read as they are taken."""
        few = [
            part
            for part in searches.told_apart(search)
            if self._connection.execute(searches.counting_apart(part, search, _FEW + 1)).scalar_one() <= _FEW
        ]
        statement = searches.searching(search, few)
        width = len(statements.COLUMNS)
        for row in self._connection.execute(statement, execution_options={"yield_per": 100}):
            yield Hit(_record(row), tuple(row[width:]))

    def count_hits(self, search: Search, most: int) -> int:
        """How many resources ``search`` asks for, its page left aside, counted as far as ``most``."""
        return int(self._connection.execute(searches.counting_hits(search, most)).scalar_one())

    def names_in(self, search: Search, path: Path, then: Path | None, prefix: str, most: int) -> list[str]:
        """The names that start with ``prefix`` and that the resources which ``search`` asks for have at ``path``.

        They are the keys of maps or, with ``then``, what stands there in the elements of lists.
        """
        if then is None:
            statement = searches.keys_of(search, path, prefix, most)
        else:
            statement = searches.values_of(search, path, then, prefix, most)
        return list(self._connection.execute(statement).scalars())

    def active(self, service: str, kinds: Sequence[str]) -> list[Record]:
        """The resources of these kinds that have work to do, in all accounts and regions, the oldest first."""
        rows = self._session.rows(statements.active, {"service": service, "kinds": kinds})
        return sorted(map(_record, rows), key=lambda record: record.id)

    def at_rest(self, service: str, kinds: Sequence[str], before: float, limit: int) -> list[Record]:
        """The oldest resources of these kinds, in all accounts and regions, that have no work to do and have not
        changed since that time."""
        wanted = {"service": service, "kinds": kinds, "before": before, "most": limit}
        return [_record(row) for row in self._session.rows(statements.at_rest, wanted)]

    def regions(self, account: str) -> list[str]:
        """The regions in which an account has resources."""
        # One look at an index for each of them.
        found = [""]
        following = select(func.min(_R.region)).where(_R.account == account, _R.region > bindparam("last"))
        while (region := self._connection.execute(following, {"last": found[-1]}).scalar_one()) is not None:
            found.append(str(region))
        return found[1:]

    def count_statuses(self, service: str, kinds: Sequence[str]) -> list[tuple[str, str, int]]:
        """How many resources of these kinds there are in all accounts and regions, by kind and status."""
        where = and_(_R.service == service, _R.kind.in_(kinds))
        counting = select(_R.kind, _R.status, func.count()).where(where).group_by(_R.kind, _R.status)
        return [(str(kind), str(status), int(count)) for kind, status, count in self._connection.execute(counting)]

    # Leases

    def any_due(self, now: float) -> bool:
        """Whether there is a resource that ``claim`` would lease."""
        return self._session.first(statements.any_due, {"now": now}) is not None

    def claim(self, owner: str, now: float, until: float, limit: int = 1000) -> list[Record]:
        """Lease to ``owner`` the resources that are due and that nobody else holds."""
        ids = [row[0] for row in self._session.rows(statements.all_due, {"now": now, "most": limit})]
        if not ids:
            return []
        self._session.change(statements.leasing, {"rows": ids, "owner": owner, "until": until})
        return [_record(row) for row in self._session.rows(statements.by_rows, {"rows": ids})]

    def renew(self, owner: str, until: float) -> None:
        """Prolong all leases of ``owner``; nobody asks for one of a resource without work."""
        held = and_(_R.wake_at.is_not(None), _R.lease_owner == owner)
        self._connection.execute(update(resources).where(held).values(lease_until=until))

    def take_over(self, process: str) -> None:
        """End the leases of the owners ``process:…``: for a process of that name, whose predecessors have died."""
        held = _R.lease_owner.startswith(f"{process}:", autoescape=True)
        self._connection.execute(update(resources).where(held).values(lease_owner=None, lease_until=None))

    def make_due(self, now: float) -> None:
        """Let be due what was due before the clock was set back to ``now``; the latest change tells how far it was."""
        latest = select(func.max(_R.modified)).scalar_subquery()
        self._connection.execute(update(resources).where(_R.wake_at > now, _R.wake_at <= latest).values(wake_at=now))

    @property
    def places(self) -> Places:
        """The line of the jobs."""
        return Places(self._session)

    # Tags

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of the resource with this ARN, by key."""
        return {row[0]: row[1] for row in self._session.rows(statements.tags_of, {"arn": arn})}

    def set_tags(self, arn: str, values: Mapping[str, str]) -> None:
        """Add tags; one whose key is there gets the new value."""
        if not values:
            return
        self.remove_tags(arn, values)
        self._session.change_each(
            statements.tagging, [{"arn": arn, "key": key, "value": value} for key, value in values.items()]
        )

    def remove_tags(self, arn: str, keys: Iterable[str]) -> None:
        """Remove the tags with these keys."""
        self._session.change(statements.untagging_some, {"of": arn, "keys": list(keys)})

    def tagged(self, account: str, region: str, wanted: Mapping[str, Collection[str]]) -> list[Record]:
        """The resources of an account and region that have a tag for each key, by ARN.

        Its value must be one of those given; an empty collection takes any.
        """
        conditions = [_R.account == account, _R.region == region, _R.arn.in_(select(tags.c.arn))]
        for key, values in wanted.items():
            having = select(tags.c.arn).where(tags.c.key == key)
            conditions.append(_R.arn.in_(having.where(tags.c.value.in_(list(values))) if values else having))
        rows = self._connection.execute(select(*statements.COLUMNS).where(*conditions).order_by(_R.arn))
        return [_record(row) for row in rows]

    def tags_in_use(self, account: str, region: str) -> set[tuple[str, str]]:
        """The keys and values of all tags that resources of an account and region have."""
        mine = select(_R.arn).where(_R.account == account, _R.region == region)
        return {(row.key, row.value) for row in self._connection.execute(select(tags).where(tags.c.arn.in_(mine)))}

    # Lineage

    def associate(self, account: str, region: str, association: Association) -> bool:
        """Store an edge; false if there is one between the two."""
        values = {
            "account": account,
            "region": region,
            "source": association.source,
            "destination": association.destination,
            "type": association.type,
            "created": association.created,
            "document": association.document,
        }
        try:
            self._session.insert(statements.association, values)
        except (IntegrityError, sqlite3.IntegrityError):
            return False
        return True

    def disassociate(self, account: str, region: str, source: str, destination: str) -> bool:
        """Remove an edge; false if there is none between the two."""
        a = associations.c
        where = and_(a.account == account, a.region == region, a.source == source, a.destination == destination)
        return self._connection.execute(delete(associations).where(where)).rowcount == 1

    def associations(
        self, account: str, region: str, *, source: str | None = None, destination: str | None = None
    ) -> Sequence[Association]:
        """The edges from ``source``, to ``destination``, or between the two, the oldest first."""
        given = {"source": source, "destination": destination}
        ends = {name: value for name, value in given.items() if value is not None}
        rows = self._session.rows(statements.edges(tuple(ends)), {"account": account, "region": region, **ends})
        return [Association(start, end, type_, created, _document(kept)) for start, end, type_, created, kept in rows]

    def has_edges(self, account: str, region: str, arn: str) -> bool:
        """Whether there are edges from or to the resource with this ARN."""
        place = {"account": account, "region": region, "arn": arn}
        return any(self._session.first(each, place) for each in (statements.edges_from, statements.edges_to))

    def detach(self, account: str, region: str, arn: str) -> None:
        """Remove all edges from and to the resource with this ARN."""
        for each in statements.detachments:
            self._session.change(each, {"account": account, "region": region, "arn": arn})

    def lineage(self, account: str, region: str, apart: Collection[str] = ()) -> graph.Graph:
        """The graph of the edges in one account and region, without those of the types ``apart``."""
        return graph.Graph(self._connection, account, region, apart)

    # Metrics

    @property
    def metrics(self) -> Metrics:
        """What was measured of resources while they were at work."""
        return Metrics(self._session)

    @property
    def series(self) -> SeriesStore:
        """What was measured of anything under the names of metrics."""
        return SeriesStore(self._session)

    # Messages

    @property
    def messages(self) -> Messages:
        """What waits in queues."""
        return Messages(self._connection)

    # What the edge must know

    def bump(self, topic: str) -> None:
        """Say that something under ``topic`` changed."""
        changed = update(revisions).where(revisions.c.topic == topic).values(revision=revisions.c.revision + 1)
        if self._connection.execute(changed).rowcount == 0:
            self._connection.execute(insert(revisions).values(topic=topic, revision=1))

    def revision(self, topic: str) -> int:
        """How often ``topic`` changed."""
        row = self._session.first(statements.revision_of, {"topic": topic})
        return int(row[0]) if row else 0

    def revisions(self) -> dict[str, int]:
        """How often each topic changed."""
        return {row[0]: row[1] for row in self._session.rows(statements.all_revisions, {})}

    def set_route(self, account: str, region: str, name: str, document: Mapping[str, Any] | None) -> None:
        """Publish where the endpoint ``name`` is served, or, with ``None``, that it is not."""
        r = routes.c
        self._connection.execute(delete(routes).where(r.account == account, r.region == region, r.name == name))
        if document is not None:
            values = {"account": account, "region": region, "name": name, "document": dict(document)}
            self._connection.execute(insert(routes).values(values))
        self.bump("routes")

    def routes(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Where every endpoint is served, by account, region and name."""
        return {(row.account, row.region, row.name): row.document for row in self._connection.execute(select(routes))}

    # All

    def clear(self) -> None:
        """Forget everything."""
        measured = (metrics, series, points)
        for table in (resources, tags, associations, places, *measured, routes, messages, message_tokens):
            self._connection.execute(delete(table))
        for topic in ("routes", "identity"):
            self.bump(topic)


def _values(record: Record) -> dict[str, Any]:
    return {
        "arn": record.arn,
        "status": record.status,
        "modified": record.modified,
        "document": record.document,
        "wake_at": record.wake_at,
    }


def _record(row: Sequence[Any]) -> Record:
    """The record in a row of ``statements.COLUMNS``, which other columns may follow."""
    row_id, account, region, service, kind, parent, name, arn, status, created, modified, document, *rest = row
    version, wake_at, fence = rest[:3]
    return Record(
        Key(account, region, service, kind, parent, name),
        arn,
        created,
        modified,
        _document(document),
        status,
        wake_at,
        version,
        row_id,
        fence,
    )


def _document(stored: Any) -> Any:
    # SQLite's driver gives the text.
    return orjson.loads(stored) if type(stored) is str else stored
