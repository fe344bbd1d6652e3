"""The first tables."""

from alembic import op

from clary.state.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables as they are defined; the next migration freezes them here."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind())
