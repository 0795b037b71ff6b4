"""People of the desk; whose a key of staff is; who decided, revoked and withdrew, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_REVOCABLE = ("links", "embeds", "api_keys")


def upgrade() -> None:
    """Make the table and the columns. What was decided before says who decided it as well."""
    op.create_table(
        "staff",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("teams", sa.JSON(), nullable=False),
        sa.Column("named_by_settings", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    for table in _REVOCABLE:
        op.add_column(table, sa.Column("revoked_by", sa.String(length=60), nullable=True))
        op.add_column(table, sa.Column("revoked_reason", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("staff", sa.String(length=40), nullable=True))
    op.create_index(op.f("ix_api_keys_staff"), "api_keys", ["staff"])
    op.add_column("package_versions", sa.Column("withdrawn_by", sa.String(length=60), nullable=True))
    op.add_column("participants", sa.Column("decided_by", sa.String(length=60), nullable=True))
    participants = sa.table("participants", sa.column("id"), sa.column("rule"), sa.column("decided_by"))
    decisions = sa.table("decisions", sa.column("id"), sa.column("participant"), sa.column("outcome"), sa.column("by"))
    last = (
        sa.select(decisions.c.by)
        .where(decisions.c.participant == participants.c.id, decisions.c.outcome.in_(("approved", "declined")))
        .order_by(decisions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    op.execute(sa.update(participants).where(participants.c.rule == "staff").values(decided_by=last))


def downgrade() -> None:
    """Drop them; who acted stays in the log."""
    for table, columns in (("participants", ["decided_by"]), ("package_versions", ["withdrawn_by"])):
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
    op.drop_index(op.f("ix_api_keys_staff"), "api_keys")
    for table in _REVOCABLE:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("revoked_reason")
            batch.drop_column("revoked_by")
            if table == "api_keys":
                batch.drop_column("staff")
    op.drop_table("staff")
