"""The tables: every resource is a row of ``resources``; what belongs to it stands beside it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0007"
"""The migration that these definitions correspond to (``migrations/versions``)."""

metadata = MetaData()

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")
_OF_KIND = ("account", "region", "service", "kind")


def _where(condition: str) -> dict[str, Any]:
    """The options of an index that holds some rows only; on PostgreSQL, whose module takes long to load, it has all."""
    return {"sqlite_where": text(condition)}


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
    # Of nouns that have no status, belong to nothing or are at rest, these hold nothing: each index costs every write.
    Index("resources_by_status_and_creation", *_OF_KIND, "status", "created", "id", **_where("status != ''")),
    Index("resources_by_parent", *_OF_KIND, "parent", "created", "id", **_where("parent != ''")),
    Index("resources_by_wake", "wake_at", **_where("wake_at IS NOT NULL")),
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

# Metrics that are put by name: a row for each of them, and one for each span of time in which it had values.
series = Table(
    "series",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("dimensions", Text, nullable=False),
    # Of namespace, name and dimensions, which are too long together for a key.
    Column("digest", String(32), nullable=False),
    # When values were last put, which may have been measured before.
    Column("published", Float(53), nullable=False),
    UniqueConstraint("account", "region", "digest", name="series_key"),
    Index("series_by_name", "account", "region", "namespace", "name", "id"),
    # Its points are found by its row alone, so that one must never be given out twice.
    sqlite_autoincrement=True,
)

points = Table(
    "points",
    metadata,
    Column("series", BigInteger, primary_key=True),
    Column("time", BigInteger, primary_key=True),
    Column("span", Integer, primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("count", Float(53), nullable=False),
    Column("sum", Float(53), nullable=False),
    Column("least", Float(53), nullable=False),
    Column("most", Float(53), nullable=False),
    # From which percentiles are read; null where not all values are known.
    Column("sketch", LargeBinary),
    Index("points_by_age", "span", "time"),
)

# Messages of queues, and those that an HTTP subscriber has not taken yet: they wait in the resource of that row.
messages = Table(
    "messages",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("queue", BigInteger, nullable=False),
    Column("uid", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Column("document", JSON, nullable=False),
    Column("sent", Float(53), nullable=False),
    Column("visible", Float(53), nullable=False),
    Column("received", Integer, nullable=False),
    Column("first_received", Float(53)),
    Column("handle", String(32), nullable=False),
    Column("message_group", String(128), nullable=False),
    Index("messages_by_visibility", "queue", "visible", "id"),
    Index("messages_by_order", "queue", "id"),
    Index("messages_by_age", "queue", "sent"),
    # Rows are what clients show who delete a message, so that one must never be given out twice.
    sqlite_autoincrement=True,
)

message_tokens = Table(
    "message_tokens",
    metadata,
    Column("queue", BigInteger, primary_key=True),
    Column("token", String(300), primary_key=True),
    Column("uid", String(36), nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("until", Float(53), nullable=False),
)

# Jobs that run, and those that wait for a place; each stands here from its creation to its end.
places = Table(
    "places",
    metadata,
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("share", String(512), nullable=False),
    Column("hosts", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    Index("places_in_line", "running", "priority", "share", "row"),
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
