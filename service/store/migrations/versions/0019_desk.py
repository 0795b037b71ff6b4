"""Digests of who waits, and who wants none; links and embeds that staff ended, and who published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let everybody have digests."""
    op.create_table(
        "desk_digests",
        sa.Column("staff", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("staff", "day", name=op.f("pk_desk_digests")),
    )
    op.create_table(
        "endings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["participant"], ["participants.id"], name=op.f("fk_endings_participant_participants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endings")),
    )
    op.create_index(op.f("ix_endings_subject"), "endings", ["subject"])
    op.create_index(op.f("ix_endings_participant"), "endings", ["participant"])
    op.add_column("publications", sa.Column("by", sa.String(length=60), nullable=True))
    op.add_column("publications", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("digest", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("staff", "digest")
    op.drop_column("publications", "reason")
    op.drop_column("publications", "by")
    op.drop_table("endings")
    op.drop_table("desk_digests")
