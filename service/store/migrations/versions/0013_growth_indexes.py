"""Indexes that serve a list's filter and its order together, and retention's search for what is still to be blanked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: table, the index of before (None where it stays), the new one, its columns
_LISTS = (
    ("links", "ix_links_participant", "ix_links_participant_created_at", ["participant", "created_at", "id"]),
    ("links", "ix_links_created_at", "ix_links_created_at_id", ["created_at", "id"]),
    ("embeds", "ix_embeds_participant", "ix_embeds_participant_created_at", ["participant", "created_at", "key"]),
    ("embeds", "ix_embeds_created_at", "ix_embeds_created_at_key", ["created_at", "key"]),
    ("downloads", "ix_downloads_participant", "ix_downloads_participant_at", ["participant", "at", "id"]),
    ("downloads", "ix_downloads_link", "ix_downloads_link_at", ["link", "at", "id"]),
    ("downloads", None, "ix_downloads_package_at", ["package", "at", "id"]),
    ("link_clients", None, "ix_link_clients_last_at", ["last_at"]),
    ("portal_grants", None, "ix_portal_grants_key", ["key", "participant"]),
)


def upgrade() -> None:
    """Make the new ones before the old ones go: the release before finds one of them at any time."""
    for table, before, name, columns in _LISTS:
        op.create_index(name, table, columns)
        if before:
            op.drop_index(before, table_name=table)
    for column in ("client_hash", "client_prefix"):
        kept = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_downloads_{column}", "downloads", ["at"], sqlite_where=kept, postgresql_where=kept)


def downgrade() -> None:
    """Put the old ones back."""
    for column in ("client_hash", "client_prefix"):
        op.drop_index(f"ix_downloads_{column}", table_name="downloads")
    for table, before, name, columns in _LISTS:
        if before:
            op.create_index(before, table, columns[:1])
        op.drop_index(name, table_name=table)
