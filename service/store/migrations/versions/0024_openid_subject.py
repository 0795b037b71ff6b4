"""Who a person of the staff is at the OpenID Connect provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("staff", sa.Column("openid_sha256", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("staff") as batch:
        batch.drop_column("openid_sha256")
