"""Metrics that are put by name, and their values over time."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "series",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("account", sa.String(12), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("dimensions", sa.Text, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("published", sa.Float(53), nullable=False),
        sa.UniqueConstraint("account", "region", "digest", name="series_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("series_by_name", "series", ["account", "region", "namespace", "name", "id"])
    op.create_table(
        "points",
        sa.Column("series", sa.BigInteger, primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True),
        sa.Column("span", sa.Integer, primary_key=True),
        sa.Column("unit", sa.String(32), primary_key=True),
        sa.Column("count", sa.Float(53), nullable=False),
        sa.Column("sum", sa.Float(53), nullable=False),
        sa.Column("least", sa.Float(53), nullable=False),
        sa.Column("most", sa.Float(53), nullable=False),
        sa.Column("sketch", sa.LargeBinary),
    )
    op.create_index("points_by_age", "points", ["span", "time"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("points")
    op.drop_table("series")
