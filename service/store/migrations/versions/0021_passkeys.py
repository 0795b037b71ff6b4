"""Passkeys of staff, the challenges that wait for them, and the words of colleagues that they are lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("staff", sa.String(length=40), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("credential_sha256", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name=op.f("fk_passkeys_staff_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_sha256", name=op.f("uq_passkeys_credential_sha256")),
    )
    op.create_index(op.f("ix_passkeys_staff"), "passkeys", ["staff"])
    op.create_table(
        "passkey_challenges",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("staff", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_passkey_challenges")),
    )
    op.create_table(
        "passkey_recoveries",
        sa.Column("staff", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_passkey_recoveries_by_staff")),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name=op.f("fk_passkey_recoveries_staff_staff")),
        sa.PrimaryKeyConstraint("staff", "by", name=op.f("pk_passkey_recoveries")),
    )


def downgrade() -> None:
    """Drop them; staff sign in by mail alone again."""
    op.drop_table("passkey_recoveries")
    op.drop_table("passkey_challenges")
    op.drop_index(op.f("ix_passkeys_staff"), "passkeys")
    op.drop_table("passkeys")
