"""Associations as a graph, and lists of what is connected with a resource, however much that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from clary.state.database import Database
from clary.state.graph import EdgeQuery
from clary.state.records import Association, Key, Link, Query, Record
from clary.state.transaction import Transaction

ACCOUNT, REGION = "123456789012", "us-east-1"
MANY = 700
"""More than what is looked up one by one."""


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The statements that are run, as they are run."""
    seen: list[str] = []

    def look(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", look)
    yield seen
    event.remove(Engine, "before_cursor_execute", look)


def keep(transaction: Transaction, kind: str, name: str, created: float = 1.0, **document: object) -> str:
    key = Key(ACCOUNT, REGION, "sagemaker", kind, "", name)
    return transaction.insert(Record(key, f"arn:{kind}:{name}", created, created, dict(document))).arn


def join(transaction: Transaction, source: str, destination: str, type_: str = "Made", created: float = 1.0) -> None:
    assert transaction.associate(ACCOUNT, REGION, Association(source, destination, type_, created))


def names(transaction: Transaction, query: Query) -> list[str]:
    """The names of all pages of seven."""
    found: list[str] = []
    while rows := transaction.find(replace(query, limit=7)):
        found += [row.name for row in rows]
        query = replace(query, after=(rows[-1].created, rows[-1].id))
    return found


@pytest.mark.parametrize("count", [3, MANY])
def test_pages_of_what_is_connected(database: Database, count: int) -> None:
    with database.write() as transaction:
        groups = [keep(transaction, "Group", name) for name in "ab"]
        top = keep(transaction, "Top", "top")
        join(transaction, groups[0], top, "GroupOf")
        for number in range(2 * count):
            item = keep(transaction, "Item", f"{number:04}", created=float(number % 10))
            join(transaction, item, groups[number % 2], "ItemOf")
            join(transaction, item, top, "Other")
    database.analyze()
    wanted = Query(ACCOUNT, REGION, "sagemaker", "Item")
    expected = sorted((f"{number:04}" for number in range(0, 2 * count, 2)), key=lambda name: (int(name) % 10, name))
    with database.read() as transaction:
        for link in (Link(("ItemOf",), groups[0]), Link(("ItemOf", "GroupOf"), top)):
            asked = replace(wanted, linked=(link,))
            assert names(transaction, asked) == expected
            assert names(transaction, replace(asked, descending=True)) == expected[::-1]
            assert transaction.count(asked) == count
            # Together with other conditions.
            assert names(transaction, asked.where("@name", "0002")) == ["0002"]
            both = replace(asked, linked=(link, Link(("ItemOf",), groups[1])))
            assert names(transaction, both) == []
        back = Query(ACCOUNT, REGION, "sagemaker", "Group", linked=(Link(("ItemOf",), "arn:Item:0003", incoming=True),))
        assert [row.name for row in transaction.find(back)] == ["b"]
        nothing = replace(wanted, linked=(Link(("ItemOf",), "arn:Group:none"),))
        assert transaction.find(nothing) == []
        elsewhere = Query(ACCOUNT, "eu-west-1", "sagemaker", "Item", linked=(Link(("ItemOf",), groups[0]),))
        assert transaction.find(elsewhere) == []


def test_what_is_next_to_many_is_one_statement(database: Database, statements: list[str]) -> None:
    with database.write() as transaction:
        arns = [keep(transaction, "Artifact", str(number), ArtifactType=f"T{number}") for number in range(MANY)]
        for first, second in pairwise(arns):
            join(transaction, first, second)
        join(transaction, arns[0], arns[5], "Hidden")
    with database.read() as transaction:
        graph = transaction.lineage(ACCOUNT, REGION, ("Hidden",))
        statements.clear()
        assert list(graph.neighbours(arns, forward=True)) == list(pairwise(arns))
        assert [far for _, far in graph.neighbours(arns[5:6], forward=False)] == [arns[4]]
        found = graph.entities(arns, {"Artifact": ("ArtifactType",)}, {})
        assert len(statements) == 3
        assert [found[arn].type for arn in arns] == [f"T{number}" for number in range(MANY)]
        between = graph.between(arns[2:4], arns[:4])
        assert [(edge.source, edge.destination) for edge in between] == [(arns[1], arns[2]), (arns[2], arns[3])]
        assert graph.touches(arns[0])
        assert not transaction.lineage(ACCOUNT, REGION, ("Hidden", "Made")).touches(arns[0])


def test_a_page_of_edges_reads_no_more_than_it_shows(database: Database) -> None:
    with database.write() as transaction:
        centre = keep(transaction, "Action", "centre", ActionType="A")
        for number in range(20):
            item = keep(transaction, "Artifact", str(number), ArtifactType=f"T{number % 3}", ArtifactName=f"n{number}")
            join(transaction, centre, item, created=float(number // 2))
        join(transaction, "arn:gone", centre, created=100.0)
    types, called = {"Action": ("ActionType",), "Artifact": ("ArtifactType",)}, {"Artifact": ("ArtifactName",)}
    with database.read() as transaction:
        graph = transaction.lineage(ACCOUNT, REGION)
        for sort_by in ("created", "source", "destination", "source_type", "destination_type"):
            query, found = EdgeQuery(sort_by=sort_by, limit=4), []
            while page := graph.edges(query, types, called):
                found += page
                query = replace(query, after=(page[-1].value(sort_by), page[-1].id))
            assert len({edge.id for edge in found}) == 21
            keys = [(edge.value(sort_by), edge.id) for edge in found]
            assert keys == sorted(keys, reverse=True)
        [first] = graph.edges(EdgeQuery(created_to=0.0, descending=False, limit=1), types, called)
        assert (first.source_type, first.source_name) == ("A", "centre")
        assert (first.destination_type, first.destination_name) == ("T0", "n0")
        [lost] = graph.edges(EdgeQuery(source="arn:gone"), types, called)
        assert (lost.source_type, lost.source_name) == (None, None)


def test_detaching_removes_all_edges_of_a_resource(database: Database) -> None:
    with database.write() as transaction:
        for source, destination in ("ab", "ba", "cb", "ac"):
            join(transaction, source, destination)
        transaction.detach(ACCOUNT, REGION, "b")
        assert [(edge.source, edge.destination) for edge in transaction.associations(ACCOUNT, REGION)] == [("a", "c")]
