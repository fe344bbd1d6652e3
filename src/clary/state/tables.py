"""The tables: every resource is a row of ``resources``; what belongs to it stands beside it."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

REVISION = "0002"
"""The migration that these definitions correspond to (``migrations/versions``)."""

metadata = MetaData()

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

resources = Table(
    "resources",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("service", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("parent", String(512), nullable=False),
    Column("name", String(512), nullable=False),
    Column("arn", Text, nullable=False),
    Column("status", String(64), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("modified", Float(53), nullable=False),
    Column("document", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    # When a reconciler should look next; null where nothing is to be done.
    Column("wake_at", Float(53)),
    Column("lease_owner", String(64)),
    Column("lease_until", Float(53)),
    # Grows with every lease, so that a reconciler whose lease ran out cannot write.
    Column("fence", Integer, nullable=False, default=0),
    UniqueConstraint("account", "region", "service", "kind", "parent", "name", name="resources_key"),
    Index("resources_by_creation", "account", "region", "service", "kind", "created", "id"),
    Index("resources_by_modification", "account", "region", "service", "kind", "modified", "id"),
    Index("resources_by_name", "account", "region", "service", "kind", "name", "id"),
    Index("resources_by_status", "account", "region", "service", "kind", "status", "id"),
    Index("resources_by_wake", "wake_at"),
    Index("resources_by_arn", "arn"),
    # Row ids name the folders of jobs, so that one must never be given out twice.
    sqlite_autoincrement=True,
)

tags = Table(
    "tags",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", String(256), nullable=False),
)

associations = Table(
    "associations",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("source", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("type", String(64), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("document", JSON, nullable=False),
    UniqueConstraint("account", "region", "source", "destination", name="associations_key"),
    Index("associations_by_destination", "account", "region", "destination"),
    Index("associations_by_creation", "account", "region", "created", "id"),
)

# What was measured while a resource was at work: one row a value, so the resource is told by its row alone.
metrics = Table(
    "metrics",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("resource", BigInteger, nullable=False),
    Column("name", String(255), nullable=False),
    Column("time", Float(53), nullable=False),
    Column("step", BigInteger),
    Column("value", Float(53), nullable=False),
    Index("metrics_by_time", "resource", "name", "time"),
)

events = Table(
    "events",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("arn", Text, nullable=False),
    Column("time", Float(53), nullable=False),
    Column("type", String(64), nullable=False),
    Column("document", JSON, nullable=False),
    Index("events_by_arn", "arn", "id"),
)

# Published for the process that listens: what it must know to serve without asking anyone. Each topic has a revision
# that grows with every change, so that a reader sees at the price of one row whether anything is new.
routes = Table(
    "routes",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(512), primary_key=True),
    Column("document", JSON, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("topic", String(32), primary_key=True),
    Column("revision", BigInteger, nullable=False),
)
