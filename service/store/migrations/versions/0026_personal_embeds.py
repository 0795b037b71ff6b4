"""Whether an embed is a person's, whose sites are not named in the log; unknown of those that are there already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("embeds", sa.Column("personal", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("embeds") as batch:
        batch.drop_column("personal")
