"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = ("resources", "tags", "associations", "events", "routes", "revisions")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "resources",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("parent", sa.String(512), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("created", sa.Float(53), nullable=False),
        sa.Column("modified", sa.Float(53), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wake_at", sa.Float(53)),
        sa.Column("lease_owner", sa.String(64)),
        sa.Column("lease_until", sa.Float(53)),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.UniqueConstraint("account", "region", "service", "kind", "parent", "name", name="resources_key"),
        sqlite_autoincrement=True,
    )
    for name in ("created", "modified", "name", "status"):
        ending = {"created": "creation", "modified": "modification"}.get(name, name)
        op.create_index(f"resources_by_{ending}", "resources", ["account", "region", "service", "kind", name, "id"])
    op.create_index("resources_by_wake", "resources", ["wake_at"])
    op.create_index("resources_by_arn", "resources", ["arn"])
    op.create_table(
        "tags",
        sa.Column("arn", sa.Text, primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("value", sa.String(256), nullable=False),
    )
    op.create_table(
        "associations",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("created", sa.Float(53), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.UniqueConstraint("account", "region", "source", "destination", name="associations_key"),
    )
    op.create_index("associations_by_destination", "associations", ["account", "region", "destination"])
    op.create_table(
        "events",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("time", sa.Float(53), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_index("events_by_arn", "events", ["arn", "id"])
    op.create_table(
        "routes",
        sa.Column("account", sa.String(12), primary_key=True),
        sa.Column("region", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(512), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_table(
        "revisions",
        sa.Column("topic", sa.String(32), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_TABLES):
        op.drop_table(table)
