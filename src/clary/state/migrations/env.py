"""Alembic runs this for every command; the connection is handed over by ``upgrade``."""

from alembic import context

from clary.state.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
