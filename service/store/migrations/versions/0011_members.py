"""Members: the people of participants. Whoever joined is the first one; an acceptance says who signed it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, with a member for everybody who has joined."""
    op.create_table(
        "members",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("capacity", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["participant"], ["participants.id"], name=op.f("fk_members_participant_participants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("email", name=op.f("uq_members_email")),
    )
    op.create_index(op.f("ix_members_participant"), "members", ["participant"])
    op.add_column("acceptances", sa.Column("member", sa.String(length=40), nullable=True))
    # The id of each first member is made of the participant's: par_… is mem_….
    op.execute(
        "insert into members (id, participant, email, name, status, created_at) "
        "select 'mem_' || substr(id, 5), id, email, name, 'active', created_at from participants "
        "where email is not null"
    )


def downgrade() -> None:
    """Drop them; only whoever joined signs in then."""
    with op.batch_alter_table("acceptances") as batch:
        batch.drop_column("member")
    op.drop_table("members")
