"""Messages that wait in queues; rules of EventBridge get the ARNs that AWS gives them, and keep their schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, and change the ARNs of the default bus's rules."""
    op.create_table(
        "messages",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("queue", sa.BigInteger, nullable=False),
        sa.Column("uid", sa.String(36), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("sent", sa.Float(53), nullable=False),
        sa.Column("visible", sa.Float(53), nullable=False),
        sa.Column("received", sa.Integer, nullable=False),
        sa.Column("first_received", sa.Float(53)),
        sa.Column("handle", sa.String(32), nullable=False),
        sa.Column("message_group", sa.String(128), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_by_visibility", "messages", ["queue", "visible", "id"])
    op.create_index("messages_by_order", "messages", ["queue", "id"])
    op.create_index("messages_by_age", "messages", ["queue", "sent"])
    op.create_table(
        "message_tokens",
        sa.Column("queue", sa.BigInteger, primary_key=True),
        sa.Column("token", sa.String(300), primary_key=True),
        sa.Column("uid", sa.String(36), nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
    )
    rules, shorter = "service = 'events' AND kind = 'Rule'", "arn = replace(arn, 'rule/default/', 'rule/')"
    op.execute(f"UPDATE tags SET {shorter} WHERE arn IN (SELECT arn FROM resources WHERE {rules})")
    op.execute(f"UPDATE resources SET {shorter}, wake_at = created WHERE {rules}")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("message_tokens")
    op.drop_table("messages")
