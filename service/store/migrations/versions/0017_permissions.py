"""Permissions that end: who was reminded of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the index by which the approved are looked through."""
    op.create_table(
        "permission_notices",
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_permission_notices_participant_participants")
        ),
        sa.PrimaryKeyConstraint("participant", "ends_at", "days", name=op.f("pk_permission_notices")),
    )
    op.create_index("ix_participants_status_decided", "participants", ["status", "decided_at"])


def downgrade() -> None:
    """Drop them; reminders would be sent once more after another upgrade."""
    op.drop_index("ix_participants_status_decided", "participants")
    op.drop_table("permission_notices")
