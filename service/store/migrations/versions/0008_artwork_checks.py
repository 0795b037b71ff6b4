"""Checks of artwork: their reports, what is kept of the files for a while, and what staff said otherwise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "artwork_checks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=True),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("files_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overruled_by", sa.String(length=60), nullable=True),
        sa.Column("overruled_verdict", sa.String(length=20), nullable=True),
        sa.Column("overruled_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_artwork_checks_participant_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artwork_checks")),
    )
    op.create_index("ix_artwork_checks_at_id", "artwork_checks", ["at", "id"])
    op.create_index(op.f("ix_artwork_checks_participant"), "artwork_checks", ["participant"])
    op.create_index(op.f("ix_artwork_checks_secret"), "artwork_checks", ["secret"], unique=True)
    op.create_index(op.f("ix_artwork_checks_files_until"), "artwork_checks", ["files_until"])
    op.create_index(op.f("ix_artwork_checks_overruled_at"), "artwork_checks", ["overruled_at"])


def downgrade() -> None:
    """Drop the table; the verdicts stay in the log."""
    op.drop_table("artwork_checks")
