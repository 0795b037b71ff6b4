"""API keys that may less than their role, end by themselves, are given a new secret, and were last used some time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_INSTANTS = ("expires_at", "last_used_at", "rotated_at", "previous_until")


def upgrade() -> None:
    """Add the columns; a key of before may all that its role may, and does not end."""
    op.add_column("api_keys", sa.Column("read_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("api_keys", sa.Column("package", sa.String(length=60), nullable=True))
    op.add_column("api_keys", sa.Column("origin", sa.Text(), nullable=True))
    for name in _INSTANTS:
        op.add_column("api_keys", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("previous_secret_sha256", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_api_keys_previous_secret_sha256"), "api_keys", ["previous_secret_sha256"], unique=True)


def downgrade() -> None:
    """Drop them. Keys that may less than their role would then have all of it, so they end."""
    narrow = sa.text(
        "update api_keys set revoked_at = created_at, revoked_by = 'staff:cli' where revoked_at is null "
        "and (read_only or package is not null or origin is not null or expires_at is not null)"
    )
    op.execute(narrow)
    op.drop_index(op.f("ix_api_keys_previous_secret_sha256"), "api_keys")
    with op.batch_alter_table("api_keys") as batch:
        for name in ("previous_secret_sha256", *_INSTANTS, "origin", "package", "read_only"):
            batch.drop_column(name)
