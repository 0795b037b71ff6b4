"""Alembic's environment; ``service.store.migrate`` gives it the connection."""

from __future__ import annotations

from alembic import context

from service.store.schema import metadata


def run() -> None:
    """Migrates on the connection that the caller opened."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
