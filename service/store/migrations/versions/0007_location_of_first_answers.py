"""Keep the ``Location`` of first answers, for those that are given again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; answers that are kept already have none."""
    op.add_column("idempotent_requests", sa.Column("location", sa.String(length=300), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("idempotent_requests") as batch:
        batch.drop_column("location")
