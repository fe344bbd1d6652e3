"""Lists of what belongs to a resource or has a status, at the same cost however many others there are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_OF_KIND = ["account", "region", "service", "kind"]


def upgrade() -> None:
    """Make the indexes, and the one by time of work anew without the resources that are at rest."""
    _create("resources_by_status_and_creation", [*_OF_KIND, "status", "created", "id"], "status != ''")
    _create("resources_by_parent", [*_OF_KIND, "parent", "created", "id"], "parent != ''")
    op.drop_index("resources_by_wake", "resources")
    _create("resources_by_wake", ["wake_at"], "wake_at IS NOT NULL")


def _create(name: str, columns: list[str], condition: str) -> None:
    op.create_index(name, "resources", columns, sqlite_where=sa.text(condition))


def downgrade() -> None:
    """Drop them, and make that one as it was."""
    op.drop_index("resources_by_parent", "resources")
    op.drop_index("resources_by_status_and_creation", "resources")
    op.drop_index("resources_by_wake", "resources")
    op.create_index("resources_by_wake", "resources", ["wake_at"])
