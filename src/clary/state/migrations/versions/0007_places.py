"""The line of the jobs, in which those that run have their places; a table that nothing is written to any more goes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KINDS = ("TrainingJob", "ProcessingJob", "TransformJob")


def upgrade() -> None:
    """Put the jobs into the line that run; those that wait go there by themselves."""
    op.drop_table("events")
    places = op.create_table(
        "places",
        sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("share", sa.String(512), nullable=False),
        sa.Column("hosts", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("running", sa.Integer, nullable=False),
    )
    op.create_index("places_in_line", "places", ["running", "priority", "share", "row"])
    names = ("id", "service", "kind", "wake_at")
    r = sa.table("resources", *(sa.column(name) for name in names), sa.column("document", sa.JSON)).c
    active = sa.select(r.id, r.document).where(r.service == "sagemaker", r.kind.in_(_KINDS), r.wake_at.is_not(None))
    running = [_place(row, document["_run"]) for row, document in op.get_bind().execute(active) if _runs(document)]
    if running:
        op.bulk_insert(places, running)


def _runs(document: dict[str, Any]) -> bool:
    return bool(document.get("_run", {}).get("launched"))


def _place(row: int, run: dict[str, Any]) -> dict[str, Any]:
    # The second container of a host is "algo-1.2".
    hosts = {key.partition(".")[0] for key in run["hosts"]}
    return {"row": row, "share": "", "hosts": len(hosts), "priority": 0, "running": 1}


def downgrade() -> None:
    """Bring the old table back."""
    op.drop_table("places")
    op.create_table(
        "events",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("time", sa.Float(53), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_index("events_by_arn", "events", ["arn", "id"])
